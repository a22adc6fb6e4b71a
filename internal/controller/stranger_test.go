package controller_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// stranger registers a webhook that no resource declares, which the Hub shows with these fields.
func (w *world) stranger(fields map[string]any) {
	w.Helper()
	_, err := w.hub.CreateByHand(w.app.ID, simulator.Change{
		Label: new("stranger"), Endpoint: new(w.endpoint.URL + "/stranger"), EventType: new("Message"),
	})
	w.Expect1(err)
	w.hub.SetVariants(simulator.Variants{FieldsOf: map[string]map[string]any{"stranger": fields}})
}

func TestAnOddFieldOfAWebhookOfSomebodyElseDoesNotMatter(t *testing.T) {
	w := newWorld(t)
	w.stranger(map[string]any{
		"numberOfErrors": "0", "isVerified": "no", "active": nil, "scope": 7, "createdDate": "9999-12-31T23:59:59-03:00",
	})
	w.run()
	c := w.ready(w.webhook("orders", signed))
	w.holdsLiveSecret(c)
}

func TestAWebhookOfSomebodyElseThatCannotBeReadIsNamedAndWhatIsKnownGoesOn(t *testing.T) {
	w := newWorld(t)
	w.run()
	known := w.ready(w.webhook("known", signed))
	deleted := w.ready(w.webhook("deleted"))
	w.stranger(map[string]any{"id": 17})

	waiting := w.webhook("waiting")

	w.Expect(w.reason(waiting, v1alpha1.ConditionSynced, v1alpha1.ReasonHubUnavailable)).To(
		ContainSubstring(`the field id of the webhook labelled "stranger"`))
	secret := w.hub.SecretOf(known.Status.WebhookID)
	w.annotate(known, v1alpha1.AnnotationRotateRequestedAt, "now")
	w.Eventually(func() string { return w.hub.SecretOf(known.Status.WebhookID) }).ShouldNot(Equal(secret))
	w.change(known, func(c *v1alpha1.Chatt2Webhook) { c.Spec.Endpoint = w.endpoint.URL + "/elsewhere" })
	w.holdsLiveSecret(w.ready(known))
	w.Expect(w.Delete(w.Context(), deleted)).To(Succeed())
	w.gone(deleted)
	w.Expect(w.get(waiting).Status.WebhookID).To(BeEmpty(), "it may be the stranger")

	w.hub.SetVariants(simulator.Variants{})
	w.ready(waiting)
	w.Expect(w.onHub()).To(HaveLen(3))
}
