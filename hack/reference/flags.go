package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/chatt2me/webhook-operator/internal/cli"
)

// environments are the prefixes of the environment variables that set the flags of each subcommand.
var environments = map[string]string{
	"operator": "CHATT2_", "hub-simulator": "CHATT2_SIMULATOR_", "receiver": "CHATT2_RECEIVER_",
}

// flagsPage tells of the subcommands and their flags.
func flagsPage(string) (string, error) {
	var b strings.Builder
	b.WriteString("# Flags\n\nEach flag can be set by the environment variable beside it; the command line wins.\n")
	found := 0
	for _, command := range cli.New().Commands() {
		prefix, ok := environments[command.Name()]
		if !ok {
			continue
		}
		found++
		fmt.Fprintf(&b, "\n## %s\n\n%s.\n\n", command.Name(), command.Short)
		b.WriteString(flagsTable(command, prefix))
	}
	if found != len(environments) {
		return "", fmt.Errorf("of %d subcommands %d were found", len(environments), found)
	}
	return b.String(), nil
}

func flagsTable(command *cobra.Command, prefix string) string {
	var rows [][]string
	command.LocalFlags().VisitAll(func(flag *pflag.Flag) {
		if flag.Name == "help" || flag.Hidden {
			return
		}
		standard := flag.DefValue
		if standard == "[]" {
			standard = ""
		}
		if standard != "" {
			standard = code(standard)
		}
		variable := prefix + strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(flag.Name))
		rows = append(rows, []string{code("--" + flag.Name), flag.Value.Type(), standard, flag.Usage, code(variable)})
	})
	return table([]string{"flag", "type", "default", "what it does", "variable"}, rows)
}
