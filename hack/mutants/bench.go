package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// bench is where mutants are compiled and judged.
type bench struct {
	// root is the top of the repository, folder where everything goes that is made.
	root, folder string
	atOnce       int
	// say takes a line of progress; it may be called by several at once.
	say func(string)
}

// verdict is what a run of a suite says of a mutant.
type verdict struct {
	mutant mutant
	run    suiteRun
	finding
	// err is why there is no verdict: the mutant does not apply, compile or come to an end.
	err  error
	took time.Duration
}

// control runs what will judge on the operator as it is, which must pass.
func (b *bench) control(ctx context.Context, mutants []mutant) error {
	right := mutant{name: "the operator as it is"}
	known := map[suiteRun]bool{}
	for _, m := range mutants {
		for _, r := range m.runs {
			if !known[r] {
				known[r], right.runs = true, append(right.runs, r)
			}
		}
	}
	for _, v := range b.judge(ctx, []mutant{right}) {
		switch {
		case v.err != nil:
			return fmt.Errorf("%s: %s: %w\n%s", right.name, v.run, v.err, v.output)
		case v.failed != "":
			return fmt.Errorf("%s fails: %s\n%s", right.name, v.run, v.output)
		}
	}
	return nil
}

// judge has each mutant judged by each of its suites, and returns the verdicts in that order.
func (b *bench) judge(ctx context.Context, mutants []mutant) []verdict {
	var verdicts []verdict
	for _, m := range mutants {
		for _, r := range m.runs {
			verdicts = append(verdicts, verdict{mutant: m, run: r})
		}
	}
	var work sync.WaitGroup
	turns := make(chan struct{}, b.atOnce)
	for i := range verdicts {
		work.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			begun := time.Now()
			v := &verdicts[i]
			v.finding, v.err = b.one(ctx, v.mutant, v.run, filepath.Join(b.folder, strconv.Itoa(i)))
			v.took = time.Since(begun)
			b.say(v.line())
		})
	}
	work.Wait()
	return verdicts
}

// one compiles a mutant with the tests of a suite and runs them.
func (b *bench) one(ctx context.Context, m mutant, r suiteRun, folder string) (finding, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return finding{}, err
	}
	// Test binaries are large.
	defer func() { _ = os.RemoveAll(folder) }()
	overlay := ""
	if len(m.edits) > 0 {
		var err error
		if overlay, err = m.overlay(b.root, folder); err != nil {
			return finding{}, err
		}
	}
	binary := filepath.Join(folder, r.suite+".test")
	if err := compile(ctx, b.root, r.suite, overlay, binary); err != nil {
		return finding{}, err
	}
	return judgeBy(ctx, b.root, r, binary)
}
