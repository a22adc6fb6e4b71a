package campaign_test

import (
	"time"

	corev1 "k8s.io/api/core/v1"

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
	{name: "secret-taken-over", before: signedResource, trigger: func(w *world) {
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

// verificationFlows are about endpoints that do not answer for a while, and about a Hub that takes its word back.
var verificationFlows = []flow{
	{name: "endpoint-recovers", trigger: func(w *world) {
		w.endpointFails(50 * time.Second)
		w.resource()
	}},
	{name: "endpoint-lost", before: unsignedResource, trigger: func(w *world) {
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
