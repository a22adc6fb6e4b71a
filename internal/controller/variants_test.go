package controller_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// TestEveryHubIsManaged tells the main story on each deployment of the Hub that some user has.
func TestEveryHubIsManaged(t *testing.T) {
	for name, variants := range map[string]simulator.Variants{
		"bare lists":                   {BareLists: true},
		"newest first":                 {NewestFirst: true},
		"small pages":                  {MaxLimit: 3},
		"no label or signature shown":  {OmitFields: []string{"label", "requiresSignature"}},
		"no scope shown":               {OmitFields: []string{"scope", "active", "lastModifiedDate"}},
		"unknown fields and values":    {Fields: map[string]any{"color": "red", "authenticationProtocol": "NoAuthentication"}},
		"create answers 200":           {CreateAnswersOK: true},
		"verification before answers":  {VerifyBeforeAnswer: true},
		"headers reset verification":   {HeadersResetVerified: true},
		"reads lag a second":           {ReadLag: simulator.Duration(time.Second)},
		"messages as lists":            {ErrorBody: simulator.ErrorArray},
		"messages as HTML":             {ErrorBody: simulator.ErrorHTML},
		"no messages":                  {ErrorBody: simulator.ErrorNoMessage},
		"no secret in the answer":      {OmitSecret: true},
		"verifies only what changed":   {VerifyChangedOnly: true},
		"label ignored, none returned": {LabelUpdate: simulator.LabelIgnored, OmitFields: []string{"label"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.hub.SetVariants(variants)
			w.run()
			c := w.webhook("orders", signed, func(c *v1alpha1.Chatt2Webhook) {
				c.Spec.Headers = []v1alpha1.Header{{Key: "X-A", Value: new("first")}}
			})
			for _, other := range []string{"o1", "o2", "o3", "o4"} {
				w.webhook(other)
			}
			id := w.ready(c).Status.WebhookID
			w.holdsLiveSecret(w.get(c))
			w.change(c, func(c *v1alpha1.Chatt2Webhook) {
				c.Spec.Endpoint += "/new"
				c.Spec.Headers[0].Value = new("second")
			})
			w.Eventually(func() string { return w.webhookOnHub(id).Endpoint }).Should(Equal(w.get(c).Spec.Endpoint))
			w.annotate(c, v1alpha1.AnnotationReconcileRequestedAt, "now")
			w.ready(c)
			w.annotate(c, v1alpha1.AnnotationRotateRequestedAt, "now")
			w.holdsLiveSecret(w.rotated(c, "now"))
			w.Expect(w.hub.HeadersOf(id)).To(ConsistOf(simulator.Header{Key: "X-A", Value: "second"}))

			// All are at rest before the restart: what it interrupts is another test's story.
			for _, name := range []string{"orders", "o1", "o2", "o3", "o4"} {
				w.ready(w.declared(name))
			}
			w.restart()
			for _, name := range []string{"orders", "o1", "o2", "o3", "o4"} {
				w.ready(w.declared(name))
			}
			mutations, _ := w.quiet(quietTime)
			w.Expect(w.hub.Count("listWebhooks")).To(BeNumerically("<", 200), "the Hub is hammered")
			w.Expect(mutations).To(BeZero(), "updates go on and on")
			w.Expect(w.Delete(w.Context(), c)).To(Succeed())
			w.gone(c)
			w.Expect(w.onHub()).To(HaveLen(4))
			w.Expect(w.hub.Count("createWebhook")).To(Equal(5))
		})
	}
}

// webhookOnHub is a webhook as the Hub has it.
func (w *world) webhookOnHub(id string) simulator.Webhook {
	for _, on := range w.onHub() {
		if on.ID == id {
			return on
		}
	}
	return simulator.Webhook{}
}
