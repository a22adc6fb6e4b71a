package controller

import (
	"context"
	"errors"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/connection"
)

// The indexes of the cache: of resources unless stated otherwise.
const (
	// indexWebhookID and indexNatural hold buckets: what a look-up finds need not be what was looked for.
	indexWebhookID = "webhook-id"
	indexNatural   = "natural"
	indexSecret    = "secret"
	indexConfigMap = "configmap"
	indexAPIKey    = "api-key"
	// indexSigning holds buckets of the names of signing Secrets.
	indexSigning = "signing-secret"
	// indexOwner is of Secrets: by buckets of the resource that controls them.
	indexOwner = "owner"
)

// fieldWebhookID and fieldEndpoint are the selectable fields by which the API server is asked who has a webhook, and
// who declares one.
const (
	fieldWebhookID = "status.webhookID"
	fieldEndpoint  = "spec.endpoint"
)

// buckets is how many values there are of an index of what is unique to each resource. A value of its own would cost a
// resource more than half a kilobyte in each index; so a look-up meets a few resources in vain.
const buckets = 1 << 10

// Failures at the API server are retried after a second, with back-off.
const (
	firstRetry = time.Second
	lastRetry  = 5 * time.Minute
)

// requestQueue is the queue of a controller.
type requestQueue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// SetupWithManager lets the manager run the reconciler: once it leads, resources are worked on when they, something
// they refer to, or their webhook on the Hub changed.
func (r *Reconciler) SetupWithManager(mgr manager.Manager, wakes *Wakes) error {
	if err := IndexResources(context.Background(), mgr.GetFieldIndexer()); err != nil {
		return err
	}
	if r.Options.WatchSecrets {
		if err := IndexSecrets(context.Background(), mgr.GetFieldIndexer()); err != nil {
			return err
		}
	}
	// A replica that does not lead fills this cache too, as the indexes make it fill the others. Otherwise it would
	// cease to be ready when it begins to lead.
	if _, err := mgr.GetCache().GetInformer(
		context.Background(), metadataOf("ConfigMap"), cache.BlockUntilSynced(false)); err != nil {
		return err
	}
	b := builder.ControllerManagedBy(mgr).
		For(&v1alpha1.Chatt2Webhook{}, builder.WithPredicates(worthReconciling(), r.resources.ofOthers())).
		Watches(&v1alpha1.Chatt2Webhook{}, handler.EnqueueRequestsFromMapFunc(r.siblings),
			builder.WithPredicates(rivalry())).
		Watches(&v1alpha1.Chatt2Webhook{}, handler.Funcs{UpdateFunc: r.enqueueForeignStatus}).
		Watches(&corev1.ConfigMap{}, inWaves(r.referring(indexConfigMap)), builder.OnlyMetadata).
		WatchesRawSource(source.Func(func(_ context.Context, queue requestQueue) error {
			// A source starts when this process leads: from now on it acts.
			r.Options.Settings.ActingSince = r.Now()
			return wakes.to(queue)
		})).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: r.Options.MaxConcurrentReconciles,
			UsePriorityQueue:        new(true),
			RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](
				firstRetry, lastRetry),
		})
	if r.Options.WatchSecrets {
		b = b.Watches(&corev1.Secret{}, inWaves(r.referring(indexSecret)), builder.OnlyMetadata).
			Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.signsWith), builder.OnlyMetadata,
				builder.WithPredicates(r.secrets.ofOthers())).
			Owns(&corev1.Secret{}, builder.OnlyMetadata, builder.WithPredicates(r.secrets.ofOthers()))
	}
	return b.Complete(r)
}

// foreignStatusDelay is how soon a resource is reconciled whose status another client wrote: late enough that two that
// write the same status do not chase each other.
const foreignStatusDelay = 10 * time.Second

// enqueueForeignStatus enqueues a resource whose status another client has written.
func (r *Reconciler) enqueueForeignStatus(_ context.Context, e event.UpdateEvent, queue requestQueue) {
	before, after, ok := pair(e)
	if !ok || equality.Semantic.DeepEqual(before.Status, after.Status) {
		return
	}
	if !r.resources.isOwn(after) {
		queue.AddAfter(reconcile.Request{NamespacedName: client.ObjectKeyFromObject(after)}, foreignStatusDelay)
	}
}

// IndexResources makes the indexes of resources that the reconciler looks things up by.
func IndexResources(ctx context.Context, in client.FieldIndexer) error {
	var failed []error
	for name, of := range map[string]func(*v1alpha1.Chatt2Webhook) []string{
		indexWebhookID: func(w *v1alpha1.Chatt2Webhook) []string { return []string{bucket(w.Status.WebhookID)} },
		indexNatural:   func(w *v1alpha1.Chatt2Webhook) []string { return []string{naturalBucket(natural(w))} },
		indexSecret:    func(w *v1alpha1.Chatt2Webhook) []string { return unique(w.SecretNames()) },
		indexConfigMap: func(w *v1alpha1.Chatt2Webhook) []string { return unique(w.ConfigMapNames()) },
		indexAPIKey:    func(w *v1alpha1.Chatt2Webhook) []string { return []string{w.Spec.APIKeySecretRef.Name} },
		indexSigning: func(w *v1alpha1.Chatt2Webhook) []string {
			if !w.Spec.RequiresSignature {
				return nil
			}
			return []string{bucket(w.SigningSecretName())}
		},
	} {
		failed = append(failed, in.IndexField(ctx, &v1alpha1.Chatt2Webhook{}, name,
			func(object client.Object) []string {
				w, _ := object.(*v1alpha1.Chatt2Webhook)
				return of(w)
			}))
	}
	return errors.Join(failed...)
}

