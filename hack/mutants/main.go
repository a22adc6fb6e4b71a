// Command mutants proves that the tests can fail: it applies wrong protocols to the operator, one by one, and each must
// be caught by the suites that it names. What is wrong stands in the folder protocols, a file each. The sources are not
// touched: a mutant is compiled by way of an overlay. It is to be run at the top of the repository.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// protocols is the folder of the mutants, below the top of the repository.
const protocols = "hack/mutants/protocols"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1) //nolint:gocritic // nothing is left for stop to do
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	only := flags.String("only", "", "apply the mutants alone whose names contain this")
	atOnce := flags.Int("parallel", 2, "how many mutants are compiled and run at the same time")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	all, err := readMutants(protocols)
	if err != nil {
		return err
	}
	chosen := named(all, *only)
	if len(chosen) == 0 {
		return fmt.Errorf("there is no mutant %q", *only)
	}
	root, err := filepath.Abs(".")
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()

	b := &bench{root: root, folder: folder, atOnce: max(*atOnce, 1), say: func(line string) { fmt.Println(line) }}
	begun := time.Now()
	if err := b.control(ctx, chosen); err != nil {
		return err
	}
	verdicts := b.judge(ctx, chosen)
	fmt.Printf("\n%s\n%d mutants in %s\n", table(verdicts), len(chosen), time.Since(begun).Round(time.Second))
	return failures(verdicts)
}

// named are the mutants whose names contain a text.
func named(all []mutant, text string) []mutant {
	var chosen []mutant
	for _, m := range all {
		if strings.Contains(m.name, text) {
			chosen = append(chosen, m)
		}
	}
	return chosen
}
