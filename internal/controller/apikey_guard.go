package controller

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// replaceGrace is how long a Secret that is being deleted is kept while no resource that references it is being
// deleted. `kubectl delete -f`, a cascade of Argo CD and the deletion of a namespace delete the Secret first, and the
// resources, which need the API key, a moment later.
const replaceGrace = 5 * time.Second

// flushTime is how long the release of unused Secrets may take when the process is asked to stop.
const flushTime = 5 * time.Second

// APIKeyGuard removes the in-use finalizer from Secrets with an API key. The step that first uses the key adds it.
//
// A resource needs the Secret to the end of its deletion: without the API key its webhook would stay on the Hub. So a
// Secret that is being deleted is kept while a resource that references it is being deleted, or the namespace is. A
// Secret that is being deleted while nothing else is, is being replaced: the finalizer is removed after replaceGrace,
// for `kubectl replace --force`, Flux with force and Argo CD with Force and Replace create the new Secret only when the
// old one is gone.
type APIKeyGuard struct {
	// Client writes, and reads from the cache.
	Client client.Client
	// Live reads from the API server, so that resources of other shards count.
	Live client.Reader
	// Recorder takes events.
	Recorder events.EventRecorder
	// Now is the clock.
	Now func() time.Time
	// Options are how the operator was started.
	Options Options

	mu     sync.Mutex
	usages usages
	// known is what a restart may lose: the times are taken from the first observation then.
	known map[types.NamespacedName]guarded
}

// guarded is what the guard remembers of a Secret that carries the finalizer and is unused or being deleted.
type guarded struct {
	// unusedSince is since when the cache shows no resource that references the Secret, zero while it shows one.
	unusedSince time.Time
	// quietSince is when the last sign was observed that resources which reference the Secret are being deleted, or the
	// deletion of the Secret itself; zero while that is not being deleted.
	quietSince time.Time
	// references is how many resources in the cache referenced the Secret at the last observation.
	references int
}

// Reconcile decides about one Secret.
func (g *APIKeyGuard) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	// As a step for a resource, this is brought to its end when the process is asked to stop.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), StepTime)
	defer cancel()
	secret, err := g.metadata(ctx, req.NamespacedName)
	if err != nil || !hasFinalizer(secret, v1alpha1.APIKeyFinalizer) {
		delete(g.known, req.NamespacedName)
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	most := int64(1) // thousands may reference it
	if !secret.DeletionTimestamp.IsZero() {
		most = 0
	}
	cached, err := g.cachedReferences(ctx, req.NamespacedName, most)
	if err != nil {
		return reconcile.Result{}, err
	}
	if len(cached) > 0 && secret.DeletionTimestamp.IsZero() {
		delete(g.known, req.NamespacedName)
		return reconcile.Result{}, nil // The cache can say that it is used; only the API server can say that it is not.
	}
	state := g.observe(secret, cached)
	switch wait := g.Now().Sub(state.quietSince.Add(replaceGrace)); {
	case slices.ContainsFunc(cached, needsAPIKey):
		return reconcile.Result{}, nil // Its end is the next event.
	case len(cached) > 0 && wait < 0:
		return reconcile.Result{RequeueAfter: -wait}, nil
	}
	return g.askServer(ctx, secret, state)
}

// observe updates what is remembered of a Secret that is unused or being deleted.
func (g *APIKeyGuard) observe(secret *metav1.PartialObjectMetadata, cached []v1alpha1.Chatt2Webhook) guarded {
	name := client.ObjectKeyFromObject(secret)
	state, now := g.known[name], g.Now()
	switch {
	case len(cached) > 0:
		state.unusedSince = time.Time{}
	case state.unusedSince.IsZero():
		state.unusedSince = now
	}
	switch {
	case secret.DeletionTimestamp.IsZero():
		// A Secret of another shard may have been known for long. The grace begins with its deletion.
		state.quietSince = time.Time{}
	case state.quietSince.IsZero() || slices.ContainsFunc(cached, needsAPIKey) || len(cached) < state.references:
		state.quietSince = now
	}
	state.references = len(cached)
	g.remember(name, state)
	return state
}

func (g *APIKeyGuard) remember(name types.NamespacedName, state guarded) {
	if g.known == nil {
		g.known = map[types.NamespacedName]guarded{}
	}
	g.known[name] = state
}

