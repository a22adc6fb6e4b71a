package controller

import (
	"cmp"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/plan"
	"github.com/chatt2me/webhook-operator/internal/signing"
)

func TestWhatTheHubSaysIsShownOnlyIfItIsFreeOfAllThatItMayKnow(t *testing.T) {
	const id = "webhook"
	holding := func(current, previous string) *corev1.Secret {
		return &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{v1alpha1.AnnotationWebhookID: id}},
			Data: map[string][]byte{
				v1alpha1.SecretKeyCurrent: []byte(current), v1alpha1.SecretKeyPrevious: []byte(previous),
			},
		}
	}
	stored := func(o *observation) {
		o.secret = holding("stored-secret", "former-secret")
		o.Object.Status.SigningSecret = &v1alpha1.SigningSecretStatus{
			Fingerprint: signing.Fingerprint(id, hub.NewSecret("stored-secret")),
		}
	}
	deleted := func(o *observation) { o.Object.DeletionTimestamp = new(metav1.NewTime(time.Unix(1, 0))) }
	headers := func(o *observation) { o.Applied.HeadersHash = "some" }
	unknown := func(o *observation) { o.Applied.HeadersHash = "" }
	fresh := func(o *observation) { o.ID, o.Applied.HeadersHash, o.local.IntentClosed = "", "", true }
	reopened := func(o *observation) { fresh(o); o.local.IntentClosed = false }
	edited := func(o *observation) { o.Object.Generation = 2 }
	open := func(o *observation) { o.Signing.RotationOpen = true }
	tests := []struct {
		name    string
		action  plan.Action
		is      []func(*observation)
		message string
		shown   bool
	}{
		{name: "nothing secret is known", action: plan.Update, shown: true},
		{name: "headers were sent before", action: plan.Update, is: []func(*observation){headers}},
		{name: "nobody knows which headers there are", action: plan.Delete, is: []func(*observation){unknown}},
		{name: "a first registration", action: plan.Create, is: []func(*observation){fresh}, shown: true},
		{name: "one that never had headers", action: plan.Create, is: []func(*observation){reopened}, shown: true},
		{name: "one that may have had others", action: plan.Create, is: []func(*observation){reopened, edited}},
		{name: "a secret is stored", action: plan.Update, is: []func(*observation){stored}, shown: true},
		{name: "it is named", action: plan.Update, is: []func(*observation){stored}, message: "it is stored-secret"},
		{name: "the one before is named", action: plan.Redefine, is: []func(*observation){stored}, message: "it was FORMER-SECRET"},
		{name: "a secret is held", action: plan.Update, message: "it is a held-secret", is: []func(*observation){
			func(o *observation) { o.local.held = &heldSecret{value: hub.NewSecret("held-secret")} },
		}},
		{name: "a secret was changed", action: plan.Update, is: []func(*observation){stored, func(o *observation) {
			o.secret = holding("edited", "")
		}}},
		{name: "a secret was lost", action: plan.Update, is: []func(*observation){stored, func(o *observation) { o.secret = nil }}},
		{name: "a secret is not read", action: plan.Delete, is: []func(*observation){deleted, func(o *observation) {
			o.Object.Spec.RequiresSignature = true
		}}},
		{name: "a deletion", action: plan.Delete, is: []func(*observation){deleted}, shown: true},
		{name: "another process rotates", action: plan.Redefine, is: []func(*observation){stored, open}},
		{name: "this process rotates", action: plan.Redefine, shown: true, is: []func(*observation){stored, open, func(o *observation) {
			o.local.RotationOwn = true
		}}},
	}
	for _, test := range tests {
		o := &observation{local: &localState{}}
		o.ID, o.Object, o.Applied.HeadersHash = id, &v1alpha1.Chatt2Webhook{}, noHeaders
		o.Object.Generation = 1
		for _, is := range test.is {
			is(o)
		}
		said := cmp.Or(test.message, "the plan has no such thing")
		err := o.showable(test.action, &hub.Error{Operation: "call", Cause: "refused", Message: said})
		if strings.Contains(err.Error(), said) != test.shown {
			t.Errorf("%s: got %v", test.name, err)
		}
	}
}
