package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// suites are the packages whose tests judge, by what mutants call them.
var suites = map[string]string{
	"plan":       "internal/plan",
	"hub":        "internal/hub",
	"connection": "internal/hub/connection",
	"signing":    "internal/signing",
	"controller": "internal/controller",
	campaign:     "hack/campaign",
	"fuzz":       "hack/fuzz",
}

// campaign is the suite whose pattern may name the flows that are played, after a slash.
const campaign = "campaign"

// longest is how long a run of a suite may take; what takes longer hangs.
const longest = 4 * time.Minute

// errHangs: nothing failed, and the tests did not end.
var errHangs = errors.New("the tests did not come to an end")

// compile builds the tests of a suite, with an overlay unless that is empty.
func compile(ctx context.Context, root, suite, overlay, binary string) error {
	args := []string{"test", "-vet=off", "-c", "-o", binary}
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	build := exec.CommandContext(ctx, "go", append(args, "./"+suites[suite])...)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("does not compile: %w\n%s", err, out)
	}
	return nil
}

// finding is what a run of tests came to.
type finding struct {
	// failed is the first test that failed, empty when all passed.
	failed string
	// said is what the test said first that names an invariant of the design; may be empty.
	said string
	// output is all that was said.
	output string
}

var (
	failedTest = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)
	invariant  = regexp.MustCompile(`(?m)(?:^|[ \t])([SL][0-9]+): `)
)

// judgeBy runs compiled tests until one fails. The error is about the run itself.
func judgeBy(ctx context.Context, root string, r suiteRun, binary string) (finding, error) {
	ctx, cancel := context.WithTimeout(ctx, longest+time.Minute)
	defer cancel()
	args := []string{"-test.failfast", "-test.timeout=" + longest.String()}
	pattern, flows := r.pattern, ""
	if r.suite == campaign {
		pattern, flows, _ = strings.Cut(pattern, "/")
	}
	if pattern != "" {
		args = append(args, "-test.run="+pattern)
	}
	tests := exec.CommandContext(ctx, binary, args...)
	tests.Dir = filepath.Join(root, suites[r.suite])
	tests.Env = append(os.Environ(), "CAMPAIGN_FLOWS="+flows)
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		tests.Env = append(tests.Env, "KUBEBUILDER_ASSETS="+filepath.Join(root, "bin", "k8s"))
	}
	// Whatever a test leaves behind that holds the output open is not waited for.
	tests.WaitDelay = 10 * time.Second
	out, err := tests.CombinedOutput()
	f := finding{output: string(out)}
	if strings.Contains(f.output, "panic: test timed out") || ctx.Err() != nil {
		return f, errHangs
	}
	if err == nil {
		if strings.Contains(f.output, "no tests to run") {
			return f, fmt.Errorf("%s selects no test", r)
		}
		return f, nil
	}
	f.failed = deepest(failedTest.FindAllStringSubmatch(f.output, -1))
	if f.failed == "" {
		return f, fmt.Errorf("the tests broke off: %w", err)
	}
	if found := invariant.FindStringSubmatch(f.output); found != nil {
		f.said = found[1]
	}
	return f, nil
}

// deepest is the first test named, or a test within it.
func deepest(named [][]string) string {
	first := ""
	for _, match := range named {
		if first != "" && !strings.HasPrefix(match[1], first+"/") {
			break
		}
		first = match[1]
	}
	return first
}
