package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chatt2me/webhook-operator/hack/loopback"
)

// profileFlag is the flag by which an operator can be asked for profiles, if it has it.
const profileFlag = "--pprof-bind-address"

// addProfiles has the operator serve profiles where they are wanted and it can.
func (o *operator) addProfiles(ctx context.Context, w *world, args []string) ([]string, error) {
	if w.profile == "" {
		return args, nil
	}
	help, err := exec.CommandContext(ctx, w.settings.operator, "operator", "--help").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("ask the operator for its flags: %w", err)
	}
	if !strings.Contains(string(help), profileFlag) {
		w.say("the operator has no flag %s: there will be no profiles", profileFlag)
		return args, nil
	}
	address, err := loopback.Reserve(ctx)
	o.pprof = address.String()
	return append(args, profileFlag+"="+o.pprof), err
}

// profileTime is for how long at most the CPU is looked at.
const profileTime = 5 * time.Minute

// takeProfiles takes a CPU profile of a scenario until the returned function is called, which takes one of memory.
// Without a need for profiles it does nothing.
func (w *world) takeProfiles(ctx context.Context, scenario string) (end func() error) {
	if w.operator == nil || w.operator.pprof == "" || !slices.Contains(split(w.profile), scenario) {
		return func() error { return nil }
	}
	o := w.operator
	file := func(kind string) string { return w.folder.file("-" + scenario + "-" + kind + ".pprof") }
	// The operator ends the profile when nobody reads it any more, which would leave half of it: it takes seconds, and
	// the scenario has as many of them as it takes.
	var err error
	var work sync.WaitGroup
	ended := make(chan struct{})
	work.Go(func() { err = o.profileInSlices(ctx, file, ended) })
	return func() error {
		close(ended)
		work.Wait()
		return errors.Join(err, o.save(ctx, "/debug/pprof/heap?gc=1", file("heap")))
	}
}

// sliceTime is how long one of the CPU profiles of a scenario is; `go tool pprof` adds several up.
const sliceTime = 10

func (o *operator) profileInSlices(ctx context.Context, file func(string) string, ended <-chan struct{}) error {
	for i := range int(profileTime.Seconds()) / sliceTime {
		path := fmt.Sprintf("/debug/pprof/profile?seconds=%d", sliceTime)
		if err := o.save(ctx, path, file(fmt.Sprintf("cpu-%02d", i))); err != nil {
			return err
		}
		select {
		case <-ended:
			return nil
		default:
		}
	}
	return nil
}

func (o *operator) save(ctx context.Context, path, name string) error {
	return o.get(ctx, o.pprof, path, func(r *http.Response) error {
		out, err := os.Create(name)
		if err != nil {
			return err
		}
		_, err = io.Copy(out, r.Body)
		return errors.Join(err, out.Close())
	})
}
