package campaign_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/campaign/store"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// watched is what has to be remembered to tell whether an invariant holds.
type watched struct {
	flow flow
	// revision is up to where the API server was looked at, now and secret are what there was; last is the resource as
	// it last was.
	revision  int64
	now, last *v1alpha1.Chatt2Webhook
	secret    *corev1.Secret
	// byHand are the webhooks that a user made, verified those that ever were, had those that a resource had.
	byHand, verified, had map[string]bool
	// unseen is when a registration last ended whose outcome its caller does not know, zero when none is open.
	unseen time.Time
	paused time.Time
	// redefined counts redefinitions that were asked for, doubts the deaths and unknown answers among all calls.
	redefined, doubts int
}

func newWatched() watched {
	return watched{byHand: map[string]bool{}, verified: map[string]bool{}, had: map[string]bool{}}
}

// reborn forgets what only one life of the operator knows.
func (o *watched) reborn() {
	o.paused = time.Time{}
	o.doubts++
}

// violated takes note of an invariant that does not hold.
func (w *world) violated(invariant, format string, args ...any) {
	w.broken = append(w.broken, invariant+": "+fmt.Sprintf(format, args...))
}

// looking has the harness read the API server past the gate.
func (w *world) looking() (end func()) {
	was := w.gate.open
	w.gate.open = false
	return func() { w.gate.open = was }
}

// check holds the world to what must hold at every moment.
func (w *world) check() {
	defer w.looking()()
	if revision := w.store.Revision(); revision != w.watch.revision {
		w.watch.revision, w.watch.now = revision, w.get()
		w.watch.secret = w.secret(name + "-signing")
	}
	c := w.watch.now
	webhooks := w.hub.Webhooks(w.app.ID)
	for i := range webhooks {
		if webhooks[i].IsVerified {
			w.watch.verified[webhooks[i].ID] = true
		}
	}
	w.checkS1(webhooks)
	w.checkS4(c, webhooks)
	w.checkS5(c)
	if c != nil {
		w.checkS3(c)
		w.checkS8(c)
		w.checkS9(c)
		w.watch.last = c
		w.watch.had[c.Status.WebhookID] = true
	}
}

// checkS1: never two webhooks for one resource.
func (w *world) checkS1(webhooks []simulator.Webhook) {
	n := 0
	for i := range webhooks {
		if webhooks[i].Endpoint != "https://elsewhere.example/hook" {
			n++
		}
	}
	if n > max(w.watch.flow.keeps, 1) {
		w.violated("S1", "there are %d webhooks for one resource", n)
	}
}

// checkS3: a resource that is ready has in its Secret what the Hub signs with, or the Secret says that it may not: when
// a rotation begins and status cannot be written, it goes on saying ready for a moment. At rest unfinished is stricter.
func (w *world) checkS3(c *v1alpha1.Chatt2Webhook) {
	if !c.Spec.RequiresSignature || !c.IsReady() || !c.DeletionTimestamp.IsZero() {
		return
	}
	s := w.watch.secret
	marked := s != nil && s.Annotations[v1alpha1.AnnotationRotationStartedAt] != ""
	if !marked && (s == nil || string(s.Data[v1alpha1.SecretKeyCurrent]) != w.hub.SecretOf(c.Status.WebhookID)) {
		w.violated("S3", "the resource is ready, and its Secret does not hold what the Hub signs with")
	}
}

// checkS4: a resource that is gone has no webhook.
func (w *world) checkS4(c *v1alpha1.Chatt2Webhook, webhooks []simulator.Webhook) {
	if c != nil || w.watch.last == nil {
		return
	}
	for i := range webhooks {
		if !w.watch.byHand[webhooks[i].ID] && w.orphans+int(w.in.orphaned()) == 0 {
			w.violated("S4", "the resource is gone and webhook %s is still there", webhooks[i].ID)
		}
	}
}

// checkS5: no secret is said aloud.
func (w *world) checkS5(c *v1alpha1.Chatt2Webhook) {
	said := strings.Join(w.said, "\n")
	w.said = w.said[:0]
	if c != nil && (w.watch.last == nil || w.watch.last.ResourceVersion != c.ResourceVersion) {
		shown, err := json.Marshal(c)
		w.must(err)
		said += string(shown)
	}
	if i := strings.Index(said, "CNRY-"); i >= 0 {
		w.violated("S5", "a secret is said: %.200s", said[max(i-80, 0):])
	}
}

// checkS6 is asked before a registration: it is written down, and the finalizer is there. It is part of S10, too: a
// resource that is being deleted registers nothing.
func (w *world) checkS6(c *v1alpha1.Chatt2Webhook) {
	if c == nil || !slices.Contains(c.Finalizers, v1alpha1.WebhookFinalizer) ||
		c.Annotations[v1alpha1.AnnotationCreateStartedAt] == "" {
		w.violated("S6", "a registration that is not written down")
	} else if !c.DeletionTimestamp.IsZero() {
		w.violated("S10", "a registration after the deletion")
	}
}

// checkS8: what status says was verified was.
func (w *world) checkS8(c *v1alpha1.Chatt2Webhook) {
	if c.Status.IsVerified && !w.watch.verified[c.Status.WebhookID] {
		w.violated("S8", "status says verified of a webhook that never was")
	}
}

// checkS9: a stored secret that the Hub does not sign with is marked as doubtful.
func (w *world) checkS9(c *v1alpha1.Chatt2Webhook) {
	if !c.DeletionTimestamp.IsZero() {
		return
	}
	s := w.watch.secret
	if s == nil || len(s.Data[v1alpha1.SecretKeyCurrent]) == 0 {
		return
	}
	live := w.hub.SecretOf(s.Annotations[v1alpha1.AnnotationWebhookID])
	if live != "" && live != string(s.Data[v1alpha1.SecretKeyCurrent]) &&
		s.Annotations[v1alpha1.AnnotationRotationStartedAt] == "" {
		w.violated("S9", "the stored secret is dead and nothing says so")
	}
}

