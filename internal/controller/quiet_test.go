package controller_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// quietTime is some poll intervals of the tests' operator.
const quietTime = 4 * time.Second

func TestNothingIsWrittenWhileNothingHappens(t *testing.T) {
	w := newWorld(t)
	asked := w.countWrites()
	w.run()
	plain, sig := w.webhook("plain"), w.webhook("signed", signed)
	w.ready(plain)
	w.ready(sig)
	gets := w.hub.Count("getWebhook")
	w.quiet(time.Second)
	asked.reset()
	mutations, versions := w.quiet(quietTime)
	w.Expect(mutations).To(BeZero())
	w.Expect(w.hub.Count("getWebhook")).To(Equal(gets), "single webhooks were looked at")

	w.restart()
	listings := w.hub.Count("listWebhooks")
	w.Eventually(func() int { return w.hub.Count("listWebhooks") }).Should(BeNumerically(">=", listings+3))
	mutations, after := w.quiet(quietTime)
	w.Expect(mutations).To(BeZero(), "a restart changed something on the Hub")
	w.Expect(after).To(Equal(versions), "a restart wrote to the API server")
	w.Expect(asked.list()).To(BeEmpty(), "the API server was asked to write")
}

func TestASuspendedResourceIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders")
	id := w.ready(c).Status.WebhookID
	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.Suspend = true })
	w.reason(c, v1alpha1.ConditionReady, v1alpha1.ReasonSuspended)
	_, err := w.hub.ChangeByHand(id, simulator.Change{EventType: new("MessageStatus")})
	w.Expect1(err)
	w.hub.ClearRequests()
	w.quiet(quietTime)
	w.Expect(w.hub.Requests()).To(BeEmpty())

	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.Suspend = false })
	w.Eventually(func() string { return w.onHub()[0].EventType }).Should(Equal("Message"))
	w.ready(c)

	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.Suspend = true })
	w.reason(c, v1alpha1.ConditionReady, v1alpha1.ReasonSuspended)
	w.Expect(w.Delete(w.Context(), c)).To(Succeed())
	w.gone(c)
	w.Expect(w.onHub()).To(BeEmpty())
}

func TestARequestedLookIsTakenOnceForEachValue(t *testing.T) {
	w := newWorld(t)
	w.polled(time.Hour)
	w.run()
	c := w.webhook("orders")
	id := w.ready(c).Status.WebhookID
	w.afterReadLag(id)
	_, err := w.hub.ChangeByHand(id, simulator.Change{EventType: new("MessageStatus")})
	w.Expect1(err)
	w.annotate(c, v1alpha1.AnnotationReconcileRequestedAt, "2026-01-01T00:00:00Z")
	now := w.eventually(c, "handled", func(now *v1alpha1.Chatt2Webhook) bool {
		return now.Status.LastHandledReconcileAt == "2026-01-01T00:00:00Z"
	})
	w.Eventually(func() string { return w.onHub()[0].EventType }).Should(Equal("Message"))
	w.ready(now)
	w.hub.ClearRequests()
	w.quiet(quietTime)
	w.Expect(w.hub.Requests()).To(BeEmpty(), "the request was answered more than once")
}

func TestAResourceCostsOnePOSTAndFewWrites(t *testing.T) {
	w := newWorld(t)
	counted := w.countWrites()
	w.run()
	w.ready(w.webhook("first"))
	for name, most := range map[string]int{"unsigned": 3, "signed": 4} {
		w.hub.ClearRequests()
		counted.reset()
		c := w.webhook(name, func(c *v1alpha1.Chatt2Webhook) { c.Spec.RequiresSignature = name == "signed" })
		w.ready(c)
		w.Expect(w.hub.Mutations()).To(HaveLen(1))
		w.Expect(w.hub.Count("getWebhook")).To(BeZero())
		w.Expect(counted.writes()).To(BeNumerically("<=", most), "%s: %v", name, counted.list())
		t.Logf("%s: %v", name, counted.list())
	}
}
