package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Aims of an operator that has nothing to do.
const (
	quietPolls       = 10
	perPage          = 49 // of a whole listing, whose pages overlap by one
	listingSlack     = 5  // calls of a listing above the least there can be
	cpuPerPoll       = 0.3
	restingMegabytes = 150
	caughtUpSeconds  = 15
)

// leastListing is how many calls a whole listing takes.
func leastListing(n int) int { return max(1, (n-1+perPage-1)/perPage) }

// playQuiet lets the operator poll with nothing to do.
func playQuiet(ctx context.Context, w *world, n int) ([]*figures, error) {
	if err := w.rest(ctx); err != nil {
		return nil, err
	}
	m, err := w.begin(ctx, "quiet")
	if err != nil {
		return nil, err
	}
	if err := w.awaitPolls(ctx, quietPolls+1); err != nil {
		return nil, err
	}
	f, all, err := m.end(ctx, "quiet", n, time.Now())
	if err != nil {
		return nil, err
	}
	// The last one has only just begun. The first may have been cut by the beginning.
	bursts := all.bursts()
	bursts = bursts[:len(bursts)-1]
	f.note("GETs of each poll: %v; %.2f CPU s for each, %.2f CPU s a minute", bursts,
		f.CPUSeconds/float64(len(bursts)), f.CPUSeconds/f.Seconds*60)
	f.aimAtMost("GETs of a poll", float64(slices.Max(bursts)), float64(leastListing(n)+listingSlack))
	f.aimLess("CPU of a poll", " s", f.CPUSeconds/float64(len(bursts)), cpuPerPoll)
	f.aimExactly("mutating calls", all.mutating().count(), 0)
	f.aimExactly("kube writes", f.Writes.sum(), 0)
	f.aimExactly("reconciles", int(f.reconciled()), 0)
	f.aimLess("resting RSS", " MiB", megabytes(f.Memory.Resident), restingMegabytes)
	return []*figures{f}, nil
}

// awaitPolls waits until n polls have begun since the calls were forgotten.
func (w *world) awaitPolls(ctx context.Context, n int) error {
	const long = 3 * time.Minute // far longer than a poll takes
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(n)*(w.poll+long), errors.New("there are too few polls"))
	defer cancel()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	told := 0
	for {
		all, err := w.hub.tallies(ctx)
		if err != nil {
			return err
		}
		begun := len(all.bursts())
		if begun >= n {
			return nil
		}
		if begun > told {
			told = begun
			w.say("    poll %d of %d", begun, n-1)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// playRestart starts another operator where everything is in place.
func playRestart(ctx context.Context, w *world, n int) ([]*figures, error) {
	if err := w.stopOperator(); err != nil {
		return nil, err
	}
	m, err := w.begin(ctx, "restart")
	if err != nil {
		return nil, err
	}
	if err := w.launchOperator(ctx, "--leader-elect"); err != nil {
		return nil, err
	}
	caughtUp, err := w.awaitCaughtUp(ctx)
	if err != nil {
		return nil, err
	}
	f, all, err := m.end(ctx, "restart", n, caughtUp)
	if err != nil {
		return nil, err
	}
	lease := &coordinationv1.Lease{}
	key := client.ObjectKey{Namespace: installedNamespace, Name: leaseName}
	if err := w.client.Get(ctx, key, lease); err != nil {
		return nil, err
	}
	if lease.Spec.AcquireTime == nil {
		return nil, errors.New("nobody holds the lease")
	}
	since := caughtUp.Sub(lease.Spec.AcquireTime.Time).Seconds()
	f.Flags = []string{"--leader-elect"}
	f.note("caught up %.1f s after the lease, which was taken %.1f s after the start", since, f.Seconds-since)
	f.aimAtMost("seconds from the lease to caught up", since, caughtUpSeconds)
	f.aimAtMost("GETs", float64(all.count()-all.mutating().count()), float64(leastListing(n)+listingSlack))
	f.aimExactly("mutating calls", all.mutating().count(), 0)
	f.aimExactly("kube writes", f.Writes.sum(), 0)
	return []*figures{f}, nil
}

// awaitCaughtUp waits until an operator that was just started has listed the webhooks and has nothing more to do, and
// tells when that was.
func (w *world) awaitCaughtUp(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 5*time.Minute, errors.New("the operator does not catch up"))
	defer cancel()
	tick := time.NewTicker(restTime / 6)
	defer tick.Stop()
	var last float64
	var moved time.Time
	for {
		// Until it serves metrics there are none.
		if m, err := w.operator.scrape(ctx); err == nil {
			now, reconciles := time.Now(), m.sum("controller_runtime_reconcile_total")
			if reconciles != last || m.sum("workqueue_depth") > 0 || !m.has("chatt2_inventory_age_seconds") {
				last, moved = reconciles, now
			} else if now.Sub(moved) >= restTime {
				return moved, nil
			}
		}
		select {
		case <-w.operator.program.ended:
			return moved, fmt.Errorf("the operator ended; see %s", w.operator.program.log)
		case <-ctx.Done():
			return moved, context.Cause(ctx)
		case <-tick.C:
		}
	}
}
