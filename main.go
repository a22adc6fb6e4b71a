// Command chatt2-webhook-operator manages the webhooks of the Hub Chatt2.me from Kubernetes.
package main

import (
	"fmt"
	"os"

	"github.com/chatt2me/webhook-operator/internal/cli"
)

func main() {
	if err := cli.New().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
