package controller_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/cluster"
	"github.com/chatt2me/webhook-operator/internal/controller"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// declared is a resource as webhook would create it, without creating it.
func (w *world) declared(name string, change ...func(*v1alpha1.Chatt2Webhook)) *v1alpha1.Chatt2Webhook {
	c := &v1alpha1.Chatt2Webhook{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: w.namespace}}
	c.Spec = v1alpha1.Chatt2WebhookSpec{
		Label: name, Endpoint: w.endpoint.URL + "/" + name, EventType: v1alpha1.EventTypeMessage,
		APIKeySecretRef: v1alpha1.APIKeySecretReference{Name: "api-key"},
	}
	for _, do := range change {
		do(c)
	}
	return c
}

func TestAMatchingWebhookIsAdopted(t *testing.T) {
	w := newWorld(t)
	made := w.byHand(w.declared("orders"))
	w.run()
	c := w.webhook("orders", signed)
	now := w.ready(c)
	w.Expect(now.Status.WebhookID).To(Equal(made.ID))
	w.Expect(w.hub.Count("createWebhook")).To(BeZero())
	w.holdsLiveSecret(now)
	w.Eventually(func() []string { return w.events(c) }).Should(ContainElement(v1alpha1.EventAdopted))
}

func TestAdoptionSetsTheHeadersOfSpec(t *testing.T) {
	w := newWorld(t)
	made := w.byHand(w.declared("orders"))
	w.run()
	w.ready(w.webhook("orders", func(c *v1alpha1.Chatt2Webhook) {
		c.Spec.Headers = []v1alpha1.Header{{Key: "X-Team", Value: new("chat")}}
	}))
	w.Expect(w.hub.HeadersOf(made.ID)).To(ConsistOf(simulator.Header{Key: "X-Team", Value: "chat"}))
}

func TestThePolicyNeverStallsBeforeASecondDelivery(t *testing.T) {
	w := newWorld(t)
	made := w.byHand(w.declared("orders"))
	w.run()
	c := w.webhook("orders", func(c *v1alpha1.Chatt2Webhook) { c.Spec.Adoption.Policy = v1alpha1.AdoptNever })
	w.Expect(w.reason(c, v1alpha1.ConditionStalled, v1alpha1.ReasonAlreadyExists)).To(ContainSubstring(made.ID))
	w.Expect(w.hub.Mutations()).To(BeEmpty())

	w.Expect(w.Delete(w.Context(), c)).To(Succeed())
	w.gone(c)
	w.Expect(w.onHub()).To(HaveLen(1), "a webhook was deleted that was never ours")
}

func TestSeveralMatchesAreLeftToTheUser(t *testing.T) {
	w := newWorld(t)
	w.late = true
	first, second := w.byHand(w.declared("orders")), w.byHand(w.declared("orders"))
	w.run()
	c := w.webhook("orders")
	w.Expect(w.reason(c, v1alpha1.ConditionStalled, v1alpha1.ReasonAmbiguousMatch)).To(
		And(ContainSubstring(first.ID), ContainSubstring(second.ID)))
	w.Expect(w.hub.Mutations()).To(BeEmpty())

	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.Adoption.WebhookID = &second.ID })
	w.Expect(w.ready(c).Status.WebhookID).To(Equal(second.ID))
}

func TestAWebhookIsAdoptedByItsIDWhateverItLooksLike(t *testing.T) {
	w := newWorld(t)
	other := w.declared("other", func(c *v1alpha1.Chatt2Webhook) { c.Spec.EventType = v1alpha1.EventTypeMessageStatus })
	made := w.byHand(other)
	w.run()
	c := w.webhook("orders", func(c *v1alpha1.Chatt2Webhook) { c.Spec.Adoption.WebhookID = &made.ID })
	w.Expect(w.ready(c).Status.WebhookID).To(Equal(made.ID))
	w.Expect(w.onHub()).To(HaveLen(1))
	w.Expect(w.onHub()[0].Endpoint).To(Equal(c.Spec.Endpoint))
	w.Expect(w.onHub()[0].EventType).To(Equal("Message"))
}

func TestAnIDToAdoptThatIsNotThereIsTold(t *testing.T) {
	w := newWorld(t)
	w.run()
	const nobody = "00000000-1111-2222-3333-444444444444"
	c := w.webhook("orders", func(c *v1alpha1.Chatt2Webhook) { c.Spec.Adoption.WebhookID = new(nobody) })
	w.Expect(w.reason(c, v1alpha1.ConditionStalled, v1alpha1.ReasonWebhookNotFound)).To(ContainSubstring(nobody))
	w.Expect(w.hub.Mutations()).To(BeEmpty())
}

