// Command demo tells the whole story of the operator on one machine: a control plane, a Hub in memory, endpoints and
// the operator are started, and a user's commands are run and explained, each checked for what it shows. What it
// starts lives on for the user to play with, until `demo down`, or `make demo-down`. All state is in bin/demo.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

func main() {
	// What the libraries in use log is of no interest to the user.
	log.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1) //nolint:gocritic // nothing is left for stop to do
	}
}

func run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 0:
		return demo(ctx)
	case args[0] == "down" && len(args) == 1:
		return down(ctx)
	case args[0] == volumeCommand:
		return runVolume(ctx, args[1:])
	}
	return errors.New("usage: demo [down]")
}

// demo starts everything, tells the story and leaves everything running, unless DEMO_EXIT says otherwise or somebody
// interrupts it.
func demo(ctx context.Context) (err error) {
	started := time.Now()
	exit := os.Getenv("DEMO_EXIT") != "" && os.Getenv("DEMO_EXIT") != "0"
	folder, err := claimFolder()
	if err != nil {
		return err
	}
	out := newTerminal(os.Stdout)
	told := false
	defer func() {
		if told && !exit && ctx.Err() == nil {
			return
		}
		out.say("Cleaning up.")
		// The context may have ended: that is why we are here.
		err = errors.Join(err, folder.clear(context.WithoutCancel(ctx)))
	}()
	w, err := startWorld(ctx, folder, out)
	if err != nil {
		return err
	}
	s, err := newStory(w, out)
	if err != nil {
		return err
	}
	told = true
	if err := s.tell(ctx); err != nil {
		if ctx.Err() != nil {
			return err
		}
		out.tail("the operator's log", w.folder.log("operator"), 25)
		if !exit {
			out.say("Everything is left running for a look, with its logs in bin/demo/log. `make demo-down` ends it.")
		}
		return err
	}
	s.sumUp(time.Since(started), exit)
	return nil
}

// down ends what a demo left running.
func down(ctx context.Context) error {
	folder, err := findFolder()
	if err != nil {
		return err
	}
	if folder == nil {
		fmt.Println("No demo is running.")
		return nil
	}
	if err := folder.clear(ctx); err != nil {
		return err
	}
	fmt.Println("The demo has ended and its folder bin/demo is removed.")
	return nil
}
