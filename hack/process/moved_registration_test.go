package process_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

func TestAResourceThatMovesWhileItsRegistrationIsUnansweredHasOneWebhook(t *testing.T) {
	w := newShard(t)
	w.start(w.install())
	w.must(w.hub.AddFault(simulator.Fault{
		Kind: simulator.DropAfterCommit, Match: simulator.Match{Operation: "createWebhook"}, Times: 1,
	}))
	c := w.webhook("orders")
	w.Eventually(w.onHub).Should(HaveLen(1))
	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.Endpoint = w.endpoint + "/moved" })
	now := w.ready(c)
	w.Expect(w.onHub()).To(HaveLen(1), "webhooks of one resource")
	w.Expect(w.onHub()[0].ID).To(Equal(now.Status.WebhookID))
	w.Expect(w.onHub()[0].Endpoint).To(Equal(now.Spec.Endpoint))
}
