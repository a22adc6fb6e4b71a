package controller_test

import (
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// lostWithOtherKey is a resource whose registration was carried out, without an answer, with the API key of another
// Application than the one that it has now.
func (w *world) lostWithOtherKey() *v1alpha1.Chatt2Webhook {
	w.Helper()
	const wrong = "CNRY-key-of-the-wrong-application"
	other := w.hub.AddApplication("other", wrong)
	w.Expect1(w.hub.AddFault(simulator.Fault{
		Kind: simulator.DropAfterCommit, Times: 1, Match: simulator.Match{Operation: "createWebhook"},
	}))
	w.create(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "wrong-key"}, Data: map[string][]byte{"apiKey": []byte(wrong)},
	})
	c := w.webhook("orders", func(c *v1alpha1.Chatt2Webhook) { c.Spec.APIKeySecretRef.Name = "wrong-key" })
	w.Eventually(func() []simulator.Webhook { return w.hub.Webhooks(other.ID) }).Should(HaveLen(1))
	w.stop()
	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.APIKeySecretRef.Name = "api-key" })
	return c
}

// Once the webhook in the wrong Application was forgotten, and nobody was told.
func TestARegistrationWithAnotherKeyIsToldWhenItIsGivenUp(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.lostWithOtherKey()
	w.run()
	w.ready(c)
	w.Expect(w.onHub()).To(HaveLen(1))
	w.Eventually(func() []string { return w.events(c) }).Should(ContainElement(v1alpha1.EventOrphaned))
}

func TestADeletionTellsOfARegistrationWithAnotherKey(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.lostWithOtherKey()
	w.Expect1(w.Delete(w.Context(), c))
	w.run()
	w.gone(c)
	w.Expect(w.onHub()).To(BeEmpty())
	w.Eventually(func() []string { return w.events(c) }).Should(ContainElement(v1alpha1.EventOrphaned))
}
