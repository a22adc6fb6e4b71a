package controller_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/controller"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// Once a request to look again makes the update of a field that the Hub ignores go on for ever.
func TestARequestDoesNotMakeALoopOfAnIgnoredLabel(t *testing.T) {
	for _, how := range []simulator.LabelUpdate{simulator.LabelIgnored, simulator.LabelRefused} {
		t.Run(string(how), func(t *testing.T) {
			w := newWorld(t)
			w.hub.SetVariants(simulator.Variants{LabelUpdate: how})
			w.run()
			c := w.webhook("orders")
			w.ready(c)
			w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.Label = "renamed" })
			w.reason(c, v1alpha1.ConditionStalled, v1alpha1.ReasonNotApplied)
			n := w.hub.Count("updateWebhook")
			w.annotate(c, v1alpha1.AnnotationReconcileRequestedAt, "now")
			<-time.After(8 * time.Second)
			if got := w.hub.Count("updateWebhook") - n; got > 2 {
				w.Errorf("%d updates in 8 s for one request; handled: %q", got, w.get(c).Status.LastHandledReconcileAt)
			}
		})
	}
}

// Once an update whose label is refused needs two tokens in one step, which it never gets when they are scarce.
func TestARefusedLabelDoesNotStarveTheRestOfTheUpdate(t *testing.T) {
	w := newWorld(t)
	w.hub.SetVariants(simulator.Variants{LabelUpdate: simulator.LabelRefused})
	w.options = func(op *controller.Operator) { op.QPS, op.Burst = 5, 1 }
	w.polled(time.Minute)
	w.run()
	c := w.webhook("orders")
	w.ready(c)
	w.change(c, func(c *v1alpha1.Chatt2Webhook) {
		c.Spec.Label, c.Spec.EventType = "renamed", v1alpha1.EventTypeMessageStatus
	})
	w.Eventually(func() string { return w.onHub()[0].EventType }).Should(Equal("MessageStatus"))
}

// Once a leader that was paused between redefine and store overwrites what its successor stored.
func TestALateStoreDoesNotReplaceALiveSecret(t *testing.T) {
	w := newWorld(t)
	var armed, done atomic.Bool
	other, err := client.New(shared.Config, client.Options{Scheme: scheme})
	w.Expect(err).NotTo(HaveOccurred())
	var id string
	w.intercept(func(r *http.Request) *http.Response {
		if armed.Load() && r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/secrets/orders-signing") &&
			w.hub.Count("redefineSignature") > 0 && done.CompareAndSwap(false, true) {
			// The process is paused here. Its successor finds the rotation open, redefines and stores.
			if _, err := w.hub.RedefineByHand(id); err != nil {
				w.Error(err)
			}
			s := w.secret("orders-signing")
			s.Data["previousSecret"], s.Data["secret"] = s.Data["secret"], []byte(w.hub.SecretOf(id))
			delete(s.Annotations, v1alpha1.AnnotationRotationStartedAt)
			s.Annotations[v1alpha1.AnnotationRotatedAt] = time.Now().UTC().Format(time.RFC3339)
			s.Annotations[v1alpha1.AnnotationPreviousExpiresAt] = time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
			if err := other.Update(context.Background(), s); err != nil {
				w.Error(err)
			}
		}
		return nil
	})
	w.run()
	c := w.webhook("orders", signed)
	id = w.ready(c).Status.WebhookID
	armed.Store(true)
	w.annotate(c, v1alpha1.AnnotationRotateRequestedAt, "one")
	now := w.rotated(c, "one")
	<-time.After(3 * time.Second)
	w.holdsLiveSecret(now)
}

// Once a DELETE that is answered 400 is repeated each second for ever, and nothing says so.
func TestARefusedDeleteIsToldAndBacksOff(t *testing.T) {
	w := newWorld(t)
	w.options = func(op *controller.Operator) { op.Options.Settings.OrphanAfter = time.Hour }
	w.run()
	c := w.webhook("orders")
	w.ready(c)
	w.Expect(w.hub.AddFault(simulator.Fault{
		Kind: simulator.ErrorBeforeCommit, Status: 400, Match: simulator.Match{Operation: "deleteWebhook"},
	})).To(Succeed())
	w.Expect(w.Delete(w.Context(), c)).To(Succeed())
	<-time.After(12 * time.Second)
	if got := w.hub.Count("deleteWebhook"); got > 5 {
		w.Errorf("%d deletes in 12 s", got)
	}
	w.reason(c, v1alpha1.ConditionSynced, v1alpha1.ReasonDeletionBlocked)
	w.hub.ClearFaults()
	w.gone(c)
}

