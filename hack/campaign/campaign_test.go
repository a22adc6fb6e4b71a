// Package campaign_test runs the real operator, one step after the other on a clock that stands still, against an API
// server and a Hub in memory, and lets every call that leaves it go wrong in every way: it dies before the call or
// before the answer, the answer is lost, the call is refused, carried out late, and so on. After every call the
// invariants of the design must hold, and in the end everything must come to rest as it is declared.
//
// By itself it runs all single faults with a fresh cache. CAMPAIGN=whole adds caches that are behind, and a death at
// every point of what follows a fault. CAMPAIGN_REPLAY=flow/reads/faults runs one and tells its trace.
package campaign_test

import (
	"os"
	"strings"
	"testing"
	"time"
)

const (
	// patience is how much virtual time there is to come to rest, and quietTime for how long it must then stay so:
	// more than three polls.
	patience  = 3 * time.Hour
	quietTime = 3*pollInterval + 10*time.Second
	// storm is for how long after the trigger effects are counted: until then everything is over when nothing fails.
	storm = 30 * time.Second
)

// result is what a run came to.
type result struct {
	broken []string
	trace  []*effect
	// points is how many effects there were until it came to rest.
	points int
}

// play runs one schedule.
func play(s schedule) (r result) {
	f, ok := flowNamed(s.flow)
	if !ok {
		return result{broken: []string{"there is no flow " + s.flow}}
	}
	w := newWorld()
	defer w.hub.Close()
	defer func() {
		caught := recover()
		if harness, ok := caught.(harnessError); !ok && caught != nil {
			panic(caught)
		} else if ok {
			r = result{broken: append(w.broken, "the harness failed: "+harness.Error()), trace: w.gate.trace}
		}
	}()
	if f.before != nil {
		f.before(w)
		if f.name != "delete-open-create" {
			w.run(20 * time.Second)
		}
	}
	if len(w.broken) > 0 {
		return result{broken: append(w.broken, "before the trigger")}
	}
	w.watch.flow = f
	w.arm(s)
	f.trigger(w)
	r.points = w.rest()
	r.broken, r.trace = w.broken, w.gate.trace
	return r
}

// rest lets time pass until what is wanted is there and stays, and tells how many effects that took.
func (w *world) rest() int {
	begun := w.clock.now
	w.run(storm)
	for len(w.broken) == 0 {
		if wrong := w.unfinished(); wrong == "" && len(w.broken) == 0 {
			break
		} else if w.clock.now.Sub(begun) > patience {
			w.violated("rest", "%s after %s", wrong, patience)
			break
		}
		w.run(storm)
	}
	points, revision, mutations := len(w.gate.trace), w.store.Revision(), len(w.hub.Mutations())
	if w.run(quietTime); len(w.broken) > 0 {
		return points
	}
	// What was still to be done, such as the end of an overlap, may come to be done; but not for ever.
	for range 20 {
		if w.store.Revision() == revision && len(w.hub.Mutations()) == mutations {
			break
		}
		revision, mutations = w.store.Revision(), len(w.hub.Mutations())
		w.run(quietTime)
	}
	if w.store.Revision() != revision || len(w.hub.Mutations()) != mutations {
		w.violated("L1", "it goes on writing or calling though there is nothing to do")
	}
	if wrong := w.unfinished(); wrong != "" {
		w.violated("rest", "it was there and went: %s", wrong)
	}
	if w.watch.redefined > 2+w.watch.doubts {
		w.violated("L3", "%d redefinitions for %d doubts", w.watch.redefined, w.watch.doubts)
	}
	return points
}

// report tells of a run that failed, in a form that can be played again.
func (r result) report(s schedule) string {
	lines := []string{"CAMPAIGN_REPLAY=" + s.String()}
	for _, e := range r.trace {
		lines = append(lines, e.String())
	}
	return strings.Join(append(lines, r.broken...), "\n")
}

// tally counts what a campaign did.
type tally struct{ schedules, failed, points int }

// run plays a schedule and, while there may be more faults, all those with one more at every point after.
func (n *tally) run(t *testing.T, s schedule, more func(depth int, e *effect) []action) {
	t.Helper()
	r := play(s)
	n.schedules++
	n.points += r.points
	if len(r.broken) > 0 {
		n.failed++
		t.Errorf("%s", r.report(s))
		return
	}
	first := 0
	if len(s.faults) > 0 {
		first = s.faults[len(s.faults)-1].at
	}
	for _, e := range r.trace[first:max(r.points, first)] {
		for _, a := range more(len(s.faults), e) {
			n.run(t, s.with(fault{e.number, a}), more)
		}
	}
}

// single lets every effect go wrong once, in every way.
func single(depth int, e *effect) []action {
	if depth > 0 {
		return nil
	}
	return e.of
}

// double lets the process die at every point of what follows, too.
func double(depth int, e *effect) []action {
	switch depth {
	case 0:
		return e.of
	case 1:
		return kills
	}
	return nil
}

func TestCampaign(t *testing.T) {
	if replay := os.Getenv("CAMPAIGN_REPLAY"); replay != "" {
		s, err := parseSchedule(replay)
		if err != nil {
			t.Fatal(err)
		}
		r := play(s)
		t.Log(r.report(s))
		if len(r.broken) > 0 {
			t.Fail()
		}
		return
	}
	more, behind := single, []reads{fresh}
	if os.Getenv("CAMPAIGN") == "whole" {
		more, behind = double, []reads{fresh, lagging, frozen}
	}
	for _, f := range flows {
		t.Run(f.name, func(t *testing.T) {
			var n tally
			began := time.Now()
			for _, reads := range behind {
				n.run(t, schedule{flow: f.name, reads: reads}, more)
			}
			took := time.Since(began)
			t.Logf("%d schedules, %d failed, %d effects, %s (%s each)", n.schedules, n.failed, n.points,
				took.Round(time.Millisecond), (took / time.Duration(n.schedules)).Round(time.Microsecond))
		})
	}
}