// checkSecretCall is S11: Secrets are touched by name, and only those of the resource.
func (w *world) checkSecretCall(call store.Call) {
	if call.Kind.Kind != "Secret" {
		return
	}
	known := []string{"api-key", "header", name + "-signing"}
	if call.Key.Namespace != home || !slices.Contains(known, call.Key.Name) || call.Verb == "list" {
		w.violated("S11", "%s of Secret %s", call.Verb, call.Key)
	}
}

// checkHubCall is asked before a call reaches the Hub.
func (w *world) checkHubCall(request func() *http.Request) {
	defer w.looking()()
	r := request()
	if w.clock.now.Before(w.watch.paused) {
		w.violated("S7", "%s %s while the Hub asked to wait", r.Method, r.URL.Path)
	}
	if r.Method == http.MethodGet {
		if r.URL.Path == "/v1/organization/webhook" && !w.clock.now.Before(w.watch.unseen.Add(settleTime)) {
			w.watch.unseen = time.Time{}
		}
		return
	}
	c := w.get()
	if r.Method == http.MethodPost && !strings.HasSuffix(r.URL.Path, "redefine-signature") {
		w.checkS6(c)
		if !w.watch.unseen.IsZero() {
			w.violated("S1", "a second registration while an earlier one may have been carried out unseen")
		}
		return
	}
	// S2: only a webhook that is the resource's own is changed or deleted.
	id, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v1/organization/webhook/"), "/")
	if w.watch.byHand[id] && !w.watch.had[id] && !w.matches(id) {
		w.violated("S2", "%s %s, which is somebody else's", r.Method, r.URL.Path)
	}
	// A cache that is behind cannot show the deletion.
	if c != nil && !c.DeletionTimestamp.IsZero() && r.Method != http.MethodDelete && w.reads == fresh {
		w.violated("S10", "%s %s after the deletion", r.Method, r.URL.Path)
	}
}

// matches tells whether a webhook is what the resource declares.
func (w *world) matches(id string) bool {
	c := w.get()
	for _, webhook := range w.hub.Webhooks(w.app.ID) {
		if webhook.ID == id {
			return c != nil && webhook.Label == c.Spec.Label && webhook.Endpoint == c.Spec.Endpoint
		}
	}
	return false
}

// called takes note of how a call to the Hub ended.
func (w *world) called(request func() *http.Request, is action, answer *http.Response) {
	r := request()
	if answer != nil && answer.StatusCode == http.StatusTooManyRequests {
		w.watch.paused = w.clock.now.Add(retryAfter)
	}
	redefines := strings.HasSuffix(r.URL.Path, "redefine-signature")
	if redefines {
		w.watch.redefined++
	}
	unknown := is.isKind(killAfter, killLate, lost, dropped, timeout, late, errorBefore, errorAfter, html, truncated)
	if is != pass {
		w.watch.doubts++
	}
	if r.Method == http.MethodPost && !redefines && unknown {
		w.watch.unseen = w.clock.now
	}
}

func (a action) isKind(of ...action) bool { return slices.Contains(of, a) }

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

// unfinished is what is missing at rest: L1, L2 and L3.
func (w *world) unfinished() string {
	defer w.looking()()
	c := w.get()
	if w.watch.flow.deletes {
		s := w.secret("api-key")
		switch {
		case c != nil:
			return "L2: the resource is still there"
		case s != nil && slices.Contains(s.Finalizers, v1alpha1.APIKeyFinalizer):
			return "L2: the Secret of the API key is still protected"
		case len(w.hub.Webhooks(w.app.ID)) > 1:
			return "L2: the webhook is still there"
		}
		return ""
	}
	switch {
	case c == nil:
		return "L1: the resource is gone"
	case !c.IsReady():
		ready := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionReady)
		return fmt.Sprintf("L1: it is not ready: %+v", ready)
	}
	if wrong := w.disagrees(c); wrong != "" {
		return "L1: " + wrong
	}
	if w.watch.flow.ends != nil {
		if wrong := w.watch.flow.ends(w); wrong != "" {
			return "L1: " + wrong
		}
	}
	return ""
}

// disagrees is in what the Hub differs from the resource.
func (w *world) disagrees(c *v1alpha1.Chatt2Webhook) string {
	i := slices.IndexFunc(w.hub.Webhooks(w.app.ID), func(h simulator.Webhook) bool { return h.ID == c.Status.WebhookID })
	if i < 0 {
		return "status names a webhook that is not there"
	}
	h := w.hub.Webhooks(w.app.ID)[i]
	if h.Label != c.Spec.Label || h.Endpoint != c.Spec.Endpoint || h.RequiresSignature != c.Spec.RequiresSignature ||
		!h.IsVerified {
		return fmt.Sprintf("the Hub has %+v", h)
	}
	s := w.secret(c.SigningSecretName())
	switch {
	case !c.Spec.RequiresSignature && s != nil:
		return "there is a signing Secret that nothing needs"
	case !c.Spec.RequiresSignature:
		return ""
	case s == nil || !bytes.Equal(s.Data[v1alpha1.SecretKeyCurrent], []byte(w.hub.SecretOf(h.ID))):
		return "the Secret does not hold what the Hub signs with"
	case s.Annotations[v1alpha1.AnnotationRotationStartedAt] != "":
		return "L3: a rotation is still open"
	}
	return ""
}
