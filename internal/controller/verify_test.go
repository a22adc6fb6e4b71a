package controller_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

func TestAnEndpointThatComesUpLateIsVerified(t *testing.T) {
	for name, variants := range map[string]simulator.Variants{
		"a Hub that verifies an unchanged endpoint":    {},
		"a Hub that verifies a changed endpoint alone": {VerifyChangedOnly: true},
		"a Hub that verifies after its answer":         {VerifyAfter: simulator.Duration(500 * time.Millisecond)},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.hub.SetVariants(variants)
			w.endpoint.set(false)
			w.run()
			c := w.webhook("orders")
			w.Expect(w.reason(c, v1alpha1.ConditionReady, v1alpha1.ReasonAwaitingVerification)).To(
				ContainSubstring("X-Validation-Token"))
			w.endpoint.set(true)
			w.annotate(c, v1alpha1.AnnotationReconcileRequestedAt, "first")
			// A Hub that only looks at another endpoint needs a second try.
			w.eventually(c, "asked once", func(now *v1alpha1.Chatt2Webhook) bool {
				return now.Status.LastHandledReconcileAt == "first"
			})
			w.annotate(c, v1alpha1.AnnotationReconcileRequestedAt, "second")
			w.ready(c)
			w.Eventually(func() string { return w.onHub()[0].Endpoint }).Should(Equal(c.Spec.Endpoint))
			w.Expect(w.onHub()).To(HaveLen(1))
		})
	}
}

func TestAnUnverifiedEndpointIsTriedAgainWithoutBeingAsked(t *testing.T) {
	// It takes a minute: that is when the Hub is first made to try again.
	w := newWorld(t)
	w.endpoint.set(false)
	w.run()
	c := w.webhook("orders")
	w.reason(c, v1alpha1.ConditionVerified, v1alpha1.ReasonAwaitingVerification)
	deadline := time.Now().Add(2 * time.Minute)
	for w.hub.Count("updateWebhook") == 0 && time.Now().Before(deadline) {
		<-time.After(100 * time.Millisecond)
	}
	w.reason(c, v1alpha1.ConditionVerified, v1alpha1.ReasonVerificationFailed)
	w.Expect(w.hub.Count("updateWebhook")).To(Equal(1))
}

func TestReadyWaitsForTheRegistrationAloneWhereSpecSaysSo(t *testing.T) {
	w := newWorld(t)
	w.endpoint.set(false)
	w.run()
	c := w.webhook("orders", func(c *v1alpha1.Chatt2Webhook) { c.Spec.ReadyWhen = v1alpha1.ReadyWhenRegistered })
	now := w.ready(c)
	w.Expect(now.Status.IsVerified).To(BeFalse())
	w.Expect(findCondition(now, v1alpha1.ConditionReconciling)).To(BeNil(), "a wait would hang")
}

func TestAVerificationThatTheHubTakesBackIsTold(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders")
	id := w.ready(c).Status.WebhookID
	w.endpoint.set(false)
	_, err := w.hub.ChangeByHand(id, simulator.Change{IsVerified: new(false)})
	w.Expect1(err)
	now := w.eventually(c, "unverified", func(now *v1alpha1.Chatt2Webhook) bool { return !now.Status.IsVerified })
	w.Expect(now.IsReady()).To(BeFalse())
}
