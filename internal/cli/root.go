// Package cli is the command line: one binary with the operator and what goes with it as subcommands.
package cli

import (
	"runtime/debug"

	"github.com/spf13/cobra"
)

// New is the command line. Without a subcommand it runs the operator.
func New() *cobra.Command {
	root := &cobra.Command{
		Use:           "chatt2-webhook-operator",
		Short:         "Manage the webhooks of the Hub Chatt2.me from Kubernetes",
		Version:       version(),
		SilenceErrors: true,
	}
	operator := newOperatorCommand()
	root.AddCommand(operator, newSimulatorCommand(), newReceiverCommand())
	root.Args, root.RunE, root.SilenceUsage = operator.Args, operator.RunE, true
	root.Flags().AddFlagSet(operator.Flags())
	return root
}

// released is the version that a release puts in with -ldflags=-X, empty otherwise.
var released string

// version is that of the release or of the module, where the build knows it.
func version() string {
	if released != "" {
		return released
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
