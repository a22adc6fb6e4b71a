package main

import (
	"context"
	"fmt"
	"runtime"
)

// references are how long loops take that do what the operator must do, and no more. Each makes as many calls at once
// as the operator has workers, for each resource one after the other.
type references struct {
	N      int  `json:"n"`
	Signed bool `json:"signed"`
	// Measured is for how many they were measured: a loop takes twice as long for twice as many.
	Measured int `json:"measured"`
	// Posts registers on the Hub; Apply creates a resource and writes its status; Writes makes all writes of the
	// operator; All makes the writes and the call.
	Posts  cost `json:"posts"`
	Apply  cost `json:"apply"`
	Writes cost `json:"writes"`
	All    cost `json:"all"`
}

// cost is what something takes.
type cost struct {
	Seconds float64 `json:"seconds"`
	// CPU are the seconds of CPU of all programs of the bench together.
	CPU float64 `json:"cpuSeconds"`
	// Others is the part of the machine's CPUs that others took meanwhile.
	Others float64 `json:"othersShare"`
}

// measureReferences plays the loops where no operator runs.
func (b *bench) measureReferences(ctx context.Context, w *world, n int) error {
	for _, signed := range []bool{false, true} {
		if signed && !b.settings.playsAny("create-signed") || !signed && !b.settings.playsAny("create") {
			continue
		}
		l, err := newLoops(w, signed)
		if err != nil {
			return err
		}
		r := references{N: n, Signed: signed, Measured: min(n, w.looped)}
		for _, loop := range []struct {
			name string
			took *cost
			do   func(context.Context, string, int) error
		}{
			{"posts", &r.Posts, l.post},
			{"apply", &r.Apply, l.apply},
			{"writes", &r.Writes, l.write},
			{"all", &r.All, l.all},
		} {
			name := fmt.Sprintf("%s-%t", loop.name, signed)
			*loop.took, err = w.costOf(func() error {
				return each(ctx, r.Measured, w.workers, func(ctx context.Context, i int) error {
					return loop.do(ctx, name, i)
				})
			})
			if err != nil {
				return fmt.Errorf("reference loop %s: %w", name, err)
			}
			b.say("N=%d reference loop %s: %.1f s for %d", n, name, loop.took.Seconds, r.Measured)
			loop.took.scale(float64(n) / float64(r.Measured))
		}
		b.report.References = append(b.report.References, r)
	}
	return nil
}

// costOf is what doing something takes.
func (w *world) costOf(do func() error) (cost, error) {
	before, err := readUsage(w.known())
	if err != nil {
		return cost{}, err
	}
	if err := do(); err != nil {
		return cost{}, err
	}
	after, err := readUsage(w.known())
	if err != nil {
		return cost{}, err
	}
	ours, others := after.since(before, runtime.NumCPU())
	return cost{Seconds: after.at.Sub(before.at).Seconds(), CPU: total(ours), Others: others}, nil
}

func (c *cost) scale(by float64) {
	c.Seconds *= by
	c.CPU *= by
}

func total(seconds map[string]float64) float64 {
	sum := 0.0
	for _, s := range seconds {
		sum += s
	}
	return sum
}
