package campaign_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// check holds the world to what must hold at every moment.
func (w *world) check() {
	defer w.gate.looking()()
	w.look()
	w.checkSaid()
	w.checkS1()
	for uid, of := range w.watch.of {
		if of.gone {
			w.checkS4(uid, of)
			continue
		}
		w.checkAdopted(of.object)
		w.checkS3(of)
		w.checkS8(of.object)
		w.checkS9(of)
	}
}

// checkS1: never two webhooks for one resource.
func (w *world) checkS1() {
	count := map[types.UID]int{}
	for app := range w.applications() {
		for _, h := range w.hub.Webhooks(app) {
			if uid, ok := w.watch.made[h.ID]; ok && !w.isClaimed(h.ID, uid) {
				count[uid]++
			}
		}
	}
	for uid, n := range count {
		if of := w.watch.of[uid]; of != nil && n > 1+of.extra+w.watch.flow.extra && n > 1+w.orphaned() {
			w.violated("S1", "there are %d webhooks for %s", n, of.object.Name)
		}
	}
}

// isClaimed reports whether another resource than that one has a webhook.
func (w *world) isClaimed(id string, uid types.UID) bool {
	for _, of := range w.watch.living {
		if of.object.UID != uid && of.object.Status.WebhookID == id {
			return true
		}
	}
	return false
}

// checkS3: a resource that is ready has in its Secret what the Hub signs with.
func (w *world) checkS3(of *known) {
	c := of.object
	if !c.Spec.RequiresSignature || !c.IsReady() || !c.DeletionTimestamp.IsZero() || of.stale ||
		c.Status.ObservedGeneration != c.Generation {
		return
	}
	s := w.watch.signing(c)
	if s != nil && string(s.Data[v1alpha1.SecretKeyCurrent]) == w.hub.SecretOf(c.Status.WebhookID) {
		return
	}
	// Nothing fences a process that leads no longer from one whose cache is behind: both may be wrong for a moment.
	if w.excused(c) || w.reads != fresh && w.clock.now.Before(w.overlapUntil) {
		return
	}
	w.violated("S3", "%s is ready, and its Secret does not hold what the Hub signs with", c.Name)
}

// checkS4: a resource that is gone has no webhook, but for one that was left behind on purpose and so counted.
func (w *world) checkS4(uid types.UID, of *known) {
	if of.left || of.object.Spec.DeletionPolicy == v1alpha1.DeletionRetain {
		return
	}
	for id, maker := range w.watch.made {
		if maker == uid || of.had[id] {
			w.checkGone(of, id, uid)
		}
	}
	for id := range of.had {
		if w.watch.made[id] == "" {
			w.checkGone(of, id, uid)
		}
	}
}

func (w *world) checkGone(of *known, id string, uid types.UID) {
	if _, ok := w.webhook(id); !ok || w.isClaimed(id, uid) || of.extra > 0 || w.watch.leaked[id] {
		return
	}
	w.watch.leaked[id] = true
	if len(w.watch.leaked) > w.orphaned() {
		w.violated("S4", "%s is gone and its webhook %s is still there", of.object.Name, id)
	}
}

// checkOrphaned is S4 for what is counted as left behind: nothing is given up in a flow that is not about that, and
// what is given up is counted. It may be counted twice when a fault came between. Walks may give up what they like.
func (w *world) checkOrphaned(atRest bool) {
	flow, n := &w.watch.flow, w.orphaned()
	switch {
	case flow.name == "":
	case n > 0 && flow.orphans == 0:
		w.violated("S4", "%d webhooks were given up, and nothing asked for that", n)
	case atRest && w.watch.vanished && len(w.gate.faults) > 0:
		// A process that has just been started knows nothing of the resource.
	case atRest && (n < flow.orphans || n > flow.orphans && len(w.gate.faults) == 0):
		w.violated("S4", "%d webhooks were counted as left behind, and not %d", n, flow.orphans)
	}
}

