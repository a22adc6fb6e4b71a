package campaign_test

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
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
	world      *world
	view       *store.View
	reconciler *controller.Reconciler
	guard      *controller.APIKeyGuard
	pool       *connection.Pool
	registry   *prometheus.Registry
	// due is when what is to be worked on; failures are how often in a row that failed.
	due      map[job]time.Time
	failures map[job]int
	// steps is when connections are to be stepped again, zero for when there is news.
	steps time.Time
}

// job is something to work on: a resource, or for the guard a Secret.
type job struct {
	guard bool
	name  types.NamespacedName
}

// start begins a new life that sees what view shows.
func (w *world) start(view *store.View) *incarnation {
	in := &incarnation{
		world: w, view: view, registry: prometheus.NewRegistry(),
		due: map[job]time.Time{}, failures: map[job]int{}, steps: w.clock.now,
	}
	view.Transform = controller.Strip
	w.must(controller.IndexResources(w.ctx, view))
	options := controller.Options{
		Settings: plan.Settings{
			SettleTime: settleTime, OrphanAfter: orphanAfter, PollInterval: pollInterval, ActingSince: w.clock.now,
		},
		MaxConcurrentReconciles: 1, WatchSecrets: true, ProtectAPIKeySecrets: true,
	}
	metrics := controller.NewMetrics(in.registry)
	in.pool = connection.NewPool(connection.Config{
		QPS: 10, Burst: 20, PollInterval: pollInterval, Now: w.clock.Now,
		Jitter: func(d time.Duration) time.Duration { return d }, Wake: in.wake, Lanes: connection.NewLanes(1),
		Metrics: metrics.OfConnections(),
	}, func(key hub.Secret) (*hub.Client, error) {
		return hub.New(hub.Config{
			BaseURL: "https://hub.example", APIKey: key, Transport: w.gate, UserAgent: controller.Name, Now: w.clock.Now,
		})
	})
	in.reconciler = &controller.Reconciler{
		Client: view.Client(), Live: w.store.Live(), Pool: in.pool, Recorder: recorder{w}, Metrics: metrics,
		Now: w.clock.Now, Options: options,
	}
	in.guard = &controller.APIKeyGuard{Client: view.Client(), Live: w.store.Live(), Options: options}
	return in
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

// deliver routes what the view has come to show, as the watches of the operator do.
func (in *incarnation) deliver() {
	secret, configMap := metadataOf("Secret"), metadataOf("ConfigMap")
	events, err := in.view.Events(&v1alpha1.Chatt2Webhook{}, secret, configMap)
	in.world.must(err)
	for _, e := range events {
		switch e.Kind.Kind {
		case "Secret":
			in.secretEvent(e)
		case "ConfigMap":
			in.enqueueReferring((*v1alpha1.Chatt2Webhook).ConfigMapNames, e.Key)
		default:
			in.resourceEvent(e)
		}
	}
}

func metadataOf(kind string) *metav1.PartialObjectMetadata {
	m := &metav1.PartialObjectMetadata{}
	m.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(kind))
	return m
}

func (in *incarnation) secretEvent(e store.Event) {
	in.enqueueReferring((*v1alpha1.Chatt2Webhook).SecretNames, e.Key)
	object := e.New
	if object == nil {
		object = e.Old
	}
	if e.New != nil && slices.Contains(e.New.GetFinalizers(), v1alpha1.APIKeyFinalizer) {
		in.enqueue(job{true, e.Key}, 0)
	}
	if owner := metav1.GetControllerOf(object); owner != nil && !in.isOwn(object) {
		in.enqueue(job{name: types.NamespacedName{Namespace: e.Key.Namespace, Name: owner.Name}}, 0)
	}
}

func (in *incarnation) enqueueReferring(names func(*v1alpha1.Chatt2Webhook) []string, to types.NamespacedName) {
	var all v1alpha1.Chatt2WebhookList
	in.world.must(in.view.List(in.world.ctx, &all, client.InNamespace(to.Namespace)))
	for i := range all.Items {
		if slices.Contains(names(&all.Items[i]), to.Name) {
			in.enqueue(job{name: client.ObjectKeyFromObject(&all.Items[i])}, 0)
		}
	}
}

func (in *incarnation) isOwn(object client.Object) bool {
	return in.world.gate.own[object.GetResourceVersion()]
}

// foreignStatusDelay is that of the operator.
const foreignStatusDelay = 10 * time.Second

func (in *incarnation) resourceEvent(e store.Event) {
	me := job{name: e.Key}
	before, _ := e.Old.(*v1alpha1.Chatt2Webhook)
	after, _ := e.New.(*v1alpha1.Chatt2Webhook)
	switch {
	case e.Type == watch.Deleted:
		in.enqueue(me, 0)
		in.enqueue(job{true, types.NamespacedName{
			Namespace: e.Key.Namespace, Name: before.Spec.APIKeySecretRef.Name,
		}}, time.Second)
	case e.Type == watch.Added:
		in.enqueue(me, 0)
	case !in.isOwn(after) && worthALook(before, after):
		in.enqueue(me, 0)
	case !in.isOwn(after) && !equality.Semantic.DeepEqual(before.Status, after.Status):
		in.enqueue(me, foreignStatusDelay)
	}
	if before != nil && after != nil && before.Spec.APIKeySecretRef.Name != after.Spec.APIKeySecretRef.Name {
		in.enqueue(job{true, types.NamespacedName{
			Namespace: e.Key.Namespace, Name: before.Spec.APIKeySecretRef.Name,
		}}, time.Second)
	}
}

// worthALook is the predicate of the operator for changes that others made.
func worthALook(before, after *v1alpha1.Chatt2Webhook) bool {
	return before.Generation != after.Generation ||
		before.DeletionTimestamp.IsZero() != after.DeletionTimestamp.IsZero() ||
		!maps.Equal(before.Annotations, after.Annotations) || !slices.Equal(before.Finalizers, after.Finalizers) ||
		after.Status.ObservedGeneration < before.Status.ObservedGeneration ||
		len(after.Status.Conditions) < len(before.Status.Conditions) || before.Status.WebhookID != after.Status.WebhookID
}

// next is what is due first, and when.
func (in *incarnation) next() (job, time.Time) {
	jobs := slices.SortedFunc(maps.Keys(in.due), func(a, b job) int {
		return cmp.Or(in.due[a].Compare(in.due[b]), cmp.Compare(a.name.String(), b.name.String()),
			cmp.Compare(len(a.name.Name), len(b.name.Name)))
	})
	if len(jobs) == 0 {
		return job{}, time.Time{}
	}
	return jobs[0], in.due[jobs[0]]
}

// work takes one step, as the queue of controller-runtime has it taken.
func (in *incarnation) work(j job) {
	delete(in.due, j)
	var reconciler interface {
		Reconcile(context.Context, reconcile.Request) (reconcile.Result, error)
	} = in.reconciler
	if j.guard {
		reconciler = in.guard
	}
	result, err := reconciler.Reconcile(in.world.ctx, reconcile.Request{NamespacedName: j.name})
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

// connect lets the connections do what is due.
func (in *incarnation) connect() {
	in.steps = time.Time{}
	for _, key := range in.world.apiKeys {
		c, err := in.pool.For(hub.NewSecret(key))
		in.world.must(err)
		for range 50 {
			next := sooner(c.StepBudget(), c.StepListing(in.world.ctx))
			if next.IsZero() || in.world.gate.dead {
				break
			}
			if next.After(in.world.clock.now) {
				in.steps = sooner(in.steps, next)
				break
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