// IndexSecrets makes the index that the signing Secrets of a resource are looked up by. It has Secrets watched.
func IndexSecrets(ctx context.Context, in client.FieldIndexer) error {
	return in.IndexField(ctx, secretMetadata(), indexOwner, func(object client.Object) []string {
		owner := metav1.GetControllerOfNoCopy(object)
		if owner == nil || owner.APIVersion != v1alpha1.GroupVersion.String() {
			return nil
		}
		return []string{bucket(string(owner.UID))}
	})
}

// bucket returns the bucket of an index that a webhook's id, or what it is recognised by, shares with others.
func bucket(texts ...string) string {
	h := fnv.New32a()
	for _, text := range texts {
		_, _ = h.Write([]byte(text)) // a hash takes everything
	}
	return strconv.Itoa(int(h.Sum32() % buckets))
}

func naturalBucket(key connection.NaturalKey) string {
	return bucket(key.Label, key.Endpoint, key.EventType)
}

func unique(names []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

// referring finds the resources that refer to a Secret or ConfigMap.
func (r *Reconciler) referring(index string) handler.MapFunc {
	return func(ctx context.Context, object client.Object) []reconcile.Request {
		all := func(*v1alpha1.Chatt2Webhook) bool { return true }
		return r.requests(ctx, all, client.InNamespace(object.GetNamespace()),
			client.MatchingFields{index: object.GetName()})
	}
}

// signsWith finds the resources whose signing Secret has the name of a Secret, whoever controls that: a Secret that
// is in their way may come and go.
func (r *Reconciler) signsWith(ctx context.Context, object client.Object) []reconcile.Request {
	return r.requests(ctx, func(w *v1alpha1.Chatt2Webhook) bool {
		return w.Spec.RequiresSignature && w.SigningSecretName() == object.GetName()
	}, client.InNamespace(object.GetNamespace()), client.MatchingFields{indexSigning: bucket(object.GetName())})
}

// inWaves enqueues the resources that reference a changed object: thousands may use one API key. At the start all are
// enqueued anyway.
func inWaves(of handler.MapFunc) handler.EventHandler {
	wake := func(ctx context.Context, object client.Object, queue requestQueue) {
		for place, request := range of(ctx, object) {
			queue.AddAfter(request, connection.Delay(place))
		}
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, queue requestQueue) {
			if !e.IsInInitialList {
				wake(ctx, e.Object, queue)
			}
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, queue requestQueue) {
			wake(ctx, e.ObjectNew, queue)
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, queue requestQueue) { wake(ctx, e.Object, queue) },
	}
}

// siblings finds the other resources that declare the same webhook or have it: one's end is another's chance.
func (r *Reconciler) siblings(ctx context.Context, object client.Object) []reconcile.Request {
	w, _ := object.(*v1alpha1.Chatt2Webhook)
	me := client.ObjectKeyFromObject(w)
	of := func(in client.MatchingFields, same func(*v1alpha1.Chatt2Webhook) bool) []reconcile.Request {
		return r.requests(ctx, func(other *v1alpha1.Chatt2Webhook) bool {
			return client.ObjectKeyFromObject(other) != me && same(other)
		}, in)
	}
	key := natural(w)
	others := of(client.MatchingFields{indexNatural: naturalBucket(key)}, func(other *v1alpha1.Chatt2Webhook) bool {
		return natural(other) == key
	})
	if id := w.Status.WebhookID; id != "" {
		others = append(others, of(client.MatchingFields{indexWebhookID: bucket(id)},
			func(other *v1alpha1.Chatt2Webhook) bool { return other.Status.WebhookID == id })...)
	}
	return others
}

// requests are for those resources in the cache that are wanted.
func (r *Reconciler) requests(
	ctx context.Context, wanted func(*v1alpha1.Chatt2Webhook) bool, which ...client.ListOption,
) []reconcile.Request {
	var found v1alpha1.Chatt2WebhookList
	// A list from the cache fails only when the index is not there, which a test would show.
	if err := r.Client.List(ctx, &found, append(which, client.UnsafeDisableDeepCopy)...); err != nil {
		return nil
	}
	requests := make([]reconcile.Request, 0, len(found.Items))
	for i := range found.Items {
		if w := &found.Items[i]; wanted(w) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(w)})
		}
	}
	return requests
}

// Wakes carries wake-ups from connections to the queue of the controller.
type Wakes struct {
	mu    sync.Mutex
	queue priorityqueue.PriorityQueue[reconcile.Request]
}

func (w *Wakes) to(queue requestQueue) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var ok bool
	if w.queue, ok = queue.(priorityqueue.PriorityQueue[reconcile.Request]); !ok {
		return errors.New("the queue of the controller knows no priorities")
	}
	return nil
}

// urgentPriority puts before everybody else who has a turn to make a call, for which others wait, and whose webhook is
// verified: registering the others may take long.
const urgentPriority = 1

// Wake enqueues subjects. Before the controller runs it does nothing.
func (w *Wakes) Wake(subjects []connection.Subject, urgency connection.Urgency) {
	w.mu.Lock()
	queue := w.queue
	w.mu.Unlock()
	if queue == nil {
		return
	}
	requests := make([]reconcile.Request, len(subjects))
	for i, s := range subjects {
		requests[i].Namespace, requests[i].Name, _ = strings.Cut(string(s), "/")
	}
	var options priorityqueue.AddOpts
	if urgency != connection.Usual {
		options.Priority = new(urgentPriority)
	}
	queue.AddWithOpts(options, requests...)
}
