package controller_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/controller"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
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
	w.Eventually(func() []string { return w.events(c) }).Should(
		ConsistOf(v1alpha1.EventRegistered, v1alpha1.ReasonVerified))
}

func TestAVerificationThatComesWithTheRegistrationHasNoEventOfItsOwn(t *testing.T) {
	w := newWorld(t)
	w.hub.SetVariants(simulator.Variants{VerifyBeforeAnswer: true})
	w.run()
	c := w.webhook("orders")
	w.ready(c)
	w.Eventually(func() []string { return w.events(c) }).Should(ContainElement(v1alpha1.EventRegistered))
	w.Expect(w.events(c)).To(HaveLen(1))
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

func TestWhatTheCacheDoesNotKeepStaysOnTheResource(t *testing.T) {
	w := newWorld(t)
	w.run()
	const applied = "kubectl.kubernetes.io/last-applied-configuration"
	c := w.webhook("orders", func(c *v1alpha1.Chatt2Webhook) { c.Annotations = map[string]string{applied: "{}"} })
	now := w.ready(c)
	w.Expect(now.Annotations).To(HaveKeyWithValue(applied, "{}"))
	w.Expect(now.ManagedFields).NotTo(BeEmpty())
	kept, err := controller.Strip(now.DeepCopy())
	w.Expect(err).NotTo(HaveOccurred())
	stripped := kept.(*v1alpha1.Chatt2Webhook)
	w.Expect(stripped.Annotations).NotTo(HaveKey(applied))
	w.Expect(stripped.ManagedFields).To(BeEmpty())
	w.Expect(stripped.Annotations).To(HaveKey(v1alpha1.AnnotationCreateStartedAt))
}

func TestACallThatTheKeyDoesNotAllowIsToldAndMadeAgain(t *testing.T) {
	w := newWorld(t)
	w.Expect1(w.hub.AddFault(simulator.Fault{
		Kind: simulator.Refused, Status: 403, Match: simulator.Match{Operation: "createWebhook"},
	}))
	w.run()
	c := w.webhook("orders")
	w.reason(c, v1alpha1.ConditionSynced, v1alpha1.ReasonForbidden)
	w.hub.ClearFaults()
	w.ready(c)
	w.Expect(w.onHub()).To(HaveLen(1))
}

func TestAWebhookIsRecognisedInTheSpellingOfTheHub(t *testing.T) {
	w := newWorld(t)
	w.hub.SetVariants(simulator.Variants{NormalizeEndpoint: true, NormalizeLabel: true})
	w.Expect(w.hub.AddFault(simulator.Fault{
		Kind: simulator.DropAfterCommit, Match: simulator.Match{Operation: "createWebhook"}, Times: 1,
	})).To(Succeed())
	w.run()
	c := w.ready(w.webhook("orders", func(c *v1alpha1.Chatt2Webhook) {
		c.Spec.Label = "Orders  of the shop"
		c.Spec.Endpoint += "/./%61ll"
	}))
	w.Expect(w.onHub()).To(HaveLen(1))
	w.Expect(w.onHub()[0].ID).To(Equal(c.Status.WebhookID))
	w.Expect(w.onHub()[0].Endpoint).NotTo(Equal(c.Spec.Endpoint), "the Hub spells it otherwise")
	w.Expect(w.hub.Count("createWebhook")).To(Equal(1))
}