// Once a DELETE that the Hub refuses is repeated for ever, and the namespace of its resource never goes.
func TestADeleteThatIsRefusedForLongIsGivenUpAndTold(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders")
	w.ready(c)
	w.Expect1(w.hub.AddFault(simulator.Fault{
		Kind: simulator.ErrorBeforeCommit, Status: 405, Match: simulator.Match{Operation: "deleteWebhook"},
	}))
	w.Expect(w.Delete(w.Context(), c)).To(Succeed())
	w.gone(c)
	w.Expect(w.onHub()).To(HaveLen(1))
	w.Eventually(func() []string { return w.events(c) }).Should(ContainElement(v1alpha1.EventOrphaned))
}

// Once a resource whose status was lost in the lifetime of the process that registered it leaves its webhook behind.
func TestAResourceWithoutItsStatusStillDeletesItsWebhook(t *testing.T) {
	w := newWorld(t)
	w.polled(time.Minute)
	w.run()
	c := w.webhook("orders", func(c *v1alpha1.Chatt2Webhook) { c.Spec.Adoption.Policy = v1alpha1.AdoptNever })
	w.ready(c)
	before := w.get(c)
	after := before.DeepCopy()
	after.Status = v1alpha1.Chatt2WebhookStatus{ObservedGeneration: -1, Conditions: []metav1.Condition{}}
	w.Expect(w.Client.Status().Patch(w.Context(), after, client.MergeFrom(before))).To(Succeed())
	w.eventually(c, "the owner of its webhook again", func(now *v1alpha1.Chatt2Webhook) bool {
		return now.Status.WebhookID != ""
	})
	w.Expect(w.Delete(w.Context(), c)).To(Succeed())
	w.gone(c)
	if n := len(w.onHub()); n != 0 {
		w.Errorf("%d webhook left behind: %v", n, w.events(c))
	}
}

// Once an annotation of the template with an empty value is never put on, and tried for ever.
func TestAnEmptyAnnotationOfTheTemplate(t *testing.T) {
	w := newWorld(t)
	counter := w.countWrites()
	w.run()
	c := w.webhook("orders", signed, func(c *v1alpha1.Chatt2Webhook) {
		c.Spec.SigningSecret = &v1alpha1.SigningSecret{Template: &v1alpha1.SecretTemplate{
			Metadata: v1alpha1.SecretTemplateMetadata{
				Annotations: map[string]v1alpha1.AnnotationValue{"empty": ""}, Labels: map[string]v1alpha1.LabelValue{"bare": ""},
			},
		}}
	})
	w.ready(c)
	w.Eventually(func() []string {
		defer counter.reset()
		return counter.list()
	}).WithPolling(6*time.Second).Should(BeEmpty(), "writes while nothing happens")
	s := w.secret("orders-signing")
	w.Expect(s.Annotations).To(HaveKey("empty"))
	w.Expect(s.Labels).To(HaveKey("bare"))
}

// Once while a secret is held, nothing else of spec is done, yet Synced and Ready say that it is.
func TestAHeldSecretDoesNotMakeReadyOfWhatIsNotDone(t *testing.T) {
	w := newWorld(t)
	var failing atomic.Bool
	w.intercept(func(r *http.Request) *http.Response {
		if failing.Load() && r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/secrets/orders-signing") {
			if w.hub.Count("redefineSignature") > 0 {
				return failure(http.StatusForbidden)
			}
		}
		return nil
	})
	w.run()
	c := w.webhook("orders", signed)
	w.ready(c)
	failing.Store(true)
	w.annotate(c, v1alpha1.AnnotationRotateRequestedAt, "one")
	w.eventually(c, "not ready", func(now *v1alpha1.Chatt2Webhook) bool { return !now.IsReady() && w.hub.Count("redefineSignature") > 0 })
	w.change(c, func(c *v1alpha1.Chatt2Webhook) {
		c.Spec.RequiresSignature = false
		c.Spec.EventType = v1alpha1.EventTypeMessageStatus
	})
	<-time.After(6 * time.Second)
	now := w.get(c)
	on := w.onHub()[0]
	if now.IsReady() && (on.RequiresSignature || on.EventType != "MessageStatus") {
		w.Errorf("Ready for generation %d while the Hub has requiresSignature %v and %s: %s", now.Status.ObservedGeneration,
			on.RequiresSignature, on.EventType, pretty(now.Status.Conditions))
	}
}