// askServer decides by what the API server shows of the resources that reference the Secret.
func (g *APIKeyGuard) askServer(
	ctx context.Context, secret *metav1.PartialObjectMetadata, state guarded,
) (reconcile.Result, error) {
	used, err := g.usages.of(ctx, g.Live, secret.Namespace, g.Now)
	if err != nil {
		return reconcile.Result{}, err
	}
	references := used.references[secret.Name]
	switch {
	case len(references) == 0:
		return g.release(ctx, secret)
	case used.began.Before(state.unusedSince):
		return reconcile.Result{RequeueAfter: usageTime}, nil // It may show a resource that is gone.
	case secret.DeletionTimestamp.IsZero():
		return reconcile.Result{}, nil // A resource of another shard uses it, whose end that shard observes.
	}
	held := slices.ContainsFunc(references, needsAPIKey)
	if !held {
		if held, err = g.namespaceTerminates(ctx, secret); err != nil {
			return reconcile.Result{}, err
		}
	}
	if held {
		state.quietSince = g.Now()
		g.remember(client.ObjectKeyFromObject(secret), state)
	}
	if wait := state.quietSince.Add(replaceGrace).Sub(g.Now()); wait > 0 {
		return reconcile.Result{RequeueAfter: wait}, nil
	}
	result, err := g.release(ctx, secret)
	if err == nil && result.IsZero() {
		g.reportReplaced(ctx, secret, references)
	}
	return result, err
}

// namespaceTerminates reports whether the namespace of a Secret is being deleted. A Secret can only be replaced where
// one can be created, so the API server is asked to create it again, without doing so. The operator has the right to do
// that, and needs none to read namespaces.
func (g *APIKeyGuard) namespaceTerminates(ctx context.Context, secret *metav1.PartialObjectMetadata) (bool, error) {
	again := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: secret.Namespace, Name: secret.Name}}
	err := g.Client.Create(ctx, again, client.DryRunAll)
	switch {
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause), apierrors.IsNotFound(err):
		return true, nil
	case err == nil, apierrors.IsAlreadyExists(err), apierrors.IsForbidden(err), apierrors.IsInvalid(err),
		apierrors.IsBadRequest(err):
		return false, nil // Whatever else forbids it comes after the check of the namespace.
	}
	return false, err
}

// release removes the finalizer by an update. With the last finalizer the API server deletes the Secret of that name,
// and only an update says of which UID: after a patch of two shards at once it may delete the Secret that a client has
// just created in its place.
func (g *APIKeyGuard) release(ctx context.Context, secret *metav1.PartialObjectMetadata) (reconcile.Result, error) {
	after := &corev1.Secret{}
	err := g.Live.Get(ctx, client.ObjectKeyFromObject(secret), after)
	if err == nil {
		after.UID, after.ResourceVersion = secret.UID, secret.ResourceVersion
		after.Finalizers = slices.DeleteFunc(after.Finalizers, func(f string) bool {
			return f == v1alpha1.APIKeyFinalizer
		})
		err = g.Client.Update(ctx, after)
	}
	if client.IgnoreNotFound(err) != nil {
		return failed(err, 1)
	}
	delete(g.known, client.ObjectKeyFromObject(secret))
	return reconcile.Result{}, nil
}

// mostReported bounds how many resources get an event about one Secret. All of them have it in a condition.
const mostReported = 100

// reportReplaced records that a Secret is deleted which resources still use.
func (g *APIKeyGuard) reportReplaced(
	ctx context.Context, secret *metav1.PartialObjectMetadata, references []v1alpha1.Chatt2Webhook,
) {
	names := make([]string, min(len(references), 5))
	for i := range names {
		names[i] = references[i].Name
	}
	emit(ctx, g.Recorder, secret, []occurrence{warning(v1alpha1.EventAPIKeySecretDeleted,
		"Deleted while %d Chatt2Webhooks use its API key (%s), none of which is being deleted; create it again",
		len(references), strings.Join(names, ", "))})
	for i := range references[:min(len(references), mostReported)] {
		emit(ctx, g.Recorder, &references[i], []occurrence{warning(v1alpha1.EventAPIKeySecretDeleted,
			"The Secret %q with the API key was deleted; create it again, or name another one in spec.apiKeySecretRef",
			secret.Name)})
	}
}

// metadata is the metadata of a Secret, from the cache where Secrets are watched.
func (g *APIKeyGuard) metadata(ctx context.Context, name types.NamespacedName) (*metav1.PartialObjectMetadata, error) {
	meta := secretMetadata()
	if g.Options.WatchSecrets {
		return meta, g.Client.Get(ctx, name, meta)
	}
	return meta, g.Live.Get(ctx, name, meta)
}

