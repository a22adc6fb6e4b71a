package main

import (
	"context"
	"errors"
	"time"
)

// driftedShare is the part of the webhooks that somebody changes on the Hub.
const driftedShare = 0.01

// playDrift changes webhooks on the Hub and measures until all are put right.
func playDrift(ctx context.Context, w *world, n int) ([]*figures, error) {
	all, err := w.hub.webhooks(ctx)
	if err != nil {
		return nil, err
	}
	drifted := max(1, int(driftedShare*float64(n)))
	elsewhere := map[string]string{"endpoint": w.endpoint + "/elsewhere"}
	f, came, err := w.measure(ctx, "drift", n, func(ctx context.Context) (time.Time, error) {
		for i := range drifted {
			// Spread over all of them, and so over all pages.
			which := all[i*len(all)/drifted]
			if err := w.hub.change(ctx, which.ID, elsewhere); err != nil {
				return time.Time{}, err
			}
		}
		return w.awaitRight(ctx, drifted)
	})
	if err != nil {
		return nil, err
	}
	changes := came.mutating().byOperation()
	f.note("%d changed by hand", drifted)
	f.aimExactly("PATCHes", changes["updateWebhook"], drifted)
	f.aimExactly("other mutating calls", came.mutating().count()-changes["updateWebhook"], 0)
	// Jitter may make an interval longer, and one listing takes its time, too.
	listing := time.Duration(leastListing(n)) * w.latency * 2
	f.aimLess("seconds until right", "", f.Seconds, (w.poll*6/5 + listing + 3*time.Second).Seconds())
	return []*figures{f}, w.checkHub(ctx, n)
}

// awaitRight waits until no webhook is wrong on the Hub any more, of which so many were, and tells when.
func (w *world) awaitRight(ctx context.Context, drifted int) (time.Time, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 5*time.Minute, errors.New("not all of the drift is found"))
	defer cancel()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		came, err := w.hub.tallies(ctx)
		if err != nil {
			return time.Time{}, err
		}
		if came.of("updateWebhook").count() >= drifted {
			all, err := w.hub.webhooks(ctx)
			if err != nil {
				return time.Time{}, err
			}
			if !anyElsewhere(all, w.endpoint+"/elsewhere") {
				return time.Now(), nil
			}
		}
		select {
		case <-ctx.Done():
			return time.Time{}, context.Cause(ctx)
		case <-tick.C:
		}
	}
}

func anyElsewhere(all []registered, elsewhere string) bool {
	for _, r := range all {
		if r.Endpoint == elsewhere {
			return true
		}
	}
	return false
}
