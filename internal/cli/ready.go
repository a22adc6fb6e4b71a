package cli

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/api/meta"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// firstLook is the way to the Hub, and remembers that it was taken. Only the leader takes it.
type firstLook struct {
	http.RoundTripper
	taken atomic.Bool
}

// RoundTrip is for package http.
func (l *firstLook) RoundTrip(request *http.Request) (*http.Response, error) {
	answer, err := l.RoundTripper.RoundTrip(request)
	if !l.taken.Swap(true) {
		// Why there was no answer stands in the conditions of the resources, in words without any value.
		status := 0
		if answer != nil {
			status = answer.StatusCode
		}
		ctrl.Log.WithName("hub").Info("Looked at the Hub for the first time", "answered", err == nil, "status", status)
	}
	return answer, err
}

// readyChecks say when a replica is ready: with full caches of all namespaces and, if it leads, after a first look at
// the Hub or with a reason why there can be none. A Hub that is down is no reason to be unready, for that would help
// nobody: what matters is that the Hub was asked, and that the resources tell what came of it.
func readyChecks(mgr manager.Manager, look *firstLook, a *access) []check {
	return []check{
		{"caches", func(ctx context.Context) error { return a.filled(mgr.GetCache().WaitForCacheSync(ctx)) }},
		{"namespaces", a.check},
		{"hub", look.check(mgr.Elected(), mgr.GetClient())},
	}
}

// check fails while this replica leads and has something to ask the Hub, and has not asked it yet.
func (l *firstLook) check(elected <-chan struct{}, resources client.Reader) func(context.Context) error {
	return func(ctx context.Context) error {
		select {
		case <-elected:
		default:
			return nil
		}
		if l.taken.Load() {
			return nil
		}
		var all v1alpha1.Chatt2WebhookList
		if err := resources.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
			return err
		}
		for i := range all.Items {
			if !saysWhyNot(&all.Items[i]) {
				return errors.New("nobody has looked at the Hub yet")
			}
		}
		return nil
	}
}

// whyNot are the reasons of Ready for which the Hub is not asked.
var whyNot = []string{
	v1alpha1.ReasonSuspended, v1alpha1.ReasonAPIKeyNotFound, v1alpha1.ReasonAPIKeyInvalid,
	v1alpha1.ReasonDeletionBlocked,
}

// saysWhyNot reports whether a resource, as it is now, gives no occasion to ask the Hub. One that is being deleted and
// that the operator does not hold, or not any more, gives none whatever its status says.
func saysWhyNot(w *v1alpha1.Chatt2Webhook) bool {
	if w.DeletionTimestamp != nil && !slices.Contains(w.Finalizers, v1alpha1.WebhookFinalizer) {
		return true
	}
	ready := meta.FindStatusCondition(w.Status.Conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.ObservedGeneration == w.Generation && slices.Contains(whyNot, ready.Reason)
}
