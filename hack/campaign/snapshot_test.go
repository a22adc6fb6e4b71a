package campaign_test

import (
	"k8s.io/apimachinery/pkg/types"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// wipeStatus does what a restore does that leaves status out.
func (w *world) wipeStatus(key types.NamespacedName) {
	c := w.resourceAt(key)
	c.Status = v1alpha1.Chatt2WebhookStatus{ObservedGeneration: -1}
	c.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Chatt2Webhook"))
	w.must(w.user.Status().Update(w.ctx, c))
}

// downgrade leaves of each resource what an operator would have written that knew less.
func (w *world) downgrade() {
	for n := range mostResources {
		// Of a webhook that is not there nobody would know any more whose it was, which is not what this is about.
		if c := w.resourceAt(resourceOf(n)); c != nil && w.isThere(c.Status.WebhookID) {
			c.Status.Applied, c.Status.APIKeyHash = nil, ""
			c.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Chatt2Webhook"))
			w.must(w.user.Status().Update(w.ctx, c))
		}
	}
}

// restore puts the API server back to what it was when the snapshot was taken, and starts the operator anew, as one
// does. What was rotated since is lost and cannot be known to be, what was registered since is left on the Hub.
func (w *world) restore() {
	w.look()
	before := map[types.UID]*v1alpha1.Chatt2Webhook{}
	for _, of := range w.watch.living {
		before[of.object.UID] = of.object
	}
	w.must(w.store.Restore(w.snapshot))
	w.restored(before)
	w.reads = fresh // the API server begins anew, too
	w.restart()
	w.check()
}

// restored records what a restore has changed behind the operator's back.
func (w *world) restored(before map[types.UID]*v1alpha1.Chatt2Webhook) {
	w.look()
	for uid, c := range before {
		of := w.watch.of[uid]
		if of.gone {
			w.cleanUp(uid, of)
			continue
		}
		if of.object.Status.WebhookID != c.Status.WebhookID {
			of.extra++
			w.watch.abandoned[c.Status.WebhookID] = true
		}
	}
	for _, of := range w.watch.living {
		w.signedAs(of.object)
		of.stale = w.isStale(of.object)
	}
}

// isStale reports whether a resource that is to sign has not the secret that the Hub signs with.
func (w *world) isStale(c *v1alpha1.Chatt2Webhook) bool {
	// There may be none, if a backup was taken just after somebody had wiped it.
	s := w.watch.signing(c)
	return c.Spec.RequiresSignature && (s == nil ||
		string(s.Data[v1alpha1.SecretKeyCurrent]) != w.hub.SecretOf(s.Annotations[v1alpha1.AnnotationWebhookID]))
}

// signedAs puts by hand on the Hub what a resource says of signing, where the Hub does not show it: what was sent since
// a backup, or by a leader that slept, is known to nobody.
func (w *world) signedAs(c *v1alpha1.Chatt2Webhook) {
	if w.isThere(c.Status.WebhookID) && w.hidesSigning() {
		_, err := w.hub.ChangeByHand(c.Status.WebhookID, simulator.Change{RequiresSignature: &c.Spec.RequiresSignature})
		w.must(err)
	}
}

// cleanUp removes by hand what a resource had on the Hub that the backup does not know of.
func (w *world) cleanUp(uid types.UID, of *known) {
	of.left = true
	ids := map[string]bool{}
	for id, maker := range w.watch.made {
		ids[id] = maker == uid
	}
	for id := range of.had {
		ids[id] = true
	}
	for id, mine := range ids {
		if mine && w.isThere(id) && !w.isClaimed(id, uid) {
			w.must(w.hub.DeleteByHand(id))
		}
	}
}
