package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

var someCalls = calls{
	{100, "listWebhooks", 200, 5},
	{101, "listWebhooks", 200, 3},
	{101, "createWebhook", 429, 2},
	{104, "listWebhooks", 200, 1},
	{108, "listWebhooks", 200, 9},
	{108, "createWebhook", 201, 1},
	{130, "updateWebhook", 0, 4},
}

func TestCallsAreChosenAndCounted(t *testing.T) {
	for name, c := range map[string]struct{ got, want int }{
		"all":       {someCalls.count(), 25},
		"throttled": {someCalls.throttled().count(), 2},
		"mutating":  {someCalls.mutating().count(), 7},
		"listings":  {someCalls.of("listWebhooks").count(), 18},
		"from":      {someCalls.from(104).count(), 15},
		"until":     {someCalls.until(104).count(), 10},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, want %d", name, c.got, c.want)
		}
	}
	want := map[string]int{"listWebhooks": 18, "createWebhook": 3, "updateWebhook": 4}
	if diff := cmp.Diff(want, someCalls.byOperation()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int{5, 5, 0, 0, 1}, someCalls.perSecond(100, 5)); diff != "" {
		t.Error(diff)
	}
}

func TestBurstsAreParted(t *testing.T) {
	// 101 to 104 is no gap, 104 to 108 is one.
	if diff := cmp.Diff([]int{11, 10, 4}, someCalls.bursts()); diff != "" {
		t.Error(diff)
	}
	if len(calls{}.bursts()) != 0 {
		t.Error("there is a burst of nothing")
	}
}

func TestAPartOfNothingIsNone(t *testing.T) {
	if share(1, 4) != 0.25 || share(3, 0) != 0 {
		t.Error("the share is wrong")
	}
}

func TestAListingNeedsOverlappingPages(t *testing.T) {
	for n, want := range map[int]int{2: 1, 50: 1, 51: 2, 99: 2, 100: 3, 1000: 21, 10_000: 205} {
		if got := leastListing(n); got != want {
			t.Errorf("%d webhooks need %d calls, not %d", n, want, got)
		}
	}
}
