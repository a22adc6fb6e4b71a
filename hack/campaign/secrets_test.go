package campaign_test

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/campaign/store"
)

// checkSecretWrite is S11 for writes: only a Secret that a resource controls is changed, or that is unowned and names
// the webhook of the resource whose signing Secret has its name; and of any other one no more than its finalizers.
func (w *world) checkSecretWrite(call store.Call, before *corev1.Secret) {
	if call.Kind.Kind != "Secret" {
		return
	}
	if before == nil {
		w.countMadeForGone(call)
		return
	}
	if owner := metav1.GetControllerOf(before); owner != nil && w.watch.of[owner.UID] != nil {
		return
	}
	after := w.secretAt(call.Key)
	if after != nil && w.watch.isUnowned(before) {
		for _, of := range w.watch.living {
			if c := of.object; c.Namespace == call.Key.Namespace && c.SigningSecretName() == call.Key.Name &&
				c.Status.WebhookID == before.Annotations[v1alpha1.AnnotationWebhookID] {
				return
			}
		}
	}
	if after == nil {
		if before.DeletionTimestamp.IsZero() {
			w.violated("S11", "%s of Secret %s, which no resource controls, took it away", call.Verb, call.Key)
		}
		return
	}
	if !equality.Semantic.DeepEqual(untouched(before), untouched(after)) {
		w.violated("S11", "%s of Secret %s, which no resource controls", call.Verb, call.Key)
	}
}

// untouched is what of a Secret that no resource controls may not be changed.
func untouched(s *corev1.Secret) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Labels: s.Labels, Annotations: s.Annotations, OwnerReferences: s.OwnerReferences},
		Type:       s.Type, Data: s.Data,
	}
}

// checkSecretCall is S11: Secrets are touched by name, and only those that a resource refers to.
func (w *world) checkSecretCall(call store.Call) {
	defer w.gate.looking()()
	w.look()
	if call.Kind.Kind == "Secret" && (!w.watch.referred[call.Key] || call.Verb == "list") {
		w.violated("S11", "%s of Secret %s", call.Verb, call.Key)
	}
}
