package controller_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

func TestAWebhookIsRegisteredAndVerified(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders")
	now := w.ready(c)

	w.Expect(w.onHub()).To(HaveLen(1))
	w.Expect(now.Status.WebhookID).To(Equal(w.onHub()[0].ID))
	w.Expect(now.Status.ApplicationID).To(Equal(w.app.ID))
	w.Expect(now.Status.IsVerified).To(BeTrue())
	w.Expect(now.Finalizers).To(ContainElement(v1alpha1.WebhookFinalizer))
	w.Expect(w.hub.Count("createWebhook")).To(Equal(1))
	w.Expect(w.secret("api-key").Finalizers).To(ContainElement(v1alpha1.APIKeyFinalizer))
	w.Eventually(func() []string { return w.events(c) }).Should(ContainElement(v1alpha1.EventRegistered))
	w.Expect(w.events(c)).To(HaveLen(1), "a verification that came with the registration is told by itself")
}

func TestASignedWebhookHasItsSecretStored(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders", signed)
	now := w.ready(c)
	s := w.secret("orders-signing")
	w.Expect(s).NotTo(BeNil())
	w.Expect(string(s.Data["secret"])).To(Equal(w.hub.SecretOf(now.Status.WebhookID)))
	w.Expect(w.hub.Count("redefineSignature")).To(BeZero())
}

func TestADeletedResourceTakesItsWebhookAlong(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders", signed)
	w.ready(c)
	w.Expect(w.Delete(w.Context(), c)).To(Succeed())
	w.gone(c)
	w.Expect(w.onHub()).To(BeEmpty())
	w.Eventually(func() []string { return w.secret("api-key").Finalizers }).Should(BeEmpty())
}
