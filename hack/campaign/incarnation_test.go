package campaign_test

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/campaign/store"
	"github.com/chatt2me/webhook-operator/internal/controller"
	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/hub/connection"
	"github.com/chatt2me/webhook-operator/internal/plan"
)

const (
	settleTime   = 6 * time.Second
	orphanAfter  = 15 * time.Minute
	pollInterval = time.Minute
)

// incarnation is one life of the operator: what it remembers, what it sees and what it is about to do.
type incarnation struct {
	world *world
	// life counts lives from 0.
	life       int
	view       *store.View
	reconciler *controller.Reconciler
	guard      *controller.APIKeyGuard
	pool       *connection.Pool
	registry   *prometheus.Registry
	// dead: nothing that it does has an effect any more. expired: neither has what is left of the step under way.
	// asleep: it stands still in the middle of a call.
	dead, expired, asleep bool
	// own are the versions that it knows its writes to have made.
	own map[string]bool
	// due is when what is to be worked on; failures are how often in a row that failed.
	due      map[job]time.Time
	failures map[job]int
	// steps is when connections are to be stepped again, zero for when there is news.
	steps time.Time
	// uid is the resource that is worked on, seen how the cache shows it when the step begins, nil for none.
	uid  types.UID
	seen *v1alpha1.Chatt2Webhook
	// refusedAt is when the Hub last refused what it was to change.
	refusedAt time.Time
	// keys is what it was told of API keys.
	keys map[string]*keyState
	// shown is of which webhooks the Hub showed it last that they are verified, or are not.
	shown map[string]bool
}

// job is something to work on: a resource, or for the guard a Secret.
type job struct {
	guard bool
	name  types.NamespacedName
}

// start begins a new life that sees what view shows.
func (w *world) start(view *store.View) *incarnation {
	in := &incarnation{
		world: w, life: len(w.lives), view: view, registry: prometheus.NewRegistry(), own: map[string]bool{},
		due: map[job]time.Time{}, failures: map[job]int{}, steps: w.clock.now, keys: map[string]*keyState{},
		shown: map[string]bool{},
	}
	w.lives = append(w.lives, in)
	view.Transform = controller.Strip
	w.must(controller.IndexResources(w.ctx, view))
	w.must(controller.IndexSecrets(w.ctx, view))
	options := controller.Options{
		Settings: plan.Settings{
			SettleTime: settleTime, OrphanAfter: orphanAfter, PollInterval: pollInterval, ActingSince: w.clock.now,
		},
		MaxConcurrentReconciles: 1, WatchSecrets: true, ProtectAPIKeySecrets: true,
	}
	metrics := controller.NewMetrics(in.registry)
	in.pool = connection.NewPool(connection.Config{
		QPS: w.qps, Burst: w.burst, PollInterval: pollInterval, Now: w.clock.Now,
		Jitter: func(d time.Duration) time.Duration { return d }, Wake: in.wake, Lanes: connection.NewLanes(1),
		Metrics: metrics.OfConnections(),
	}, func(key hub.Secret) (*hub.Client, error) {
		return hub.New(hub.Config{
			BaseURL: "https://hub.example", APIKey: key, Transport: transport{in}, UserAgent: controller.Name,
			Now: w.clock.Now,
		})
	})
	in.reconciler = &controller.Reconciler{
		Client: view.Client(), Live: w.store.Live(), Pool: in.pool, Recorder: recorder{in}, Metrics: metrics,
		Now: w.clock.Now, Options: options,
	}
	in.guard = &controller.APIKeyGuard{
		Client: view.Client(), Live: w.store.Live(), Recorder: recorder{in}, Now: w.clock.Now, Options: options,
	}
	return in
}

// natural is what a webhook is recognised by.
func natural(c *v1alpha1.Chatt2Webhook) string {
	return strings.Join([]string{
		normalLabel(c.Spec.Label), normalEndpoint(c.Spec.Endpoint), string(c.Spec.EventType),
	}, "\x00")
}

// ended is what every call of a life ends with that is over, or of a step that took too long.
func (in *incarnation) ended() error {
	switch {
	case in.dead:
		return errDead
	case in.expired:
		return context.DeadlineExceeded
	}
	return nil
}

// wake is how connections have resources looked at.
func (in *incarnation) wake(subjects []connection.Subject, _ connection.Urgency) {
	for _, s := range subjects {
		var name types.NamespacedName
		name.Namespace, name.Name, _ = strings.Cut(string(s), "/")
		in.enqueue(job{name: name}, 0)
	}
}

// enqueue has something worked on after a while, or sooner if that is due already.
func (in *incarnation) enqueue(j job, after time.Duration) {
	at := in.world.clock.now.Add(after)
	if known, ok := in.due[j]; !ok || at.Before(known) {
		in.due[j] = at
	}
}

// next is what is due first, and when.
func (in *incarnation) next() (first job, at time.Time) {
	for j, due := range in.due {
		if at.IsZero() || cmp.Or(due.Compare(at), compareJobs(j, first)) < 0 {
			first, at = j, due
		}
	}
	return first, at
}

func compareJobs(a, b job) int {
	if a.guard != b.guard {
		if b.guard {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(a.name.Namespace, b.name.Namespace), cmp.Compare(a.name.Name, b.name.Name))
}

// work takes one step, as the queue of controller-runtime has it taken.
func (in *incarnation) work(j job) {
	delete(in.due, j)
	in.see(j)
	defer func() { in.uid, in.seen, in.expired = "", nil, false }()
	var result reconcile.Result
	var err error
	if j.guard {
		result, err = in.guard.Reconcile(in.world.ctx, reconcile.Request{NamespacedName: j.name})
	} else {
		result, err = in.reconciler.Reconcile(in.world.ctx, reconcile.Request{NamespacedName: j.name})
	}
	switch {
	case err != nil:
		in.enqueue(j, min(time.Second<<min(in.failures[j], 10), 5*time.Minute))
		in.failures[j]++
	case result.RequeueAfter > 0:
		delete(in.failures, j)
		in.enqueue(j, result.RequeueAfter)
	default:
		delete(in.failures, j)
	}
}

// see records what the cache shows of what is worked on.
func (in *incarnation) see(j job) {
	c := &v1alpha1.Chatt2Webhook{}
	if err := in.view.Get(in.world.ctx, j.name, c); err == nil && !j.guard {
		in.uid, in.seen = c.UID, c
	}
}

// connect lets the connections do what is due.
func (in *incarnation) connect() {
	in.steps = time.Time{}
	defer func() { in.expired = false }()
	for _, key := range slices.Sorted(maps.Keys(in.world.apiKeys)) {
		c, err := in.pool.For(hub.NewSecret(key))
		in.world.must(err)
		// What one of them does is news for the others: only when none has anything twice there is nothing.
		for idle := 0; idle < 2 && !in.dead; idle++ {
			next := sooner(sooner(c.StepListing(in.world.ctx), c.StepObservations(in.world.ctx)), c.StepBudget())
			if next.After(in.world.clock.now) {
				in.steps = sooner(in.steps, next)
				break
			}
			if !next.IsZero() {
				idle = -1
			}
		}
	}
}

// sooner is the earlier of two times, of which the zero time is none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