// orphaned is how many webhooks all lives of the operator together counted as left behind.
func (w *world) orphaned() int {
	n := 0
	for _, in := range w.lives {
		n += int(in.orphaned())
	}
	return n
}

// orphaned is how many webhooks this life of the operator counted as left behind.
func (in *incarnation) orphaned() float64 {
	families, err := in.registry.Gather()
	in.world.must(err)
	for _, f := range families {
		if f.GetName() == "chatt2_webhooks_orphaned_total" {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	return 0
}

// checkSaid is S5 for what is said aloud: the log at its highest level, and events.
func (w *world) checkSaid() {
	said := string(w.said)
	w.said = w.said[:0]
	w.checkS5("aloud", said)
}

// checkShown is S5 for what anybody can see of an object.
func (w *world) checkShown(object any) {
	shown, err := json.Marshal(object)
	w.must(err)
	w.checkS5("in an object", string(shown))
}

// checkMetrics is S5 for metrics.
func (w *world) checkMetrics(in *incarnation) {
	families, err := in.registry.Gather()
	w.must(err)
	w.checkS5("in metrics", fmt.Sprint(families))
}

// canaryForms are how the beginning of every secret may be written: as it is, in base64 and in hex.
var canaryForms = []string{
	canary, base64.StdEncoding.EncodeToString([]byte(canary))[:len(canary)*8/6],
	hex.EncodeToString([]byte(canary)), strings.ToUpper(hex.EncodeToString([]byte(canary))),
}

// checkS5: no secret is said.
func (w *world) checkS5(where, said string) {
	for _, form := range canaryForms {
		if i := strings.Index(said, form); i >= 0 {
			w.violated("S5", "a secret is said %s: %.200s", where, said[max(i-80, 0):])
		}
	}
}

// checkS8: what status says was verified was.
func (w *world) checkS8(c *v1alpha1.Chatt2Webhook) {
	if c.Status.IsVerified && !w.watch.verified[c.Status.WebhookID] {
		w.violated("S8", "%s says verified of a webhook that never was", c.Name)
	}
}

// checkS8Written is S8 for what a life of the operator has just written: it says what the Hub showed it last.
func (w *world) checkS8Written(in *incarnation, key types.NamespacedName) {
	of := w.watch.living[key]
	if of == nil {
		return
	}
	c := of.object
	verified, shown := in.shown[c.Status.WebhookID]
	says := c.Status.IsVerified || meta.IsStatusConditionTrue(c.Status.Conditions, v1alpha1.ConditionVerified)
	if says && shown && !verified {
		w.violated("S8", "%s says verified of a webhook that the Hub showed otherwise", c.Name)
	}
}

// checkS9: a stored secret that the Hub does not sign with is marked as doubtful.
func (w *world) checkS9(of *known) {
	c := of.object
	s := w.watch.signing(c)
	// Where nothing is to be signed the Secret is on its way out.
	if s == nil || len(s.Data[v1alpha1.SecretKeyCurrent]) == 0 || !c.DeletionTimestamp.IsZero() || of.stale ||
		!c.Spec.RequiresSignature {
		return
	}
	live := w.hub.SecretOf(s.Annotations[v1alpha1.AnnotationWebhookID])
	if live != "" && live != string(s.Data[v1alpha1.SecretKeyCurrent]) &&
		s.Annotations[v1alpha1.AnnotationRotationStartedAt] == "" && !w.excused(c) {
		w.violated("S9", "the stored secret of %s is dead and nothing says so", c.Name)
	}
}

// excused reports whether a user has just touched the signing Secret, which status cannot know of at once.
func (w *world) excused(c *v1alpha1.Chatt2Webhook) bool {
	return w.clock.now.Before(w.watch.touched[types.NamespacedName{Namespace: c.Namespace, Name: c.Name}])
}

// violated records an invariant that does not hold.
func (w *world) violated(invariant, format string, args ...any) {
	w.broken = append(w.broken, invariant+": "+fmt.Sprintf(format, args...))
}

// over reports whether there is nothing more to learn from a run.
func (w *world) over() bool { return len(w.broken) > 0 }
