package process_test

import (
	"slices"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// live takes two resources through all that can become of them, and then away again.
func (w *world) live() {
	w.Helper()
	c := w.signedWithHeaders()
	w.rotateAndDeliver(c)
	w.correctDrift(c)
	adopted := w.adopt()

	w.Eventually(func() []string { return w.events(c) }).Should(ContainElements(v1alpha1.EventRegistered,
		v1alpha1.EventSecretRotated, v1alpha1.EventDriftCorrected, v1alpha1.EventUpdated))
	w.Eventually(func() []string { return w.events(adopted) }).Should(ContainElement(v1alpha1.EventAdopted))

	w.must(w.Delete(w.Context(), c))
	w.gone(c)
	w.Eventually(func() []string { return w.events(c) }).Should(ContainElement(v1alpha1.EventDeleted))
	w.gone(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "orders-signing"}})
	w.keyIsProtected()
	w.must(w.Delete(w.Context(), adopted))
	w.gone(adopted)
	w.Expect(w.onHub()).To(BeEmpty())
	w.Eventually(func() []string { return w.read(w.namespace, "api-key").Finalizers }).Should(BeEmpty(),
		"the API key's Secret is not let go")
}

// keyIsProtected asserts that the Secret of the API key is kept while it is in use, unless nobody could let it go.
func (w *world) keyIsProtected() {
	w.Helper()
	protected := slices.Contains(w.read(w.namespace, "api-key").Finalizers, v1alpha1.APIKeyFinalizer)
	if protected == w.unprotected {
		w.Errorf("the Secret of the API key is protected: %t", protected)
	}
}

// signedWithHeaders registers a webhook that is signed and sends headers from a Secret and a ConfigMap.
func (w *world) signedWithHeaders() *v1alpha1.Chatt2Webhook {
	w.Helper()
	token, tenant := `Bearer "/+ `+w.canary(), w.canary()
	w.canaries = append(w.canaries, token)
	inline := random()
	w.inSpec = append(w.inSpec, inline)
	w.secret(w.namespace, "receiver-auth", "token", token)
	w.must(w.Client.Create(w.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "receiver-tenant"}, Data: map[string]string{"tenant": tenant},
	}))
	c := w.webhook("orders", signed, func(c *v1alpha1.Chatt2Webhook) {
		c.Spec.Headers = []v1alpha1.Header{
			{Key: "X-Inline", Value: &inline},
			{Key: "X-Token", ValueFrom: &v1alpha1.HeaderSource{
				SecretKeyRef: &v1alpha1.KeyReference{Name: "receiver-auth", Key: "token"},
			}},
			{Key: "X-Tenant", ValueFrom: &v1alpha1.HeaderSource{
				ConfigMapKeyRef: &v1alpha1.KeyReference{Name: "receiver-tenant", Key: "tenant"},
			}},
		}
	})
	now := w.ready(c)
	w.Expect(now.Status.IsVerified).To(BeTrue())
	w.Expect(now.Finalizers).To(ContainElement(v1alpha1.WebhookFinalizer))
	w.Expect(w.hub.HeadersOf(now.Status.WebhookID)).To(ConsistOf(simulator.Header{Key: "X-Inline", Value: inline},
		simulator.Header{Key: "X-Token", Value: token}, simulator.Header{Key: "X-Tenant", Value: tenant}))
	w.keyIsProtected()
	w.holdsLiveSecret(c)

	// A changed source is sent anew.
	next := w.canary()
	source := &corev1.ConfigMap{}
	w.must(w.Get(w.Context(), client.ObjectKey{Namespace: w.namespace, Name: "receiver-tenant"}, source))
	source.Data["tenant"] = next
	w.must(w.Update(w.Context(), source))
	w.Eventually(func() []simulator.Header { return w.hub.HeadersOf(now.Status.WebhookID) }).Should(
		ContainElement(simulator.Header{Key: "X-Tenant", Value: next}))
	return c
}

// rotateAndDeliver exchanges the signing secret, and has an event accepted that is signed with the new one.
func (w *world) rotateAndDeliver(c *v1alpha1.Chatt2Webhook) {
	w.Helper()
	before := w.hub.SecretOf(w.get(c).Status.WebhookID)
	w.rotate(c, "first")
	w.holdsLiveSecret(c)
	w.Expect(string(w.read(w.namespace, c.SigningSecretName()).Data[v1alpha1.SecretKeyPrevious])).To(Equal(before))
	w.mount(c)
	_, err := w.hub.SendEvent(w.app.ID, []byte(`{"eventType":"Message","messageId":"m1"}`))
	w.must(err)
	w.Expect(w.receiver.Stats().Accepted).To(Equal(1), "an event that is signed with the new secret")
}

// correctDrift changes the webhook behind the operator's back, and then in spec.
func (w *world) correctDrift(c *v1alpha1.Chatt2Webhook) {
	w.Helper()
	id := w.get(c).Status.WebhookID
	_, err := w.hub.ChangeByHand(id, simulator.Change{Endpoint: new(w.endpoint + "/elsewhere")})
	w.must(err)
	w.Eventually(func() string { return w.onHub()[0].Endpoint }).Should(Equal(c.Spec.Endpoint), "drift is not corrected")
	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.Endpoint = w.endpoint + "/moved" })
	w.Eventually(func() string { return w.onHub()[0].Endpoint }).Should(Equal(w.endpoint + "/moved"))
	w.ready(c)
}

// adopt declares a webhook that the Hub has already, and has it signed for a while.
func (w *world) adopt() *v1alpha1.Chatt2Webhook {
	w.Helper()
	byHand, err := w.hub.CreateByHand(w.app.ID, simulator.Change{
		Label: new("adopted"), Endpoint: new(w.endpoint + "/adopted"), IsVerified: new(true),
	})
	w.must(err)
	// The operator knows the Hub by its listings.
	listings := w.hub.Count("listWebhooks")
	w.Eventually(func() int { return w.hub.Count("listWebhooks") }).Should(BeNumerically(">", listings+1))
	c := w.webhook("adopted")
	w.Expect(w.ready(c).Status.WebhookID).To(Equal(byHand.ID))
	w.Expect(w.onHub()).To(HaveLen(2))

	w.change(c, signed)
	w.ready(c)
	w.holdsLiveSecret(c)
	secret := w.read(w.namespace, "adopted-signing")
	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.RequiresSignature = false })
	w.gone(secret)
	w.ready(c)
	return c
}

// events are the reasons of the events about a resource.
func (w *world) events(c client.Object) []string {
	w.Helper()
	var list eventsv1.EventList
	w.must(w.List(w.Context(), &list, client.InNamespace(c.GetNamespace())))
	var reasons []string
	for i := range list.Items {
		if list.Items[i].Regarding.Name == c.GetName() {
			reasons = append(reasons, list.Items[i].Reason)
		}
	}
	return reasons
}
