// Command bench measures the operator under load: a control plane, a Hub in memory and the operator run as processes on
// this machine, and scenarios with thousands of webhooks are played. What is measured stands beside what is aimed at,
// and beside loops that make the same calls and writes without an operator, for a machine has its limits, too. It
// needs Linux, for what /proc tells of processes. Everything is gone when it ends but bin/bench, where results are.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

func main() {
	// What the libraries in use log is of no interest here.
	log.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1) //nolint:gocritic // nothing is left for stop to do
	}
}

func run(ctx context.Context, args []string) error {
	s, err := parseSettings(args, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil // it was told
	}
	if err != nil {
		return err
	}
	f, err := newFolder(s.out)
	if err != nil {
		return err
	}
	b := &bench{settings: s, folder: f, say: newProgress(os.Stdout)}
	b.report.Settings = s.describe()
	b.say("the operator is %s", s.operator)
	b.say("its flags are %v", b.report.Settings.OperatorFlags)
	err = b.run(ctx)
	// What was measured before a failure is worth having.
	fmt.Print("\n" + b.report.table())
	file, failed := b.report.write(f)
	if failed == nil {
		fmt.Println("\nall figures: " + file)
	}
	err = errors.Join(err, failed)
	if err == nil && !s.keepLogs {
		return f.removeLogs()
	}
	fmt.Println("logs: " + f.logs)
	return err
}
