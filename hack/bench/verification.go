package main

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"
)

// Aims of how soon it is seen that the Hub has verified an endpoint, in seconds; with the operator's flags for many
// webhooks, and with its defaults.
const (
	verifiedMedian, verified99 = 2, 5
	default90, defaultFirst    = 10, 15
)

// verification is how soon resources were Ready after the Hub had verified their endpoints, in seconds.
type verification struct {
	Median float64 `json:"median"`
	P90    float64 `json:"p90"`
	P99    float64 `json:"p99"`
	Last   float64 `json:"last"`
	// First is when the first resource was Ready, after the first registration.
	First float64 `json:"first"`
}

// verification compares what the Hub says with when the watch showed that a resource is Ready.
func (w *world) verification(ctx context.Context) (*verification, error) {
	all, err := w.hub.webhooks(ctx)
	if err != nil {
		return nil, err
	}
	readyAt := w.resources.firstReady()
	var after []float64
	var firstReady, firstRegistered time.Time
	for _, r := range all {
		at, ok := readyAt[r.Label]
		if !ok || r.VerifiedAt == nil {
			return nil, errors.New("a webhook is not verified, or its resource is not ready: " + r.Label)
		}
		after = append(after, max(at.Sub(*r.VerifiedAt).Seconds(), 0))
		firstReady, firstRegistered = earlier(firstReady, at), earlier(firstRegistered, r.CreatedDate)
	}
	if len(after) == 0 {
		return nil, errors.New("there are no webhooks on the Hub")
	}
	slices.Sort(after)
	return &verification{
		Median: quantile(after, 0.5), P90: quantile(after, 0.9), P99: quantile(after, 0.99), Last: after[len(after)-1],
		First: firstReady.Sub(firstRegistered).Seconds(),
	}, nil
}

// noteVerification notes how soon verifications were seen, and holds that to the aims.
func (f *figures) noteVerification(n int) {
	v := f.Verification
	f.note("from the Hub's verification to Ready: median %s, 90%% %s, 99%% %s, last %s; the first is Ready %s after "+
		"the first registration; %s PATCHes to verify for each", seconds(v.Median), seconds(v.P90), seconds(v.P99),
		seconds(v.Last), seconds(v.First), short(share(f.HubCalls["updateWebhook"], n)))
	f.aimExactly("PATCHes to verify again", f.HubCalls["updateWebhook"], 0)
	if len(f.Flags) > 0 {
		f.aimLess("from verification to Ready, 90%", " s", v.P90, default90)
		f.aimLess("first Ready after the first registration", " s", v.First, defaultFirst)
		return
	}
	f.aimLess("from verification to Ready, median", " s", v.Median, verifiedMedian)
	f.aimLess("from verification to Ready, 99%", " s", v.P99, verified99)
}

// quantile is the least of the sorted values that a part of all does not exceed.
func quantile(sorted []float64, part float64) float64 {
	return sorted[max(int(math.Ceil(part*float64(len(sorted))))-1, 0)]
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
