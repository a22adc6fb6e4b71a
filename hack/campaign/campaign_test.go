// Package campaign_test runs the real operator, one step after the other on a clock that stands still, against an API
// server and a Hub in memory, and lets every call that leaves it go wrong in every way: it dies before the call or
// before the answer, the answer is lost, the call is refused, carried out late, the process sleeps while another one
// leads, and so on. After every call the invariants of the design must hold, and in the end everything must come to
// rest as it is declared, and stay so.
//
// By itself it runs every flow with every single fault and a fresh cache, on Hubs that are otherwise than documented
// with each call to them of which nobody knows the end, and some random walks. CAMPAIGN=whole adds caches that are
// behind, and after a death every fault at every point of the recovery, or with a cache that is behind another death.
// CAMPAIGN=hubs adds every single fault on each Hub. CAMPAIGN_FLOWS=flow,flow and CAMPAIGN_HUBS=hub,hub restrict it to
// some. CAMPAIGN_SEEDS=n runs the random walks of so many seeds, from CAMPAIGN_SEED on.
// CAMPAIGN_REPLAY=flow/reads/faults or walk/seed/steps runs one and tells its trace.
package campaign_test

import (
	"cmp"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The least that is run: less is a defect of the enumeration.
const (
	leastQuick = 6_500
	leastWhole = 75_000
)

func TestMain(m *testing.M) {
	// Worlds are many and short: memory is cheaper than collecting it.
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}

func TestCampaign(t *testing.T) {
	if replayed(t) {
		return
	}
	n, began := newTally(), time.Now()
	least, behind, every := leastQuick, []reads{fresh}, 1
	var twice func(schedule, *effect) []action
	switch {
	case os.Getenv("CAMPAIGN") == "whole":
		least, behind, twice = leastWhole, []reads{fresh, lagging, frozen}, afterDeath
	case raceDetected:
		least, every = least/128, 96
	}
	for _, f := range chosenFlows() {
		x := extent{flow: f, reads: behind, every: every, twice: twice}
		if f.large {
			x.twice = nil
		}
		x.enumerate(n)
		t.Logf("%6d %s, until %s", n.schedules[f.name], f.name, time.Since(began).Round(time.Second))
	}
	enumerateHubs(t, n, every, began)
	n.tell(t, began)
	if n.total() < least && len(chosenFlows()) == len(flows) {
		t.Errorf("there were %d schedules, and no fewer than %d before", n.total(), least)
	}
}

// enumerateHubs runs every flow on the Hubs that are otherwise than documented.
func enumerateHubs(t *testing.T, n *tally, every int, began time.Time) {
	t.Helper()
	which := onlyUnknown
	if os.Getenv("CAMPAIGN") == "hubs" {
		which = nil
	}
	for _, hub := range chosenHubs() {
		before := n.total()
		for _, f := range chosenFlows() {
			extent{flow: f, hub: hub, reads: []reads{fresh}, every: every, which: which}.enumerate(n)
		}
		t.Logf("%6d on the Hub %s, until %s", n.total()-before, hub, time.Since(began).Round(time.Second))
	}
}

// chosenHubs are all Hubs but the documented one, or those that CAMPAIGN_HUBS names.
func chosenHubs() []string {
	if names := os.Getenv("CAMPAIGN_HUBS"); names != "" {
		return strings.Split(names, ",")
	}
	return otherHubs()
}

// chosenFlows are all flows, or those that CAMPAIGN_FLOWS names.
func chosenFlows() []flow {
	names := os.Getenv("CAMPAIGN_FLOWS")
	if names == "" {
		return flows
	}
	var chosen []flow
	for _, f := range flows {
		if slices.Contains(strings.Split(names, ","), f.name) {
			chosen = append(chosen, f)
		}
	}
	return chosen
}

// replayed runs what is asked for by CAMPAIGN_REPLAY, and reports whether anything is.
func replayed(t *testing.T) bool {
	t.Helper()
	replay := os.Getenv("CAMPAIGN_REPLAY")
	if replay == "" {
		return false
	}
	r, err := playAgain(replay)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(r.report(replay))
	if len(r.broken) > 0 {
		t.Fail()
	}
	return true
}

// playAgain runs what a replay says.
func playAgain(replay string) (result, error) {
	if strings.HasPrefix(replay, "walk/") || strings.HasPrefix(replay, "walk@") {
		k, err := parseWalk(replay)
		if err != nil {
			return result{}, err
		}
		return k.play(), nil
	}
	s, err := parseSchedule(replay)
	if err != nil {
		return result{}, err
	}
	return play(s), nil
}

// mostShrunk is how many walks that fail are reported in their shortest form, for that takes time.
const mostShrunk = 3

// modelledFaults is how many independent faults at once the operator guards against. A walk may need more of them to
// fail: it is reported, and is no failure.
const modelledFaults = 2

func TestWalks(t *testing.T) {
	if os.Getenv("CAMPAIGN_REPLAY") != "" {
		t.Skip("something else is played again")
	}
	seeds, first := 100, uint64(0)
	if raceDetected {
		seeds = 10
	}
	for name, is := range map[string]func(uint64){
		"CAMPAIGN_SEEDS": func(v uint64) { seeds = int(v) },
		"CAMPAIGN_SEED":  func(v uint64) { first = v },
	} {
		v, err := strconv.ParseUint(cmp.Or(os.Getenv(name), "0"), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if v > 0 {
			is(v)
		}
	}
	n, began := newTally(), time.Now()
	inParallel(seeds, func(i int) {
		k := walk{seed: first + uint64(i), hub: hubOfWalk(i)}
		r := k.play()
		if len(r.broken) > 0 && n.failures() < mostShrunk {
			k, r = k.shrink(r)
			if faults := k.faults(); faults > modelledFaults {
				t.Logf("%d independent faults: %s", faults, r.report(k.String()))
				r.broken = nil
			}
		}
		n.add("walk", k.String(), r)
	})
	n.tell(t, began)
}
