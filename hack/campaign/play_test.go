package campaign_test

import (
	"cmp"
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

const (
	// patience is how much virtual time there is to come to rest, and quietTime for how long it must then stay so:
	// more than three polls.
	patience  = 3 * time.Hour
	quietTime = 3*pollInterval + 10*time.Second
	// storm is for how long after the trigger effects are counted: until then everything is over when nothing fails.
	storm = 30 * time.Second
)

// play runs one schedule.
func play(s schedule) result {
	f, ok := flowNamed(s.flow)
	if !ok {
		return result{broken: []string{"there is no flow " + s.flow}}
	}
	return inWorld(s.hub, func(w *world) int {
		w.watch.flow = f
		if f.before != nil {
			f.before(w)
			if !f.open {
				w.run(restTime)
			}
		}
		if len(w.broken) > 0 {
			w.violated("before the trigger", "there is something wrong already")
			return 0
		}
		w.arm(s)
		f.trigger(w)
		return w.rest()
	})
}

// inWorld runs something in a new world with the Hub of that name, and tells how that ends.
func inWorld(hub string, do func(*world) (points int)) (r result) {
	w := newWorld()
	defer w.hub.Close()
	defer func() {
		caught := recover()
		if harness, ok := caught.(harnessError); ok {
			w.violated("the harness failed", "%v", harness)
		} else if caught != nil {
			panic(caught)
		}
		r.broken, r.trace = w.broken, w.gate.trace
		r.redefined, r.doubts = w.watch.redefined, w.watch.doubts
	}()
	w.playHub(hub)
	r.points = do(w)
	w.bury(w.in)
	return r
}

// mostQuiet is how many calls there may be in a quiet time: listings of each key, and a look each minute at what a
// resource waits for.
func (w *world) mostQuiet() int {
	perPage, calls := cmp.Or(w.hub.Variants().MaxLimit, hub.MaxPageLimit)-1, 2*len(w.watch.living)
	for _, app := range w.apiKeys {
		calls += len(w.hub.Webhooks(app))/perPage + 2
	}
	return calls * (int(quietTime/pollInterval) + 2)
}

// rest lets time pass until what is wanted is there and stays, and tells how many effects that took.
func (w *world) rest() int {
	begun := w.clock.now
	w.run(storm)
	for !w.over() {
		if wrong := w.unfinished(); wrong == "" && !w.over() {
			break
		} else if w.clock.now.Sub(begun) > patience {
			w.violated("rest", "%s after %s", wrong, patience)
			break
		}
		w.run(storm)
	}
	points := len(w.gate.trace)
	// What has just died may have said so with its last write, and its successor sees that late.
	w.run(lagTime)
	before, revision, mutations := len(w.gate.trace), w.store.Revision(), len(w.hub.Mutations())
	if w.run(quietTime); w.over() {
		return points
	}
	if calls := len(w.gate.trace) - before; calls > w.mostQuiet() {
		w.violated("L1", "%d calls in %s though there is nothing to do", calls, quietTime)
	}
	// What was still to be done, such as the end of an overlap, may come to be done; but not for ever.
	for range 20 {
		if w.store.Revision() == revision && len(w.hub.Mutations()) == mutations {
			break
		}
		revision, mutations = w.store.Revision(), len(w.hub.Mutations())
		if w.run(quietTime); w.over() {
			return points
		}
	}
	if w.store.Revision() != revision || len(w.hub.Mutations()) != mutations {
		w.violated("L1", "it goes on writing or calling though there is nothing to do")
	}
	if wrong := w.unfinished(); wrong != "" {
		w.violated("rest", "it was there and went: %s", wrong)
	}
	w.checkOrphaned(true)
	w.checkL3()
	return points
}
