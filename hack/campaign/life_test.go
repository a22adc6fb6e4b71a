package campaign_test

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/campaign/store"
)

const (
	// lagTime is how long the cache stays behind, longer than anything takes to settle.
	lagTime = 10 * time.Second
	// sleepTime is how long a process sleeps in the middle of a call that is then carried out, less than settleTime,
	// and comaTime how long when the call has expired by then.
	sleepTime, comaTime = 4 * time.Second, 40 * time.Second
	// lastSteps is how many steps a process takes after it woke, until it learns that another one leads.
	lastSteps = 3
	// mostSteps is more than any run takes.
	mostSteps = 20_000
)

// arm begins what the flow is about: effects count from here.
func (w *world) arm(s schedule) {
	w.trigger = w.store.Revision()
	w.gate.armed, w.reads = true, s.reads
	for _, f := range s.faults {
		w.gate.faults[f.at] = f.is
	}
	w.hub.ClearRequests()
	w.delay(w.in.view)
}

// kinds are what the operator has in its cache.
var kinds = []client.Object{&v1alpha1.Chatt2Webhook{}, &corev1.Secret{}, &corev1.ConfigMap{}}

// delay lets a view be behind, for as long as caches may be.
func (w *world) delay(view *store.View) {
	lag := map[reads]store.Lag{lagging: 1, frozen: store.Frozen}
	if w.reads == fresh {
		return
	}
	w.setLag(view, lag[w.reads])
	w.clock.after(lagTime, func() { w.setLag(view, store.Fresh) })
}

func (w *world) setLag(view *store.View, lag store.Lag) {
	for _, kind := range kinds {
		w.must(view.SetLag(kind, lag))
	}
}

// restart ends the life of the operator and begins another one a moment later.
func (w *world) restart() {
	w.bury(w.in)
	w.clock.pass(time.Second)
	w.succeed()
}

// bury ends a life, and records what only it knew.
func (w *world) bury(in *incarnation) {
	in.dead = true
	w.checkMetrics(in)
	w.checkOrphaned(false)
	w.watch.doubts++
}

// asked reports whether a user has ever asked for a look at a resource that lives.
func (w *world) asked() bool {
	for _, of := range w.watch.living {
		if of.object.Annotations[v1alpha1.AnnotationReconcileRequestedAt] != "" {
			return true
		}
	}
	return false
}

// succeed begins a life.
func (w *world) succeed() {
	// A cache that is behind begins with the past.
	revision := map[reads]int64{fresh: w.store.Revision(), lagging: 0, frozen: w.trigger}[w.reads]
	lag := store.Fresh
	if w.reads == lagging {
		lag = 1
	}
	if w.reads != fresh && w.asked() {
		w.watch.repaired = w.clock.now // a look that was answered is asked for again
	}
	view := w.store.View(revision, lag)
	w.in = w.start(view)
	w.delay(view)
}

// suspend has a life stand still while another one leads. Who is asleep already is not woken for that.
func (w *world) suspend(in *incarnation, d time.Duration) {
	if in != w.in || in.asleep {
		in.dead = true
		return
	}
	in.asleep = true
	w.setLag(in.view, store.Frozen)
	w.gate.acting = nil
	w.watch.doubts++
	w.clock.pass(time.Second)
	w.succeed()
	w.run(d)
	w.overlapUntil = w.clock.now.Add(noticeTime)
	w.gate.acting = in
}

// wakes lets a life that slept take its last steps, of which it does not know that they are, and die.
func (w *world) wakes(in *incarnation) {
	for range lastSteps {
		j, due := in.next()
		if due.IsZero() || due.After(w.clock.now) || in.dead {
			break
		}
		w.gate.acting = in
		in.work(j)
		w.gate.acting = nil
		w.check()
	}
	w.bury(in)
}

// advance does the next thing that is due until a time, and reports whether there was one.
func (w *world) advance(until time.Time) bool {
	w.steps++
	in := w.in
	if w.collects {
		_, err := w.store.CollectGarbage(w.ctx)
		w.must(err)
		w.must(w.store.EmptyNamespaces(w.ctx))
		w.check()
	}
	in.deliver()
	j, due := in.next()
	at := sooner(sooner(due, in.steps), w.clock.next())
	if at.IsZero() || at.After(until) {
		w.clock.reach(until)
		return false
	}
	w.clock.reach(at)
	w.clock.ring()
	w.gate.acting = in
	if !due.IsZero() && !due.After(w.clock.now) {
		in.work(j)
	}
	if !in.dead {
		in.connect()
	}
	w.gate.acting = nil
	switch {
	case in.asleep:
		w.wakes(in)
	case in.dead:
		w.restart()
	}
	w.check()
	return true
}

// run lets time pass.
func (w *world) run(d time.Duration) {
	for until := w.clock.now.Add(d); w.advance(until) && !w.over(); {
		if w.steps > mostSteps {
			w.violated("L1", "it does not come to rest")
		}
	}
}
