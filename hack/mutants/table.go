package main

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// result is a verdict in a word, and the test that it rests on.
func (v verdict) result() string {
	switch {
	case v.err != nil:
		return "ERROR"
	case v.failed == "" && len(v.mutant.edits) == 0:
		return "passes"
	case v.failed == "":
		return "survived"
	case v.said != "":
		return v.failed + " (" + v.said + ")"
	}
	return v.failed
}

func (v verdict) line() string {
	return fmt.Sprintf("%6s  %s, %s: %s", v.took.Round(time.Second/10), v.mutant.name, v.run.suite, v.result())
}

// table is what a person reads.
func table(verdicts []verdict) string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "MUTANT\tWHAT IT STANDS FOR\tSUITE\tCAUGHT BY\tTIME")
	last := ""
	for _, v := range verdicts {
		name, wrong := v.mutant.name, v.mutant.wrong
		if name == last {
			name, wrong = "", ""
		}
		last = v.mutant.name
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", name, wrong, v.run.suite, v.result(), v.took.Round(time.Second/10))
	}
	// A strings.Builder takes everything.
	_ = w.Flush()
	return out.String()
}

// failures are the mutants that survived, and those without a verdict.
func failures(verdicts []verdict) error {
	var failed []error
	for _, v := range verdicts {
		switch {
		case v.err != nil:
			failed = append(failed, fmt.Errorf("mutant %q, %s: %w\n%s", v.mutant.name, v.run, v.err, tail(v.output)))
		case v.failed == "":
			failed = append(failed, fmt.Errorf("mutant %q survived %s: %s", v.mutant.name, v.run, v.mutant.wrong))
		}
	}
	return errors.Join(failed...)
}

// tail is the end of an output, which tells what it came to.
func tail(output string) string {
	const most = 4000
	return output[max(len(output)-most, 0):]
}
