package controller

import (
	"maps"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// worthReconciling lets updates through that somebody else made: a new spec, annotation, finalizer or deletion, or a
// status that lost what we wrote. Our own status writes are no reason to look again.
func worthReconciling() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, after, ok := pair(e)
		return !ok || before.Generation != after.Generation ||
			before.DeletionTimestamp.IsZero() != after.DeletionTimestamp.IsZero() ||
			!maps.Equal(before.Annotations, after.Annotations) || !slices.Equal(before.Finalizers, after.Finalizers) ||
			after.Status.ObservedGeneration < before.Status.ObservedGeneration ||
			len(after.Status.Conditions) < len(before.Status.Conditions) ||
			before.Status.WebhookID != after.Status.WebhookID
	}}
}

// rivalry lets through what matters to other resources that declare the same webhook.
func rivalry() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, after, ok := pair(e)
		return !ok || before.Generation != after.Generation || before.Status.WebhookID != after.Status.WebhookID ||
			before.DeletionTimestamp.IsZero() != after.DeletionTimestamp.IsZero()
	}}
}

func pair(e event.UpdateEvent) (before, after *v1alpha1.Chatt2Webhook, ok bool) {
	before, okBefore := e.ObjectOld.(*v1alpha1.Chatt2Webhook)
	after, okAfter := e.ObjectNew.(*v1alpha1.Chatt2Webhook)
	return before, after, okBefore && okAfter
}
