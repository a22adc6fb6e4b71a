package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

func TestFlagsAreSetFromTheEnvironment(t *testing.T) {
	cmd := &cobra.Command{}
	name := cmd.Flags().String("some-name", "default", "")
	wait := cmd.Flags().Duration("wait", 0, "")
	given := cmd.Flags().String("given", "", "")
	untouched := cmd.Flags().Bool("untouched", true, "")
	many := cmd.Flags().StringArray("many", nil, "")
	cmd.Flags().Bool("version", false, "")
	t.Setenv("X_VERSION", "v1.2.3")
	t.Setenv("X_SOME_NAME", "from the environment")
	t.Setenv("X_WAIT", "3s")
	t.Setenv("X_GIVEN", "from the environment")
	t.Setenv("X_MANY", "a=1,2\nb=3\n")
	if err := cmd.ParseFlags([]string{"--given", "from the command line"}); err != nil {
		t.Fatal(err)
	}
	if err := bindEnvironment(cmd, "X_"); err != nil {
		t.Fatal(err)
	}
	if *name != "from the environment" || *wait != 3*time.Second || *given != "from the command line" || !*untouched {
		t.Errorf("the flags are %q, %v, %q, %v", *name, *wait, *given, *untouched)
	}
	if diff := cmp.Diff([]string{"a=1,2", "b=3"}, *many); diff != "" {
		t.Error(diff)
	}
}

func TestAWrongVariableIsNamedWithoutItsValue(t *testing.T) {
	cmd := &cobra.Command{}
	cmd.Flags().Duration("wait", 0, "")
	t.Setenv("X_WAIT", "canary")
	err := bindEnvironment(cmd, "X_")
	if err == nil || !strings.Contains(err.Error(), "X_WAIT") || strings.Contains(err.Error(), "canary") {
		t.Errorf("the error is %v", err)
	}
}