func TestTheYoungerOfTwoForTheSameThingStalls(t *testing.T) {
	w := newWorld(t)
	w.run()
	first := w.webhook("orders")
	w.ready(first)
	same := func(c *v1alpha1.Chatt2Webhook) { c.Spec.Label, c.Spec.Endpoint = first.Spec.Label, first.Spec.Endpoint }
	second := w.webhook("younger", same)
	w.Expect(w.reason(second, v1alpha1.ConditionStalled, v1alpha1.ReasonConflict)).To(ContainSubstring("orders"))
	w.Expect(w.onHub()).To(HaveLen(1))

	w.Expect(w.Delete(w.Context(), first)).To(Succeed())
	w.gone(first)
	w.ready(second)
	w.Expect(w.onHub()).To(HaveLen(1))
}

func TestAResourceThatIsRenamedNeverStalls(t *testing.T) {
	w := newWorld(t)
	w.run()
	first := w.webhook("orders")
	w.ready(first)
	w.Expect(w.hub.AddFault(simulator.Fault{
		Kind: simulator.ErrorBeforeCommit, Status: http.StatusServiceUnavailable, Times: 2,
		Match: simulator.Match{Operation: "deleteWebhook"},
	})).To(Succeed())
	second := w.webhook("renamed", sameAs(first))
	w.reason(second, v1alpha1.ConditionSynced, v1alpha1.ReasonConflict)
	w.Expect(w.Delete(w.Context(), first)).To(Succeed())
	w.eventually(second, "ready without having stalled", func(now *v1alpha1.Chatt2Webhook) bool {
		if stalled := findCondition(now, v1alpha1.ConditionStalled); stalled != nil {
			w.Fatalf("stalled: %s", stalled.Message)
		}
		return now.IsReady()
	})
	w.Expect(w.onHub()).To(HaveLen(1))
}

func TestACopyWithTheSameStatusNeverTouchesTheWebhookOfTheOriginal(t *testing.T) {
	w := newWorld(t)
	w.run()
	first := w.ready(w.webhook("orders"))
	copied := w.webhook("restored", func(c *v1alpha1.Chatt2Webhook) {
		c.Spec.Label, c.Spec.Endpoint = first.Spec.Label, first.Spec.Endpoint
		c.Annotations = first.Annotations
		c.Finalizers = first.Finalizers
		c.Spec.Suspend = true
	})
	w.reason(copied, v1alpha1.ConditionReady, v1alpha1.ReasonSuspended)
	before := w.get(copied)
	after := before.DeepCopy()
	after.Status.WebhookID = first.Status.WebhookID
	w.Expect(w.Status().Patch(w.Context(), after, clientMergeFrom(before))).To(Succeed())
	w.change(copied, func(c *v1alpha1.Chatt2Webhook) { c.Spec.Suspend = false })
	w.reason(copied, v1alpha1.ConditionSynced, v1alpha1.ReasonConflict)
	w.Expect(w.Delete(w.Context(), copied)).To(Succeed())
	w.gone(copied)
	w.Expect(w.onHub()).To(HaveLen(1), "the webhook of the original was deleted")
}

func TestAnEditedStatusTakesNoSignedWebhook(t *testing.T) {
	w := newWorld(t)
	w.run()
	older := w.ready(w.webhook("a"))
	younger := w.ready(w.webhook("b", signed)) // of two made in the same second the name decides
	w.change(older, func(c *v1alpha1.Chatt2Webhook) { c.Spec.Suspend = true })
	w.reason(older, v1alpha1.ConditionReady, v1alpha1.ReasonSuspended)
	w.stop() // while it runs, it knows better
	has := func(id string) {
		before := w.get(older)
		after := before.DeepCopy()
		after.Status.WebhookID = id
		w.Expect(w.Status().Patch(w.Context(), after, clientMergeFrom(before))).To(Succeed())
	}
	has(younger.Status.WebhookID)
	w.run()
	w.reason(younger, v1alpha1.ConditionSynced, v1alpha1.ReasonConflict)
	w.reason(younger, v1alpha1.ConditionSigningSecretReady, v1alpha1.ReasonRotating)
	has(older.Status.WebhookID)
	w.eventually(younger, "Ready with the webhook that it had", func(c *v1alpha1.Chatt2Webhook) bool {
		return c.IsReady() && c.Status.WebhookID == younger.Status.WebhookID
	})
	w.holdsLiveSecret(younger)
	w.Expect(w.onHub()).To(HaveLen(2))
}

