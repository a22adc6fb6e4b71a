package campaign_test

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/campaign/store"
)

// causes are the steps after which a signing secret may have to be made.
var causes = []string{"create", "sign", "rotate", "remove on the Hub", "wipe Secret", "restore"}

// take takes one step of a walk. One that makes no sense at the moment does nothing.
func (w *world) take(s step) {
	if slices.Contains(causes, s.do) {
		w.watch.causes++
	}
	switch s.do {
	case "create":
		w.declareOne(s)
	case "fault":
		w.gate.blind[len(w.gate.trace)+1+s.on*2] = s.arg
	case "restart":
		if s.arg%3 == 0 {
			w.downgrade()
		}
		w.restart()
	case "lag", "freeze":
		w.reads = map[string]reads{"lag": lagging, "freeze": frozen}[s.do]
		w.trigger = w.store.Revision()
		w.delay(w.in.view)
		w.clock.after(lagTime, func() { w.reads = fresh })
	case "swap key":
		key := []string{apiKey, canary + "key-second"}[s.arg%2]
		if s.arg%5 == 0 {
			key = otherKey
		}
		w.changeSecret("api-key", "apiKey", key)
	case "snapshot":
		w.snapshot = w.store.Revision()
	case "restore":
		if w.snapshot > 0 {
			w.restore()
		}
	case "wait":
	default:
		if c := w.resourceAt(resourceOf(s.on)); c != nil && c.DeletionTimestamp.IsZero() {
			w.touchOne(s, c)
		}
	}
}

// declareOne declares a resource, unless it is there.
func (w *world) declareOne(s step) {
	key := resourceOf(s.on)
	if w.resourceAt(key) != nil {
		return
	}
	as := inHome(key.Name)
	as.Namespace = key.Namespace
	w.declare(as, func(c *v1alpha1.Chatt2Webhook) {
		c.Spec.RequiresSignature = s.arg%2 == 0
		if s.on == 0 || s.on == mostResources-1 {
			c.Spec.Label, c.Spec.Endpoint = "contended", "https://shop.example/contended"
		}
	})
}

// touchOne does something to a resource that is there, to what it has, or to its webhook.
func (w *world) touchOne(s step, c *v1alpha1.Chatt2Webhook) {
	key := resourceOf(s.on)
	switch s.do {
	case "delete":
		w.must(w.user.Delete(w.ctx, c))
	case "update":
		w.forgets(c)
		w.changeAt(key, func(c *v1alpha1.Chatt2Webhook) {
			c.Spec.Endpoint = fmt.Sprintf("https://shop.example/%d", s.arg%7)
		})
	case "sign":
		w.changeAt(key, func(c *v1alpha1.Chatt2Webhook) { c.Spec.RequiresSignature = !c.Spec.RequiresSignature })
	case "rotate":
		w.changeAt(key, annotate(v1alpha1.AnnotationRotateRequestedAt, fmt.Sprint(s.arg)))
	case "ask":
		w.askAgain(key, fmt.Sprint(s.arg))
	case "suspend":
		w.changeAt(key, func(c *v1alpha1.Chatt2Webhook) { c.Spec.Suspend = !c.Spec.Suspend })
		w.watch.repaired = w.clock.now // what was asked for meanwhile counts from now on
	case "remove on the Hub":
		// After a downgrade nobody would know any more whose it was, until the operator has looked.
		if w.isThere(c.Status.WebhookID) && c.Status.APIKeyHash != "" {
			w.must(w.hub.DeleteByHand(c.Status.WebhookID))
		}
	case "drift":
		if w.isThere(c.Status.WebhookID) {
			w.drift(c.Status.WebhookID)
		}
	case "wipe status":
		of := w.watch.of[c.UID]
		of.wiped = c.Status.WebhookID
		h, there := w.webhook(of.wiped)
		w.wipeStatus(key)
		w.watch.repaired = w.clock.now // a look that was asked for once is asked for again
		if there && (normalLabel(h.Label) != normalLabel(c.Spec.Label) ||
			normalEndpoint(h.Endpoint) != normalEndpoint(c.Spec.Endpoint)) {
			w.forgets(w.resourceAt(key))
		}
	case "wipe Secret":
		s := w.secretAt(types.NamespacedName{Namespace: key.Namespace, Name: c.SigningSecretName()})
		if s != nil {
			w.must(w.user.Delete(w.ctx, s))
			w.touch(key)
		}
	}
}

// forgets records that nothing tells any more whose a webhook is: status is wiped, and spec is about to say something
// else than what the webhook could be found again by.
func (w *world) forgets(c *v1alpha1.Chatt2Webhook) {
	of := w.watch.of[c.UID]
	if of.wiped != "" && c.Status.WebhookID == "" && w.isThere(of.wiped) {
		of.extra++
		w.watch.abandoned[of.wiped] = true
	}
}

func (w *world) isThere(id string) bool {
	_, ok := w.webhook(id)
	return ok
}

// makePeace ends all faults, and does what a user has to do after a restore, and where a leader that slept did what
// the Hub does not show.
func (w *world) makePeace() {
	w.gate.faults, w.gate.blind = map[int]action{}, map[int]int{}
	w.reads = fresh
	w.setLag(w.in.view, store.Fresh)
	w.changeSecret("api-key", "apiKey", apiKey)
	for n := range mostResources {
		key := resourceOf(n)
		c := w.resourceAt(key)
		if c == nil || !c.DeletionTimestamp.IsZero() {
			continue
		}
		of := w.watch.of[c.UID]
		if of.slept && w.hidesSigning() {
			w.signedAs(c)
			of.stale = of.stale || w.isStale(c)
		}
		w.changeAt(key, func(c *v1alpha1.Chatt2Webhook) {
			c.Spec.Suspend = false
			if of.stale {
				annotate(v1alpha1.AnnotationRotateRequestedAt, "after the restore")(c)
			}
		})
	}
}
