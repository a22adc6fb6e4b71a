package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// bindEnvironment sets each flag of cmd that the command line does not set from the environment variable of its name:
// prefix, then the name in upper case with underscores. A flag that can be repeated takes one value a line. An error
// names the variable and not its value, which may be a secret.
func bindEnvironment(cmd *cobra.Command, prefix string) error {
	var all []error
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		name := prefix + strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(flag.Name))
		value, found := os.LookupEnv(name)
		// Two flags that print something are no settings, and a variable of such a name is somebody else's.
		if !found || flag.Changed || flag.Name == "help" || flag.Name == "version" {
			return
		}
		values := []string{value}
		if flag.Value.Type() == "stringArray" {
			values = strings.Split(strings.TrimSpace(value), "\n")
		}
		for _, v := range values {
			if cmd.Flags().Set(flag.Name, v) != nil {
				all = append(all, fmt.Errorf("environment variable %s does not fit --%s, which is a %s",
					name, flag.Name, flag.Value.Type()))
			}
		}
	})
	return errors.Join(all...)
}