func TestTwoApplicationsMayHaveTheSameWebhook(t *testing.T) {
	w := newWorld(t)
	const otherKey = "CNRY-key-of-another-application"
	w.canaries = append(w.canaries, otherKey)
	other := w.hub.AddApplication("other", otherKey)
	w.create(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "other-key"}, Data: map[string][]byte{"apiKey": []byte(otherKey)},
	})
	w.run()
	first := w.webhook("orders")
	second := w.webhook("others", func(c *v1alpha1.Chatt2Webhook) {
		c.Spec.Label, c.Spec.Endpoint = first.Spec.Label, first.Spec.Endpoint
		c.Spec.APIKeySecretRef.Name = "other-key"
	})
	w.Expect(w.ready(first).Status.ApplicationID).To(Equal(w.app.ID))
	w.Expect(w.ready(second).Status.ApplicationID).To(Equal(other.ID))
}

func TestAResourceRestoredWithoutItsStatusFindsItsWebhook(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.ready(w.webhook("orders", signed))
	w.stop()
	redefined := w.hub.Count("redefineSignature")
	before := w.get(c)
	after := before.DeepCopy()
	after.Status = v1alpha1.Chatt2WebhookStatus{}
	w.Expect(w.Status().Patch(w.Context(), after, clientMergeFrom(before))).To(Succeed())
	w.run()
	now := w.ready(c)
	w.Expect(now.Status.WebhookID).To(Equal(c.Status.WebhookID))
	w.Expect(w.hub.Count("createWebhook")).To(Equal(1))
	w.Expect(w.hub.Count("redefineSignature")).To(Equal(redefined), "a restore rotated the secret")
	w.holdsLiveSecret(now)
}

func TestAWebhookMadeByHandAMomentAgoIsAdopted(t *testing.T) {
	w := newWorld(t)
	w.polled(time.Hour)
	w.run()
	w.ready(w.webhook("first"))
	made := w.byHand(w.declared("orders"))
	w.Expect(w.ready(w.webhook("orders")).Status.WebhookID).To(Equal(made.ID))
	w.Expect(w.hub.Count("createWebhook")).To(Equal(1))
}

func TestAWebhookOfAnotherShardIsNotAdopted(t *testing.T) {
	w := newWorld(t)
	w.shard = map[string]string{"shard": "a"}
	lists := &atomic.Int32{}
	w.intercept(func(r *http.Request) *http.Response {
		if strings.Contains(r.URL.RawQuery, "fieldSelector") {
			lists.Add(1)
		}
		return nil
	})
	made := w.byHand(w.declared("orders"))
	theirs := w.webhook("theirs", func(c *v1alpha1.Chatt2Webhook) {
		c.Labels = map[string]string{"shard": "b"}
		c.Spec.Label, c.Spec.Endpoint = "orders", w.endpoint.URL+"/orders"
	})
	after := theirs.DeepCopy()
	after.Status.WebhookID = made.ID
	w.Expect(w.Status().Patch(w.Context(), after, clientMergeFrom(theirs))).To(Succeed())
	w.run()
	ours := w.webhook("orders", func(c *v1alpha1.Chatt2Webhook) { c.Labels = map[string]string{"shard": "a"} })
	w.Expect(w.reason(ours, v1alpha1.ConditionSynced, v1alpha1.ReasonConflict)).To(ContainSubstring("theirs"))
	w.Expect(w.hub.Mutations()).To(BeEmpty())
	w.quiet(quietTime)
	w.Expect(lists.Load()).To(BeNumerically("<", 4), "the API server is asked again and again")
}

func TestAResourceThatHasAWebhookDoesNotAdoptAnother(t *testing.T) {
	w := newWorld(t)
	w.run()
	w.late = true // the one given up stays beside the one adopted
	c := w.webhook("orders")
	first := w.ready(c).Status.WebhookID
	other := w.byHand(w.declared("other"))
	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.Adoption.WebhookID = &other.ID })
	w.Expect(w.reason(c, v1alpha1.ConditionStalled, v1alpha1.ReasonAlreadyRegistered)).To(
		And(ContainSubstring(first), ContainSubstring(other.ID)))
	w.annotate(c, v1alpha1.AnnotationForceOrphan, first)
	w.eventually(c, "the other's", func(now *v1alpha1.Chatt2Webhook) bool {
		return now.IsReady() && now.Status.WebhookID == other.ID
	})
	w.Expect(w.onHub()).To(HaveLen(2))
}

