package main

import (
	"context"
	"fmt"
	"time"
)

const (
	// hubLimit is how many calls a second the Hub takes, unknownQPS and unknownBurst what the operator believes.
	hubLimit, unknownQPS, unknownBurst = 20, 200, 200
	// learnSeconds are those that the operator has to find it out.
	learnSeconds = 60
	// Aims of the time after that.
	throttledShare, usedShare = 0.03, 0.9
)

// playLimit creates resources under a limit of the Hub that the operator does not know.
func playLimit(ctx context.Context, w *world, n int) ([]*figures, error) {
	if err := w.hub.limit(ctx, hubLimit); err != nil {
		return nil, err
	}
	flags := []string{fmt.Sprintf("--hub-qps=%d", unknownQPS), fmt.Sprintf("--hub-burst=%d", unknownBurst)}
	if err := w.startOperator(ctx, flags...); err != nil {
		return nil, err
	}
	f, came, err := w.measure(ctx, "limit", n, func(ctx context.Context) (time.Time, error) {
		if err := w.create(ctx, n, false); err != nil {
			return time.Time{}, err
		}
		return w.allReady(ctx, n)
	})
	if err != nil {
		return nil, err
	}
	f.Flags = flags
	began := came[0].Second
	first, later := came.until(began+learnSeconds), came.from(began+learnSeconds)
	// Until the last webhook there is more to do than the Hub takes.
	posts := came.of("createWebhook")
	last := posts[len(posts)-1].Second
	busy := later.until(last)
	taken := float64(busy.count()-busy.throttled().count()) / float64(max(1, last-began-learnSeconds))
	refused := func(c calls) float64 { return 100 * share(c.throttled().count(), c.count()) }
	f.note("429: %.1f%% of %d in the first minute, %.1f%% of %d after it",
		refused(first), first.count(), refused(later), later.count())
	f.aimLess("429 after the first minute", "%", refused(later), 100*throttledShare)
	f.aimMore("part of the limit that is used after the first minute", "%", 100*taken/hubLimit, 100*usedShare)
	return []*figures{f}, w.checkHub(ctx, n)
}
