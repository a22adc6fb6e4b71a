package controller_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

func TestWhatAnOlderResourceOfAnotherShardDeclaresIsNotRegistered(t *testing.T) {
	w := newWorld(t, func(w *world) { inTheShard(w, "b") })
	var lists atomic.Int32
	w.intercept(func(r *http.Request) *http.Response {
		if strings.Contains(r.URL.RawQuery, "spec.endpoint") {
			lists.Add(1)
		}
		return nil
	})
	w.run()
	first := w.webhook("orders", inShard("a")) // which nobody works on
	second := w.webhook("second", inShard("b"), sameAs(first))
	w.Expect(w.reason(second, v1alpha1.ConditionSynced, v1alpha1.ReasonConflict)).To(ContainSubstring(first.Name))
	w.Expect(w.hub.Count("createWebhook")).To(BeZero())
	w.Expect(lists.Load()).To(BeEquivalentTo(1), "live lists for one registration")
}

// Neither shard sees what the other one registers before it has registered the same.
func TestOfTwoShardsThatRegisterTheSameAtOnceTheYoungerYields(t *testing.T) {
	w := newWorld(t, func(w *world) { inTheShard(w, "a"); w.late = true })
	w.hub.SetVariants(simulator.Variants{ReadLag: simulator.Duration(3 * time.Second)})
	w.run()
	t.Cleanup(w.stop)
	inTheShard(w, "b")
	w.run()
	first := w.webhook("orders", inShard("a"), signed)
	second := w.webhook("second", inShard("b"), signed, sameAs(first), func(c *v1alpha1.Chatt2Webhook) {
		// No look-up by the endpoint finds it.
		c.Spec.Endpoint = strings.Replace(c.Spec.Endpoint, "/orders", "/./orders", 1)
	})
	registered := func(c *v1alpha1.Chatt2Webhook) bool { return c.Status.WebhookID != "" }
	duplicate := w.eventually(second, "registered", registered).Status.WebhookID
	w.Expect(w.reason(second, v1alpha1.ConditionSynced, v1alpha1.ReasonConflict)).To(ContainSubstring(first.Name))
	w.eventually(second, "without a webhook", func(c *v1alpha1.Chatt2Webhook) bool { return c.Status.WebhookID == "" })
	w.holdsLiveSecret(w.ready(first))
	w.Expect(w.onHub()).To(HaveLen(1))
	w.Expect(w.onHub()[0].ID).NotTo(Equal(duplicate))
	w.Expect(w.events(second)).To(ContainElement(v1alpha1.EventDuplicateDeleted))
}

// The younger one deletes what it has registered only while no other resource has it.
func TestAYoungerDuplicateThatAThirdResourceHasIsNotDeleted(t *testing.T) {
	w := newWorld(t, func(w *world) { inTheShard(w, "a"); w.late = true })
	w.hub.SetVariants(simulator.Variants{ReadLag: simulator.Duration(3 * time.Second)})
	w.Expect(w.hub.AddFault(simulator.Fault{
		Kind: simulator.ErrorBeforeCommit, Status: http.StatusServiceUnavailable,
		Match: simulator.Match{Operation: "deleteWebhook"},
	})).To(Succeed())
	var duplicate atomic.Value
	var asked atomic.Int32
	w.intercept(func(r *http.Request) *http.Response {
		if id, _ := duplicate.Load().(string); id != "" && strings.Contains(r.URL.RawQuery, id) {
			// The step that asks here began after the third resource had the duplicate. One that began before may delete it.
			w.hub.ClearFaults()
			asked.Add(1)
		}
		return nil
	})
	w.run()
	t.Cleanup(w.stop)
	inTheShard(w, "b")
	w.run()
	first := w.webhook("orders", inShard("a"))
	second := w.webhook("second", inShard("b"), sameAs(first), func(c *v1alpha1.Chatt2Webhook) {
		c.Spec.Endpoint = strings.Replace(c.Spec.Endpoint, "/orders", "/./orders", 1)
	})
	w.Eventually(func() int { return w.hub.Count("deleteWebhook") }).Should(BeNumerically(">", 0))
	third := w.webhook("third", inShard("c")) // a shard without an operator
	now := w.get(third)
	now.Status.WebhookID = w.get(second).Status.WebhookID
	w.Expect(w.Status().Update(w.Context(), now)).To(Succeed())
	duplicate.Store(now.Status.WebhookID)
	w.eventually(second, "without a webhook", func(c *v1alpha1.Chatt2Webhook) bool { return c.Status.WebhookID == "" })
	w.Expect(asked.Load()).To(BeNumerically(">", 0), "the API server is asked who has the duplicate")
	w.Expect(w.onHub()).To(ContainElement(HaveField("ID", now.Status.WebhookID)))
}

func sameAs(first *v1alpha1.Chatt2Webhook) func(*v1alpha1.Chatt2Webhook) {
	return func(c *v1alpha1.Chatt2Webhook) { c.Spec.Label, c.Spec.Endpoint = first.Spec.Label, first.Spec.Endpoint }
}