// anotherShard is an operator of a new namespace alone, and a resource of another namespace that has a webhook.
func anotherShard(t *testing.T) (w *world, first *v1alpha1.Chatt2Webhook) {
	t.Helper()
	w = newWorld(t)
	w.run()
	first = w.ready(w.webhook("orders"))
	w.stop()
	w.namespace = cluster.Namespace(t, w.Client)
	w.create(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "api-key"}, Data: map[string][]byte{"apiKey": []byte(w.apiKey)},
	})
	w.run()
	return w, first
}

func TestAShardOfNamespacesTakesNoWebhookFromAnother(t *testing.T) {
	w, first := anotherShard(t)
	second := w.webhook("orders", func(c *v1alpha1.Chatt2Webhook) {
		c.Spec.Label, c.Spec.Endpoint = first.Spec.Label, first.Spec.Endpoint
	})
	w.Expect(w.reason(second, v1alpha1.ConditionSynced, v1alpha1.ReasonConflict)).To(ContainSubstring(first.Namespace))
	w.Expect(w.Delete(w.Context(), second)).To(Succeed())
	w.gone(second)
	w.Expect(w.onHub()).To(HaveLen(1), "webhooks, of which one belongs to the other shard")
}

func TestAShardOfNamespacesSaysWhoHasWhatItIsToAdopt(t *testing.T) {
	w, first := anotherShard(t)
	second := w.webhook("orders", func(c *v1alpha1.Chatt2Webhook) { c.Spec.Adoption.WebhookID = &first.Status.WebhookID })
	w.Expect(w.reason(second, v1alpha1.ConditionSynced, v1alpha1.ReasonConflict)).To(ContainSubstring(first.Namespace))
}

// Once two shards that adopted a webhook in the same moment both had it for good.
func TestAWebhookThatAnotherShardAdoptsMeanwhileIsLetGo(t *testing.T) {
	w := newWorld(t)
	elsewhere := cluster.Namespace(t, w.Client)
	ours := w.declared("orders")
	byHand := w.byHand(ours)
	theirs := w.declared("orders", func(c *v1alpha1.Chatt2Webhook) { c.Namespace = elsewhere })
	adopts := sync.OnceFunc(func() {
		w.Expect1(w.Client.Create(w.Context(), theirs))
		theirs.Status = v1alpha1.Chatt2WebhookStatus{WebhookID: byHand.ID, ObservedGeneration: 1}
		w.Expect1(w.Status().Update(w.Context(), theirs))
	})
	w.intercept(func(r *http.Request) *http.Response {
		// The finalizer is written after the look for an owner.
		if r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/chatt2webhooks/orders") {
			adopts()
		}
		return nil
	})
	w.run()
	w.create(ours)
	w.Expect(w.reason(ours, v1alpha1.ConditionSynced, v1alpha1.ReasonConflict)).To(ContainSubstring(elsewhere))
	w.Expect(w.get(ours).Status.WebhookID).To(BeEmpty())
	w.Expect(w.hub.Count("updateWebhook")+w.hub.Count("redefineSignature")).To(BeZero(), "calls that change it")
	w.Expect1(w.Delete(w.Context(), ours))
	w.gone(ours)
	w.Expect(w.onHub()).To(HaveLen(1))
}

func TestAWebhookThatIsAdoptedBeforeItsRegistrationIsAnsweredHasOneOwner(t *testing.T) {
	w := newWorld(t)
	// With the same key, theirs would wait until the slow registration is over.
	const secondKey = "CNRY-second-key-of-the-application"
	w.canaries = append(w.canaries, secondKey)
	w.Expect(w.hub.SetKey("main", "second", secondKey)).To(Succeed())
	w.create(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "second-key"}, Data: map[string][]byte{"apiKey": []byte(secondKey)},
	})
	w.options = func(op *controller.Operator) { op.Hub.Timeout = patience }
	adopts := sync.OnceFunc(func() {
		made := w.onHub()[0].ID
		theirs := w.webhook("theirs", func(c *v1alpha1.Chatt2Webhook) {
			c.Spec.APIKeySecretRef.Name, c.Spec.Adoption.WebhookID = "second-key", &made
		})
		w.eventually(theirs, "the owner of "+made, func(now *v1alpha1.Chatt2Webhook) bool { return now.Status.WebhookID == made })
	})
	w.transport = func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			answer, err := next.RoundTrip(r)
			if r.Method == http.MethodPost && err == nil {
				adopts()
			}
			return answer, err
		})
	}
	w.run()
	ours := w.ready(w.webhook("ours"))
	theirs := w.ready(w.declared("theirs"))
	w.Expect(ours.Status.WebhookID).NotTo(Equal(theirs.Status.WebhookID))
	w.Expect(w.onHub()).To(HaveLen(2))
}
