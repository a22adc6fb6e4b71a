package campaign_test

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// tally counts what a campaign did.
type tally struct {
	mu        sync.Mutex
	schedules map[string]int // by flow
	effects   int
	failed    []string
	// diverged are runs that were not the schedule they were meant to be: delays of the operator have a random part.
	diverged []string
}

func newTally() *tally { return &tally{schedules: map[string]int{}} }

// mostTold is how many failures are told in full.
const mostTold = 5

// add counts a run, and reports whether it is worth going on from.
func (n *tally) add(what, replay string, r result) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if r.diverged != "" {
		n.diverged = append(n.diverged, replay+": "+r.diverged)
		return false
	}
	n.schedules[what]++
	n.effects += r.points
	if len(r.broken) > 0 {
		if len(n.failed) < mostTold {
			n.failed = append(n.failed, r.report(replay))
		} else {
			n.failed = append(n.failed, replay+" "+r.broken[0])
		}
	}
	return len(r.broken) == 0
}

func (n *tally) total() int {
	sum := 0
	for _, count := range n.schedules {
		sum += count
	}
	return sum
}

func (n *tally) failures() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.failed)
}

// tell tells what was counted.
func (n *tally) tell(t *testing.T, began time.Time) {
	t.Helper()
	for _, f := range n.failed {
		t.Error(f)
	}
	for _, d := range n.diverged[:min(len(n.diverged), mostTold)] {
		t.Log("diverged: ", d)
	}
	if len(n.diverged)*20 > n.total() {
		t.Errorf("%d of %d runs were not what they were meant to be", len(n.diverged), n.total())
	}
	t.Logf("%d schedules with %d effects in %s, %d failed; %d were not what they were meant to be",
		n.total(), n.effects, time.Since(began).Round(time.Second), len(n.failed), len(n.diverged))
}

// inParallel does something with the numbers under n, on all cores. Every run is a world of its own.
func inParallel(n int, do func(int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	all.Wait()
}

// extent is how much of all schedules of a flow is run.
type extent struct {
	flow  flow
	hub   string
	reads []reads
	// every: of the schedules with a fault, each so-manieth one.
	every int
	// which are the faults that are played, nil for all.
	which func(*effect, action) bool
	// twice tells what becomes of the effects after a first fault, nil for nothing.
	twice func(first schedule, e *effect) []action
}

// enumerate runs all schedules of an extent.
func (x extent) enumerate(n *tally) {
	var disturbed []schedule
	var parents []result
	for _, behind := range x.reads {
		s := schedule{flow: x.flow.name, hub: x.hub, reads: behind}
		r := play(s)
		n.add(s.flow, s.String(), r)
		for _, e := range r.trace[:r.points] {
			for _, a := range e.of {
				if x.which != nil && !x.which(e, a) {
					continue
				}
				disturbed, parents = append(disturbed, s.with(fault{e.number, a})), append(parents, r)
			}
		}
	}
	inParallel(len(disturbed), func(i int) {
		if i%x.every == 0 {
			x.descend(n, disturbed[i], parents[i])
		}
	})
}

// descend runs a schedule with one fault and, where there are to be two, those with another one after it.
func (x extent) descend(n *tally, s schedule, parent result) {
	r := play(s)
	r.follows(parent, s.faults[0].at)
	if !n.add(s.flow, s.String(), r) || x.twice == nil {
		return
	}
	for _, e := range r.trace[min(s.faults[0].at, r.points):r.points] {
		for _, a := range x.twice(s, e) {
			again := s.with(fault{e.number, a})
			second := play(again)
			second.follows(r, e.number)
			n.add(s.flow, again.String(), second)
		}
	}
}

// onlyUnknown are the faults of calls that change something on the Hub after which nobody knows whether they did.
func onlyUnknown(e *effect, a action) bool {
	return slices.Contains(e.of, tooSlow) && a.isOneOf(killAfter, lost, late)
}

// follows holds a run to the one it was derived from: up to the fault both are the same.
func (r *result) follows(parent result, fault int) {
	for i := range min(fault, len(r.trace)) {
		if !r.trace[i].same(parent.trace[i]) {
			r.diverged = fmt.Sprintf("%s was %s", r.trace[i], parent.trace[i])
			return
		}
	}
	if more := r.redefined - parent.redefined; more > r.doubts-parent.doubts && more > 0 {
		r.broken = append(r.broken, fmt.Sprintf("L3: %d redefinitions more for %d doubts more", more,
			r.doubts-parent.doubts))
	}
	if fault > len(r.trace) || r.trace[fault-1].became == pass {
		r.broken = append(r.broken, fmt.Sprintf("the schedule: the fault of effect %d was not reached", fault))
	}
}

// afterDeath is everything that can become of every effect of what follows a death; with a cache that is behind it is
// another death.
func afterDeath(s schedule, e *effect) []action {
	switch {
	case !s.faults[0].is.isOneOf(kills...):
		return nil
	case s.reads == fresh:
		return e.of
	}
	return slices.DeleteFunc(slices.Clone(e.of), func(a action) bool { return !a.isOneOf(kills...) })
}
