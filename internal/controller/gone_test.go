package controller_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/controller"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// Once nobody was told of a webhook whose resource somebody took away, by its finalizer, while it was registered.
func TestAResourceThatIsTakenAwayWhileItIsRegisteredIsToldOf(t *testing.T) {
	w := newWorld(t)
	var c *v1alpha1.Chatt2Webhook
	w.transport = func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/webhook") {
				w.Expect1(w.Delete(w.Context(), c))
				before := w.get(c)
				after := before.DeepCopy()
				after.Finalizers = nil
				w.Expect1(w.Patch(w.Context(), after, client.MergeFrom(before)))
			}
			return next.RoundTrip(r)
		})
	}
	w.run()
	c = w.declared("orders")
	w.create(c)
	w.Eventually(func() []string { return w.events(c) }).Should(ContainElement(v1alpha1.EventOrphaned))
	w.Expect(w.onHub()).To(HaveLen(1))
}

func TestAResourceThatLosesItsFinalizerAndIsDeletedIsReportedAsOrphaned(t *testing.T) {
	w := newWorld(t)
	w.Expect(w.hub.AddFault(simulator.Fault{
		Kind: simulator.ErrorBeforeCommit, Status: http.StatusServiceUnavailable,
		Match: simulator.Match{Operation: "deleteWebhook"},
	})).To(Succeed())
	w.run()
	c := w.ready(w.webhook("orders"))
	w.Expect(w.Delete(w.Context(), c)).To(Succeed())
	w.reason(c, v1alpha1.ConditionSynced, v1alpha1.ReasonDeletionBlocked)
	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Finalizers = nil })
	w.gone(c)
	w.Eventually(func() []string { return w.events(c) }).Should(ContainElement(v1alpha1.EventOrphaned))
	w.Expect(w.onHub()).To(HaveLen(1))
	w.Expect(w.logs.String()).To(ContainSubstring(c.Status.WebhookID))

	// A resource of the same name adopts it.
	again := w.ready(w.webhook("orders"))
	w.Expect(again.Status.WebhookID).To(Equal(c.Status.WebhookID))
}

// Another process may have deleted it, or the user who removed the finalizer.
func TestAWebhookThatIsNotOnTheHubIsNotLeftThere(t *testing.T) {
	w := newWorld(t)
	w.options = func(op *controller.Operator) { op.Options.Settings.PollInterval = time.Hour }
	w.Expect(w.hub.AddFault(simulator.Fault{
		Kind: simulator.ErrorBeforeCommit, Status: http.StatusServiceUnavailable,
		Match: simulator.Match{Operation: "deleteWebhook"},
	})).To(Succeed())
	w.run()
	blocked := func(name string) *v1alpha1.Chatt2Webhook {
		c := w.ready(w.webhook(name))
		w.Expect(w.Delete(w.Context(), c)).To(Succeed())
		w.reason(c, v1alpha1.ConditionSynced, v1alpha1.ReasonDeletionBlocked)
		return c
	}
	gone, left := blocked("gone"), blocked("left")
	w.Expect(w.hub.DeleteByHand(gone.Status.WebhookID)).To(Succeed())
	for _, c := range []*v1alpha1.Chatt2Webhook{gone, left} {
		w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Finalizers = nil })
	}
	w.Eventually(func() []string { return w.events(left) }).Should(ContainElement(v1alpha1.EventOrphaned))
	w.Expect(w.events(gone)).NotTo(ContainElement(v1alpha1.EventOrphaned))
}

// The key that the webhook was registered with may never be accepted again.
func TestAResourceIsReplacedThoughItsFormerAPIKeyIsRefused(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.ready(w.webhook("orders"))
	w.Expect1(w.hub.RevokeKey(w.app.ID, simulator.DefaultKeyName))
	w.annotate(c, v1alpha1.AnnotationReconcileRequestedAt, "now")
	w.reason(c, v1alpha1.ConditionSynced, v1alpha1.ReasonAPIKeyRefused)
	w.Expect(w.Delete(w.Context(), c)).To(Succeed())
	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Finalizers = nil })
	w.gone(c)

	// One that declares the same would adopt the webhook later.
	again := w.webhook("orders", func(c *v1alpha1.Chatt2Webhook) { c.Spec.Label = "other" })
	w.reason(again, v1alpha1.ConditionSynced, v1alpha1.ReasonAPIKeyRefused)
	w.Eventually(func() []string { return w.events(c) }).Should(ContainElement(v1alpha1.EventOrphaned))
}

// The Hub may refuse for good to show the webhook of the former resource.
func TestAResourceIsReplacedThoughTheHubDoesNotShowTheFormerWebhook(t *testing.T) {
	for _, fault := range []simulator.Fault{
		{Kind: simulator.Refused, Status: http.StatusForbidden},
		{Kind: simulator.ErrorBeforeCommit, Status: http.StatusInternalServerError},
	} {
		t.Run(fmt.Sprint(fault.Status), func(t *testing.T) {
			w := newWorld(t)
			w.run()
			c := w.ready(w.webhook("orders"))
			fault.Match = simulator.Match{Operation: "getWebhook", WebhookID: c.Status.WebhookID}
			w.Expect(w.hub.AddFault(fault)).To(Succeed())
			w.Expect(w.hub.AddFault(simulator.Fault{
				Kind: simulator.ErrorBeforeCommit, Status: http.StatusServiceUnavailable,
				Match: simulator.Match{Operation: "deleteWebhook"},
			})).To(Succeed())
			w.Expect(w.Delete(w.Context(), c)).To(Succeed())
			w.reason(c, v1alpha1.ConditionSynced, v1alpha1.ReasonDeletionBlocked)
			w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Finalizers = nil })
			w.gone(c)
			w.ready(w.webhook("orders", func(c *v1alpha1.Chatt2Webhook) { c.Spec.Label = "other" }))
			w.Eventually(func() []string { return w.events(c) }).Should(ContainElement(v1alpha1.EventOrphaned))
		})
	}
}

// A resource that never adopts leaves the webhook of an earlier one on the Hub.
func TestAWebhookIsLeftWhereTheOtherResourceNeverAdopts(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.ready(w.webhook("orders"))
	other := w.webhook("other", func(o *v1alpha1.Chatt2Webhook) {
		o.Spec.Label, o.Spec.Endpoint, o.Spec.Adoption.Policy = c.Spec.Label, c.Spec.Endpoint, v1alpha1.AdoptNever
	})
	w.reason(other, v1alpha1.ConditionReady, v1alpha1.ReasonConflict)
	w.Expect(w.hub.AddFault(simulator.Fault{
		Kind: simulator.ErrorBeforeCommit, Status: http.StatusServiceUnavailable,
		Match: simulator.Match{Operation: "deleteWebhook"},
	})).To(Succeed())
	w.Expect(w.Delete(w.Context(), c)).To(Succeed())
	w.reason(c, v1alpha1.ConditionSynced, v1alpha1.ReasonDeletionBlocked)
	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Finalizers = nil })
	w.gone(c)
	w.Eventually(func() []string { return w.events(c) }).Should(ContainElement(v1alpha1.EventOrphaned))
}
