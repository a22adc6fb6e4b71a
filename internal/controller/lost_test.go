package controller_test

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// lostAnswers are the ways in which nobody learns what became of a call.
var lostAnswers = []simulator.Fault{
	{Kind: simulator.DropBeforeCommit},
	{Kind: simulator.DropAfterCommit},
	{Kind: simulator.DropAfterCommit, Hold: true},
	{Kind: simulator.ErrorBeforeCommit, Status: 500},
	{Kind: simulator.ErrorAfterCommit, Status: 503},
	{Kind: simulator.LateCommit, Delay: simulator.Duration(300 * time.Millisecond)},
	{Kind: simulator.BadGateway},
	{Kind: simulator.Truncated},
	{Kind: simulator.InvalidJSON},
	{Kind: simulator.EmptyBody},
	{Kind: simulator.Redirect, Location: "https://127.0.0.1:1/elsewhere"},
	{Kind: simulator.Huge, Size: 20 << 20},
}

func each(t *testing.T, operation string, test func(*testing.T, simulator.Fault)) {
	t.Helper()
	for _, fault := range lostAnswers {
		fault.Match.Operation, fault.Times = operation, 1
		t.Run(fmt.Sprintf("%s hold=%v", fault.Kind, fault.Hold), func(t *testing.T) { test(t, fault) })
	}
}

func TestARegistrationWhoseAnswerIsLostMakesOneWebhook(t *testing.T) {
	each(t, "createWebhook", func(t *testing.T, fault simulator.Fault) {
		t.Helper()
		w := newWorld(t)
		w.Expect1(w.hub.AddFault(fault))
		w.run()
		c := w.webhook("orders", signed)
		now := w.ready(c)
		w.Expect(w.onHub()).To(HaveLen(1))
		w.Expect(w.onHub()[0].ID).To(Equal(now.Status.WebhookID))
		w.Expect(w.hub.Lifetimes()).To(HaveLen(1), "a second webhook was registered")
		w.holdsLiveSecret(now)
	})
}

func TestARedefinitionWhoseAnswerIsLostEndsInALiveSecret(t *testing.T) {
	each(t, "redefineSignature", func(t *testing.T, fault simulator.Fault) {
		t.Helper()
		w := newWorld(t)
		w.run()
		c := w.webhook("orders", signed)
		w.ready(c)
		w.Expect1(w.hub.AddFault(fault))
		w.annotate(c, v1alpha1.AnnotationRotateRequestedAt, "now")
		now := w.eventually(c, "rotated", func(now *v1alpha1.Chatt2Webhook) bool {
			return now.Status.LastHandledRotateAt == "now" && now.IsReady()
		})
		w.holdsLiveSecret(now)
		w.Expect(w.hub.Count("redefineSignature")).To(Equal(2), "one that was lost, one that counts")
	})
}

func TestAnUpdateWhoseAnswerIsLostIsMadeGood(t *testing.T) {
	each(t, "updateWebhook", func(t *testing.T, fault simulator.Fault) {
		t.Helper()
		w := newWorld(t)
		w.run()
		c := w.webhook("orders")
		w.ready(c)
		w.Expect1(w.hub.AddFault(fault))
		w.change(c, func(c *v1alpha1.Chatt2Webhook) {
			c.Spec.EventType, c.Spec.RequiresSignature = v1alpha1.EventTypeMessageStatus, true
		})
		now := w.ready(c)
		w.Expect(w.onHub()[0].EventType).To(Equal("MessageStatus"))
		w.holdsLiveSecret(now)
	})
}

func TestADeletionWhoseAnswerIsLostIsCarriedOut(t *testing.T) {
	each(t, "deleteWebhook", func(t *testing.T, fault simulator.Fault) {
		t.Helper()
		w := newWorld(t)
		w.run()
		c := w.webhook("orders", signed)
		w.ready(c)
		w.Expect1(w.hub.AddFault(fault))
		w.Expect(w.Delete(w.Context(), c)).To(Succeed())
		w.gone(c)
		w.Expect(w.onHub()).To(BeEmpty())
	})
}

func TestARegistrationCarriedOutAfterItsSuccessorIsSweptUp(t *testing.T) {
	w := newWorld(t)
	w.late = true
	w.Expect1(w.hub.AddFault(simulator.Fault{
		Kind: simulator.LateCommit, Match: simulator.Match{Operation: "createWebhook"}, Times: 1,
		Delay: simulator.Duration(time.Hour),
	}))
	w.run()
	c := w.webhook("orders", signed)
	now := w.ready(c)
	w.Expect(w.onHub()).To(HaveLen(1))

	w.Expect(w.hub.ReleaseLate()).To(Equal(1))
	w.Expect(w.onHub()).To(HaveLen(2))
	w.Eventually(w.onHub).Should(HaveLen(1))
	w.Expect(w.onHub()[0].ID).To(Equal(now.Status.WebhookID))
	w.holdsLiveSecret(w.ready(c))
	w.Eventually(func() []string { return w.events(c) }).Should(ContainElement(v1alpha1.EventDuplicateDeleted))
}

func TestAWebhookMadeByHandAfterwardsIsNotTakenForADuplicate(t *testing.T) {
	w := newWorld(t)
	w.late = true
	w.run()
	c := w.webhook("orders")
	w.ready(c)
	byHand := w.byHand(c)
	listings := w.hub.Count("listWebhooks")
	w.Eventually(func() int { return w.hub.Count("listWebhooks") }).Should(BeNumerically(">", listings+2))
	w.Expect(w.onHub()).To(HaveLen(2), "the webhook %s was deleted", byHand.ID)
	w.ready(c)
}
