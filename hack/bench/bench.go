package main

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// bench is a whole run.
type bench struct {
	settings settings
	folder   *folder
	say      progress
	report   report
}

// scenario is something that is measured.
type scenario struct {
	name string
	// play measures it with n webhooks and leaves the world as it found it, as far as not said otherwise.
	play func(ctx context.Context, w *world, n int) ([]*figures, error)
	// changes says that the scenario brings the webhooks up or takes them away, and so needs nothing brought up.
	changes bool
}

// unsigned, signed, byDefault, limited and conflicting are what is played in one world each, in this order.
var (
	unsigned = []scenario{
		{"create", playCreate, true},
		{"quiet", playQuiet, false},
		{"restart", playRestart, false},
		{"drift", playDrift, false},
		{"refused-key", playRefusedKey, false},
		{"outage", playOutage, false},
		{"foreign-secrets", playForeignSecrets, false},
		{"delete", playDelete, false},
	}
	signed = []scenario{
		{"create-signed", playCreateSigned, true},
		{"rotate", playRotate, false},
	}
	byDefault   = []scenario{{"create-default", playCreateDefault, true}}
	limited     = []scenario{{"limit", playLimit, true}}
	conflicting = []scenario{{"conflicts", playConflicts, true}}
)

// reference is the name of the loops without an operator, which are no scenario but can be chosen like one.
const reference = "reference"

func scenarioNames() []string {
	names := []string{reference}
	for _, s := range slices.Concat(unsigned, signed, byDefault, limited, conflicting) {
		names = append(names, s.name)
	}
	return names
}

// run plays what is asked for.
func (b *bench) run(ctx context.Context) error {
	for _, n := range b.settings.sizes {
		if b.settings.plays(reference) {
			if err := b.inWorld(ctx, reference, n, b.measureReferences); err != nil {
				return err
			}
		}
		if err := b.playAll(ctx, "unsigned", unsigned, n); err != nil {
			return err
		}
		if err := b.playAll(ctx, "signed", signed, n); err != nil {
			return err
		}
	}
	// These are of one size each, whatever the others are.
	if err := b.playAll(ctx, "default", byDefault, min(slices.Min(b.settings.sizes), smallSize)); err != nil {
		return err
	}
	if err := b.playAll(ctx, "limited", limited, b.settings.limited); err != nil {
		return err
	}
	return b.playAll(ctx, "conflicting", conflicting, smallSize)
}

// inWorld does something in a fresh world.
func (b *bench) inWorld(ctx context.Context, name string, n int, do func(context.Context, *world, int) error) error {
	w, err := b.newWorld(ctx, name)
	if err == nil {
		err = do(ctx, w, n)
	}
	return errors.Join(err, w.end())
}

// playAll plays those of the scenarios that are asked for, in a fresh world.
func (b *bench) playAll(ctx context.Context, name string, scenarios []scenario, n int) error {
	wanted := slices.DeleteFunc(slices.Clone(scenarios), func(s scenario) bool { return !b.settings.plays(s.name) })
	if len(wanted) == 0 {
		return nil
	}
	return b.inWorld(ctx, name, n, func(ctx context.Context, w *world, n int) error {
		if !wanted[0].changes {
			if err := w.startOperator(ctx); err != nil {
				return err
			}
			if err := w.bringUp(ctx, n, strings.HasPrefix(name, "signed")); err != nil {
				return err
			}
		}
		for _, s := range wanted {
			b.say("N=%d: %s", n, s.name)
			found, err := s.play(ctx, w, n)
			b.report.add(found)
			for _, f := range found {
				b.say("  %s", f.line())
			}
			if err != nil {
				return errors.Join(errors.New("scenario "+s.name), err)
			}
		}
		return nil
	})
}