// cachedReferences are the resources in the cache that reference a Secret, at most so many, all for 0.
func (g *APIKeyGuard) cachedReferences(
	ctx context.Context, secret types.NamespacedName, most int64,
) ([]v1alpha1.Chatt2Webhook, error) {
	var known v1alpha1.Chatt2WebhookList
	err := g.Client.List(ctx, &known, client.InNamespace(secret.Namespace),
		client.MatchingFields{indexAPIKey: secret.Name}, client.Limit(most), client.UnsafeDisableDeepCopy)
	return known.Items, err
}

// needsAPIKey reports whether a resource is being deleted and its webhook is not known to be gone.
func needsAPIKey(w v1alpha1.Chatt2Webhook) bool {
	return !w.DeletionTimestamp.IsZero() && hasFinalizer(&w, v1alpha1.WebhookFinalizer)
}

// flush releases what is unused when the process is asked to stop: nothing else would, should the operator be removed.
func (g *APIKeyGuard) flush(ctx context.Context) error {
	<-ctx.Done()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
	defer cancel()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.usages = usages{}
	secrets := &metav1.PartialObjectMetadataList{}
	secrets.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("SecretList"))
	if err := g.Client.List(ctx, secrets, client.UnsafeDisableDeepCopy); err != nil {
		return err
	}
	var failed []error
	for i := range secrets.Items {
		if secret := &secrets.Items[i]; hasFinalizer(secret, v1alpha1.APIKeyFinalizer) {
			failed = append(failed, g.flushOne(ctx, secret))
		}
	}
	return errors.Join(failed...)
}

// flushOne releases a Secret unless a resource uses it. The end of one that is being deleted may not have reached the
// cache yet.
func (g *APIKeyGuard) flushOne(ctx context.Context, secret *metav1.PartialObjectMetadata) error {
	cached, err := g.cachedReferences(ctx, client.ObjectKeyFromObject(secret), 0)
	lives := func(w v1alpha1.Chatt2Webhook) bool { return w.DeletionTimestamp.IsZero() }
	if err != nil || slices.ContainsFunc(cached, lives) {
		return err
	}
	used, err := g.usages.of(ctx, g.Live, secret.Namespace, g.Now)
	if err != nil || len(used.references[secret.Name]) > 0 {
		return err
	}
	_, err = g.release(ctx, secret)
	return err
}

// SetupWithManager lets the manager run the guard: for Secrets that carry the finalizer, and for those that a resource
// ceases to reference.
func (g *APIKeyGuard) SetupWithManager(mgr manager.Manager) error {
	b := builder.ControllerManagedBy(mgr).Named("api-key-guard").
		Watches(&v1alpha1.Chatt2Webhook{}, enqueueAPIKey(), builder.WithPredicates(leavesAPIKey())).
		WithOptions(controller.Options{
			RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstRetry, lastRetry),
		})
	if !g.Options.WatchSecrets {
		return b.Complete(g)
	}
	b = b.Watches(&corev1.Secret{}, &handler.EnqueueRequestForObject{}, builder.OnlyMetadata,
		builder.WithPredicates(predicate.NewPredicateFuncs(func(object client.Object) bool {
			return hasFinalizer(object, v1alpha1.APIKeyFinalizer)
		})))
	return errors.Join(b.Complete(g), mgr.Add(manager.RunnableFunc(g.flush)))
}

// enqueueAPIKey enqueues the Secret that a resource references, and of an update the one that it referenced before.
func enqueueAPIKey() handler.EventHandler {
	add := func(queue requestQueue, object client.Object) {
		w, _ := object.(*v1alpha1.Chatt2Webhook)
		queue.Add(reconcile.Request{NamespacedName: types.NamespacedName{
			Namespace: w.Namespace, Name: w.Spec.APIKeySecretRef.Name,
		}})
	}
	return handler.Funcs{
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, queue requestQueue) { add(queue, e.ObjectOld) },
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, queue requestQueue) { add(queue, e.Object) },
	}
}

// leavesAPIKey lets through what may make a Secret unused: a resource that is gone, references another one, or needs
// the API key no longer while another finalizer keeps it.
func leavesAPIKey() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, after, ok := pair(e)
			return ok && (before.Spec.APIKeySecretRef.Name != after.Spec.APIKeySecretRef.Name ||
				needsAPIKey(*before) && !needsAPIKey(*after))
		},
	}
}
