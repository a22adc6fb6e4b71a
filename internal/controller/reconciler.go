// Package controller keeps the webhooks of the Hub as Chatt2Webhook resources declare them. Data goes one way: fetch,
// observe, decide (package plan), act, report. It is the only package that knows controller-runtime.
package controller

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/connection"
	"github.com/chatt2me/webhook-operator/internal/plan"
)

// StepTime is how long the step under way may take to its end once the operator is asked to stop.
const StepTime = 30 * time.Second

// staleRecheck is how soon a resource is read again that the cache shows as it was before our last write, should the
// event of that write not come.
const staleRecheck = 50 * time.Millisecond

// vanishedRecheck is how soon the Hub is asked again for the webhook of a resource that is gone.
const vanishedRecheck = 5 * time.Second

// Options are how the operator was started.
type Options struct {
	// Settings go into every decision. ActingSince is set when the controller starts.
	Settings plan.Settings
	// Namespaces are the namespaces watched, none for all.
	Namespaces []string
	// IsShard: not all resources of the cluster are watched, and others work on the rest.
	IsShard bool
	// MaxConcurrentReconciles is how many resources are worked on at the same time.
	MaxConcurrentReconciles int
	// WatchSecrets watches the metadata of Secrets; without it they are read by name, every minute where one is
	// missing.
	WatchSecrets bool
	// ProtectAPIKeySecrets keeps a Secret with an API key while a resource refers to it.
	ProtectAPIKeySecrets bool
	// HeaderSecretsNeedOptIn lets headers take values only from Secrets that allow it by an annotation.
	HeaderSecretsNeedOptIn bool
}

// +kubebuilder:rbac:groups=hub.chatt2.me,resources=chatt2webhooks,verbs=list;watch;patch
// +kubebuilder:rbac:groups=hub.chatt2.me,resources=chatt2webhooks/status,verbs=patch
// +kubebuilder:rbac:groups=hub.chatt2.me,resources=chatt2webhooks/finalizers,verbs=update
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch;create;update;patch;delete
// +kubebuilder:rbac:groups="",resources=configmaps,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconciler makes the Hub hold what a Chatt2Webhook declares.
type Reconciler struct {
	// Client writes, and reads resources and metadata from the cache.
	Client client.Client
	// Live reads from the API server: the values in Secrets and ConfigMaps, and claims across shards.
	Live client.Reader
	// Pool has the connections to the Hub.
	Pool *connection.Pool
	// Recorder takes events.
	Recorder events.EventRecorder
	// Metrics counts rotations and orphans.
	Metrics *Metrics
	// Now is the clock.
	Now func() time.Time
	// Options are how the operator was started.
	Options Options

	localStates localStates
	claims      claims
	keys        apiKeyCache
	// resources and secrets know our own writes to them.
	resources, secrets writes
}

// Reconcile takes one step for one resource.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	// A step that has begun is not cancelled: between a call to the Hub and the write that records it is no place to
	// stop.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), StepTime)
	defer cancel()

	object, local, err := r.fetch(ctx, req)
	if errors.Is(err, connection.ErrWait) {
		return reconcile.Result{RequeueAfter: jitter(vanishedRecheck)}, nil
	}
	if err != nil || object == nil {
		return reconcile.Result{}, err
	}
	if local.supersedes(object) {
		return reconcile.Result{RequeueAfter: staleRecheck}, nil
	}
	observed, err := r.observe(ctx, object, local)
	if err != nil {
		return reconcile.Result{}, err
	}
	p := plan.Decide(&observed.Observed)
	log.FromContext(ctx).V(1).Info("Decided", "state", p.State, "rule", p.Rule, "missing", p.Need, "action", p.Action)
	outcome := r.act(ctx, observed, p)
	return r.report(ctx, observed, p, outcome)
}

// fetch reads the resource and what this process remembers of it. A resource that is gone is forgotten.
func (r *Reconciler) fetch(ctx context.Context, req reconcile.Request) (*v1alpha1.Chatt2Webhook, *localState, error) {
	object := &v1alpha1.Chatt2Webhook{}
	err := r.Client.Get(ctx, req.NamespacedName, object)
	if apierrors.IsNotFound(err) {
		if err := r.reportVanished(ctx, req.NamespacedName, false); err != nil {
			return nil, nil, err
		}
		r.forget(req.NamespacedName)
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	local := r.localStates.of(req.NamespacedName)
	if local.uid != "" && local.uid != object.UID {
		if err := r.reportVanished(ctx, req.NamespacedName, true); err != nil {
			return nil, nil, err
		}
		r.forget(req.NamespacedName)
		local = r.localStates.of(req.NamespacedName)
	}
	local.uid, local.retains = object.UID, object.Spec.DeletionPolicy == v1alpha1.DeletionRetain
	return object, local, nil
}
