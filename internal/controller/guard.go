package controller

import (
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// APIKeyGuard takes the in-use finalizer off a Secret with an API key once no resource refers to it any more. Putting
// it on is part of the step that first needs the key.
type APIKeyGuard struct {
	// Client writes, and reads from the cache.
	Client client.Client
	// Live reads from the API server, so that resources of other shards count.
	Live client.Reader
	// Options are how the operator was started.
	Options Options
}

// Reconcile looks at one Secret.
func (g *APIKeyGuard) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	ctx = withoutBodies(ctx)
	secret, err := g.metadata(ctx, req.NamespacedName)
	if err != nil || !hasFinalizer(secret, v1alpha1.APIKeyFinalizer) {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	inUse, err := g.inUse(ctx, req.NamespacedName)
	if err != nil || inUse {
		return reconcile.Result{}, err
	}
	after := secret.DeepCopy()
	after.Finalizers = slices.DeleteFunc(slices.Clone(after.Finalizers), func(f string) bool {
		return f == v1alpha1.APIKeyFinalizer
	})
	err = g.Client.Patch(ctx, after, client.MergeFromWithOptions(secret, client.MergeFromWithOptimisticLock{}))
	if apierrors.IsNotFound(err) {
		return reconcile.Result{}, nil
	}
	if err != nil {
		return failed(err, 1)
	}
	return reconcile.Result{}, nil
}

// metadata is the metadata of a Secret, from the cache where Secrets are watched.
func (g *APIKeyGuard) metadata(ctx context.Context, name types.NamespacedName) (*metav1.PartialObjectMetadata, error) {
	meta := secretMetadata()
	if g.Options.WatchSecrets {
		return meta, g.Client.Get(ctx, name, meta)
	}
	return meta, g.Live.Get(ctx, name, meta)
}

// inUse tells whether any resource refers to the Secret. The cache can only say yes; the API server is asked for a no.
func (g *APIKeyGuard) inUse(ctx context.Context, secret types.NamespacedName) (bool, error) {
	var known v1alpha1.Chatt2WebhookList
	err := g.Client.List(ctx, &known, client.InNamespace(secret.Namespace),
		client.MatchingFields{indexAPIKey: secret.Name}, client.Limit(1), client.UnsafeDisableDeepCopy)
	if err != nil || len(known.Items) > 0 {
		return true, err
	}
	var all v1alpha1.Chatt2WebhookList
	if err := g.Live.List(ctx, &all, client.InNamespace(secret.Namespace)); err != nil {
		return true, err
	}
	return slices.ContainsFunc(all.Items, func(w v1alpha1.Chatt2Webhook) bool {
		return w.Spec.APIKeySecretRef.Name == secret.Name
	}), nil
}

// SetupWithManager lets the manager run the guard: for Secrets that carry the finalizer, and for those that a resource
// ceases to refer to.
func (g *APIKeyGuard) SetupWithManager(mgr manager.Manager) error {
	b := builder.ControllerManagedBy(mgr).Named("api-key-guard").
		Watches(&v1alpha1.Chatt2Webhook{}, releaseLater(), builder.WithPredicates(lettingGo()))
	if g.Options.WatchSecrets {
		b = b.Watches(&corev1.Secret{}, &handler.EnqueueRequestForObject{}, builder.OnlyMetadata,
			builder.WithPredicates(predicate.NewPredicateFuncs(func(object client.Object) bool {
				return hasFinalizer(object, v1alpha1.APIKeyFinalizer)
			})))
	}
	return b.Complete(g)
}

// releaseDelay is how long after a resource let go of a Secret that is looked at: many may let go of it together.
const releaseDelay = 500 * time.Millisecond

// releaseLater has the Secrets looked at that a resource refers to, and of an update those that it referred to before.
func releaseLater() handler.EventHandler {
	later := func(queue requestQueue, object client.Object) {
		w, _ := object.(*v1alpha1.Chatt2Webhook)
		queue.AddAfter(reconcile.Request{NamespacedName: types.NamespacedName{
			Namespace: w.Namespace, Name: w.Spec.APIKeySecretRef.Name,
		}}, releaseDelay)
	}
	return handler.Funcs{
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, queue requestQueue) { later(queue, e.ObjectOld) },
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, queue requestQueue) { later(queue, e.Object) },
	}
}

// lettingGo lets through what may make a Secret unused: a resource that goes, or refers to another one.
func lettingGo() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, after, ok := pair(e)
			return ok && before.Spec.APIKeySecretRef.Name != after.Spec.APIKeySecretRef.Name
		},
	}
}