// Once a Secret that status does not know of yet is left behind when signing is turned off.
func TestASecretThatStatusDoesNotKnowOfGoesToo(t *testing.T) {
	w := newWorld(t)
	var dying atomic.Bool
	w.intercept(func(r *http.Request) *http.Response {
		if dying.Load() && r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/status") {
			return failure(http.StatusInternalServerError)
		}
		return nil
	})
	dying.Store(true)
	w.run()
	c := w.webhook("orders", signed)
	w.Eventually(func() any { return w.secret("orders-signing") }).ShouldNot(BeNil())
	w.stop()
	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.RequiresSignature = false })
	dying.Store(false)
	w.run()
	w.ready(c)
	w.Expect(w.onHub()[0].RequiresSignature).To(BeFalse())
	w.Eventually(func() bool { return w.secret("orders-signing") != nil }).Should(BeFalse(), "the Secret is still there")
}

// Once a Secret that cannot be written under its new name is told nowhere.
func TestAMoveThatIsForbiddenIsTold(t *testing.T) {
	w := newWorld(t)
	var moved atomic.Bool
	w.intercept(func(r *http.Request) *http.Response {
		if w.secretPost(r) && moved.Load() {
			return failure(http.StatusForbidden)
		}
		return nil
	})
	w.run()
	c := w.webhook("orders", signed)
	w.ready(c)
	moved.Store(true)
	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.SigningSecret = &v1alpha1.SigningSecret{Name: "moved"} })
	w.eventually(c, "the refusal is told", func(now *v1alpha1.Chatt2Webhook) bool {
		return findCondition(now, v1alpha1.ConditionSigningSecretReady).Reason == v1alpha1.ReasonSecretRejected
	})
}

func (w *world) secretPost(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/secrets")
}

// Once an API-key Secret that may not be patched stops everything, and nothing says so.
func TestASecretThatCannotBeProtectedIsTold(t *testing.T) {
	w := newWorld(t)
	w.intercept(func(r *http.Request) *http.Response {
		if r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/secrets/api-key") {
			return failure(http.StatusForbidden)
		}
		return nil
	})
	w.run()
	c := w.webhook("orders")
	w.eventually(c, "reported", func(now *v1alpha1.Chatt2Webhook) bool {
		return now.Status.ObservedGeneration == now.Generation
	})
}

func TestTheFinalizerIsPutBack(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders")
	w.ready(c)
	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Finalizers = nil })
	w.eventually(c, "held again", func(now *v1alpha1.Chatt2Webhook) bool { return len(now.Finalizers) > 0 })
	w.Expect(w.Delete(w.Context(), c)).To(Succeed())
	w.gone(c)
	w.Expect(w.onHub()).To(BeEmpty())
}

func TestAStatusThatSomebodyElseWroteIsPutRight(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders")
	id := w.ready(c).Status.WebhookID
	before := w.get(c)
	after := before.DeepCopy()
	after.Status.WebhookID, after.Status.IsVerified = "x", false
	for i := range after.Status.Conditions {
		after.Status.Conditions[i].Status, after.Status.Conditions[i].Reason = metav1.ConditionFalse, "Foo"
	}
	w.Expect(w.Status().Patch(w.Context(), after, client.MergeFrom(before))).To(Succeed())
	w.eventually(c, "as it was", func(now *v1alpha1.Chatt2Webhook) bool {
		return now.IsReady() && now.Status.WebhookID == id && now.Status.IsVerified
	})
	w.Expect(w.hub.Mutations()).To(HaveLen(1))
}
