package controller_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

func TestALongPauseIsToldByWhoeverWaits(t *testing.T) {
	w := newWorld(t)
	w.run()
	first := w.webhook("first")
	w.ready(first)
	w.Expect1(w.hub.AddFault(simulator.Fault{
		Kind: simulator.TooManyRequests, RetryAfter: "600", Times: 1, Match: simulator.Match{Operation: "createWebhook"},
	}))

	second := w.webhook("second")
	message := w.reason(second, v1alpha1.ConditionSynced, v1alpha1.ReasonThrottled)
	w.Expect(message).To(ContainSubstring("rate limited by the Hub (429)"))
	third := w.webhook("third")
	message = w.reason(third, v1alpha1.ConditionSynced, v1alpha1.ReasonThrottled)
	w.Expect(message).To(ContainSubstring("resume automatically"))
	w.Expect(w.get(first).IsReady()).To(BeTrue(), "one that waits for nothing is as it was")

	w.Expect1(w.Delete(w.Context(), first))
	message = w.reason(first, v1alpha1.ConditionSynced, v1alpha1.ReasonDeletionBlocked)
	w.Expect(message).To(ContainSubstring("resume automatically"))
}
