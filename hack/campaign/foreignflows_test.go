package campaign_test

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// foreignFlows are about what belongs to somebody else and looks as if it did not.
var foreignFlows = []flow{
	{name: "copied-manifest", before: madeByHand(1), trigger: func(w *world) {
		w.resource(copied, adoptNothing)
	}, waits: v1alpha1.ReasonAlreadyExists, ends: keptByHand(1)},
	{
		name: "copied-retry", before: madeByHand(2), trigger: func(w *world) { w.resource(copied) },
		waits: v1alpha1.ReasonAmbiguousMatch, ends: keptByHand(2),
	},
	{name: "secret-foreign", before: func(w *world) {
		w.create(&corev1.Secret{
			ObjectMeta: inHome(signingName), Data: map[string][]byte{v1alpha1.SecretKeyCurrent: []byte(canary + "theirs")},
		})
	}, trigger: signedResource, waits: v1alpha1.ReasonSecretConflict},
	{name: "secret-foreign-later", before: unsignedResource, trigger: func(w *world) {
		w.create(&corev1.Secret{
			ObjectMeta: inHome(signingName), Data: map[string][]byte{v1alpha1.SecretKeyCurrent: []byte(canary + "theirs")},
		})
		w.change(signed)
	}, waits: v1alpha1.ReasonSecretConflict},
	{name: "secret-foreign-goes", before: func(w *world) {
		w.create(&corev1.Secret{
			ObjectMeta: inHome(signingName), Data: map[string][]byte{v1alpha1.SecretKeyCurrent: []byte(canary + "theirs")},
		})
		w.resource(signed)
	}, trigger: func(w *world) { w.must(w.user.Delete(w.ctx, w.secret(signingName))) }},
	{name: "secret-disowned", before: signedResource, trigger: func(w *world) {
		w.disown(nil)
		w.touch(key(name))
	}, ends: ownedWithoutRotation},
	{name: "secret-of-retained", large: true, before: func(w *world) {
		w.resource(signed, func(c *v1alpha1.Chatt2Webhook) { c.Spec.DeletionPolicy = v1alpha1.DeletionRetain })
		w.run(restTime)
		deleteResource(w)
	}, trigger: signedResource, ends: ownedWithoutRotation},
	{name: "secret-of-former-resource", large: true, before: func(w *world) {
		w.resource(signed, func(c *v1alpha1.Chatt2Webhook) { c.Spec.DeletionPolicy = v1alpha1.DeletionRetain })
		w.run(restTime)
		deleteResource(w)
		w.run(restTime)
		w.collects = false
		w.disown(&metav1.OwnerReference{
			APIVersion: v1alpha1.GroupVersion.String(), Kind: "Chatt2Webhook", Name: name, UID: "former", Controller: new(true),
		})
	}, trigger: signedResource, ends: ownedWithoutRotation},
	{name: "secret-of-deleted-webhook", before: func(w *world) {
		w.resource(signed)
		w.run(restTime)
		w.disown(nil)
		w.stripped()
	}, trigger: signedResource, waits: v1alpha1.ReasonSecretConflict},
	{name: "secret-taken-over", large: true, before: signedResource, trigger: func(w *world) {
		taken := w.secret(signingName)
		taken.OwnerReferences = nil
		w.must(w.user.Update(w.ctx, taken))
		secretNamed("renamed")(w)
	}, ends: func(w *world) string {
		if w.secret(signingName) == nil {
			return "S5: a Secret is gone that the resource did not control"
		}
		return ""
	}},
}

// disown has somebody, such as a backup tool, put another owner on the signing Secret, nil for none.
func (w *world) disown(owner *metav1.OwnerReference) {
	s := w.secret(signingName)
	if s.OwnerReferences = nil; owner != nil {
		s.OwnerReferences = []metav1.OwnerReference{*owner}
	}
	w.must(w.user.Update(w.ctx, s))
}

// stripped deletes resource and webhook while no operator runs. One that did would ask the Hub for the webhook, and
// report it as orphaned where reads are late.
func (w *world) stripped() {
	w.must(w.hub.DeleteByHand(w.onHub()))
	w.change(func(c *v1alpha1.Chatt2Webhook) { c.Finalizers = nil })
	w.must(w.user.Delete(w.ctx, w.get()))
	w.restart()
}

// ownedWithoutRotation holds the end to the signing Secret being the resource's, with the secret that it had before.
func ownedWithoutRotation(w *world) string {
	s := w.secret(signingName)
	switch {
	case s == nil || !metav1.IsControlledBy(s, w.get()):
		return "the resource does not control its signing Secret"
	case slices.ContainsFunc(w.gate.trace, func(e *effect) bool { return strings.HasSuffix(e.what, "redefine") }):
		return "a secret that was alive was rotated"
	}
	return ""
}

// verificationFlows are about endpoints that do not answer for a while, and about a Hub that takes its word back.
var verificationFlows = []flow{
	{name: "endpoint-recovers", large: true, trigger: func(w *world) {
		w.endpointFails(50 * time.Second)
		w.resource()
	}},
	{name: "endpoint-lost", large: true, before: unsignedResource, trigger: func(w *world) {
		w.endpointFails(50 * time.Second)
		w.withdraw()
	}},
	{name: "verification-withdrawn", before: signedResource, trigger: (*world).withdraw},
}

// endpointFails has the endpoints not answer for a while.
func (w *world) endpointFails(d time.Duration) {
	w.endpointDown = true
	w.clock.after(d, func() { w.endpointDown = false })
}

// withdraw has the Hub take back that the endpoint is verified.
func (w *world) withdraw() {
	_, err := w.hub.ChangeByHand(w.onHub(), simulator.Change{IsVerified: new(false)})
	w.must(err)
}

// madeByHand has somebody make webhooks that are like what the resource is going to declare, long before that.
func madeByHand(n int) func(*world) {
	return func(w *world) {
		for range n {
			w.byHand(name, "https://shop.example/"+name)
			w.run(10 * time.Minute)
		}
	}
}

// copied makes a manifest what it is when it was copied from a resource with all its annotations: as if a registration
// were open, and had been tried twice.
func copied(c *v1alpha1.Chatt2Webhook) {
	at := begins.Format(time.RFC3339)
	annotate(v1alpha1.AnnotationCreateStartedAt, at)(c)
	annotate(v1alpha1.AnnotationCreateRetriedAt, at)(c)
}

// keptByHand holds the end to what was made by hand: it is there, besides the webhook that always is.
func keptByHand(n int) func(*world) string {
	return func(w *world) string {
		kept := 0
		for _, h := range w.hub.Webhooks(w.app.ID) {
			if w.watch.byHand[h.ID] && h.Label == name {
				kept++
			}
		}
		if kept != n {
			return "S2: a webhook that was made by hand is gone"
		}
		return ""
	}
}
