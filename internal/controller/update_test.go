package controller_test

import (
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/controller"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

func clientMergeFrom(before client.Object) client.Patch { return client.MergeFrom(before) }

func TestOnlyWhatDiffersIsSent(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders")
	w.ready(c)
	w.hub.ClearRequests()
	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.EventType = v1alpha1.EventTypeMessageStatus })
	w.ready(c)
	w.Expect(w.hub.Mutations()).To(HaveLen(1))
	w.Expect(w.hub.Mutations()[0].Body).To(HaveLen(1))
	w.Expect(w.hub.Mutations()[0].Body).To(HaveKey("eventType"))
	w.Eventually(func() []string { return w.events(c) }).Should(ContainElement(v1alpha1.EventUpdated))
}

func TestEveryFieldOfSpecReachesTheHub(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders")
	w.ready(c)
	w.change(c, func(c *v1alpha1.Chatt2Webhook) {
		c.Spec.Label, c.Spec.Endpoint = "Ordered 注文", w.endpoint.URL+"/elsewhere?a=b"
		c.Spec.AuthenticationProtocol, c.Spec.Scope = v1alpha1.Oauth20, new("orders.read")
	})
	w.ready(c)
	on := w.onHub()[0]
	w.Expect(on.Label).To(Equal("Ordered 注文"))
	w.Expect(on.Endpoint).To(Equal(w.endpoint.URL + "/elsewhere?a=b"))
	w.Expect(on.AuthenticationProtocol).To(Equal("Oauth20"))
	w.Expect(*on.Scope).To(Equal("orders.read"))

	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.Scope = nil })
	w.Eventually(func() *string { return w.onHub()[0].Scope }).Should(BeNil())
}

func TestWhatWasChangedOnTheHubIsPutRight(t *testing.T) {
	registry := prometheus.NewRegistry()
	w := newWorld(t, func(w *world) { w.options = func(op *controller.Operator) { op.Registry = registry } })
	w.run()
	c := w.webhook("orders", signed)
	id := w.ready(c).Status.WebhookID
	_, err := w.hub.ChangeByHand(id, simulator.Change{Endpoint: new("https://elsewhere.example/hook")})
	w.Expect1(err)
	w.Eventually(func() string { return w.onHub()[0].Endpoint }).Should(Equal(c.Spec.Endpoint))
	w.Eventually(func() []string { return w.events(c) }).Should(ContainElement(v1alpha1.EventDriftCorrected))
	w.holdsLiveSecret(w.ready(c))
	families, err := registry.Gather()
	w.Expect(err).NotTo(HaveOccurred())
	at := slices.IndexFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == "chatt2_drift_corrected_total" })
	w.Expect(families[at].GetMetric()[0].GetCounter().GetValue()).To(BeEquivalentTo(1))
}

func TestSigningTurnedOffOnTheHubIsTurnedOnAgainWithTheNewSecretStored(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders", signed)
	id := w.ready(c).Status.WebhookID
	_, err := w.hub.ChangeByHand(id, simulator.Change{RequiresSignature: new(false)})
	w.Expect1(err)
	w.Eventually(func() bool { return w.onHub()[0].RequiresSignature }).Should(BeTrue())
	w.holdsLiveSecret(w.eventually(c, "ready with the live secret", func(now *v1alpha1.Chatt2Webhook) bool {
		s := w.secret("orders-signing")
		return now.IsReady() && s != nil && string(s.Data["secret"]) == w.hub.SecretOf(id)
	}))
}

func TestHeadersAreSentAgainWhenTheirSourceChanges(t *testing.T) {
	w := newWorld(t)
	const first, second = "CNRY-header-first-value", "CNRY-header-second-value"
	w.canaries = append(w.canaries, first, second)
	auth := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "auth"}, Data: map[string][]byte{"token": []byte(first + "\n")}}
	w.create(auth)
	team := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "team"}, Data: map[string]string{"name": "chat"}}
	w.create(team)
	w.run()
	c := w.webhook("orders", func(c *v1alpha1.Chatt2Webhook) {
		c.Spec.Headers = []v1alpha1.Header{
			{Key: "X-Auth", ValueFrom: &v1alpha1.HeaderSource{SecretKeyRef: &v1alpha1.KeyReference{Name: "auth", Key: "token"}}},
			{Key: "X-Team", ValueFrom: &v1alpha1.HeaderSource{ConfigMapKeyRef: &v1alpha1.KeyReference{Name: "team", Key: "name"}}},
			{Key: "X-Plain", Value: new("plain")},
		}
	})
	id := w.ready(c).Status.WebhookID
	w.Expect(w.hub.HeadersOf(id)).To(ConsistOf(
		simulator.Header{Key: "X-Auth", Value: first}, simulator.Header{Key: "X-Team", Value: "chat"},
		simulator.Header{Key: "X-Plain", Value: "plain"}))

	w.hub.ClearRequests()
	auth.Data["token"] = []byte(second)
	w.Expect(w.Update(w.Context(), auth)).To(Succeed())
	w.Eventually(func() []simulator.Header { return w.hub.HeadersOf(id) }).Should(
		ContainElement(simulator.Header{Key: "X-Auth", Value: second}))
	team.Data["name"] = "billing"
	w.Expect(w.Update(w.Context(), team)).To(Succeed())
	w.Eventually(func() []simulator.Header { return w.hub.HeadersOf(id) }).Should(
		ContainElement(simulator.Header{Key: "X-Team", Value: "billing"}))
	w.ready(c)
	w.Expect(w.hub.Mutations()).To(HaveLen(2))

	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.Headers = nil })
	w.Eventually(func() []simulator.Header { return w.hub.HeadersOf(id) }).Should(BeEmpty())
}

func TestTheHashOfHeadersIsRecordedOnlyOnceTheHubTookThem(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders")
	id := w.ready(c).Status.WebhookID
	w.Expect1(w.hub.AddFault(simulator.Fault{
		Kind: simulator.ErrorBeforeCommit, Status: 500, Times: 2, Match: simulator.Match{Operation: "updateWebhook"},
	}))
	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.Headers = []v1alpha1.Header{{Key: "X-A", Value: new("b")}} })
	w.ready(c)
	w.Expect(w.hub.HeadersOf(id)).To(HaveLen(1))
}

func TestAHeaderWithoutItsSourceIsToldAndWaitedFor(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders", func(c *v1alpha1.Chatt2Webhook) {
		c.Spec.Headers = []v1alpha1.Header{{Key: "X-Auth", ValueFrom: &v1alpha1.HeaderSource{
			SecretKeyRef: &v1alpha1.KeyReference{Name: "auth", Key: "token"},
		}}}
	})
	w.Expect(w.reason(c, v1alpha1.ConditionSynced, v1alpha1.ReasonHeaderSourceNotFound)).To(ContainSubstring(`"auth"`))
	auth := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "auth"}, Data: map[string][]byte{"other": []byte("x")}}
	w.create(auth)
	w.Expect(w.reason(c, v1alpha1.ConditionSynced, v1alpha1.ReasonHeaderSourceInvalid)).To(ContainSubstring(`"token"`))
	auth.Data["token"] = []byte("CNRY\r\nX-Injected: yes")
	w.Expect(w.Update(w.Context(), auth)).To(Succeed())
	w.Eventually(func() string { return w.reason(c, v1alpha1.ConditionSynced, v1alpha1.ReasonHeaderSourceInvalid) }).
		Should(ContainSubstring("control characters"))
	w.Expect(w.hub.Mutations()).To(BeEmpty())
	auth.Data["token"] = []byte("good")
	w.Expect(w.Update(w.Context(), auth)).To(Succeed())
	w.ready(c)
}

func TestAHeaderSecretMustOptInWhereTheOperatorSaysSo(t *testing.T) {
	w := newWorld(t)
	w.options = func(op *controller.Operator) { op.Options.HeaderSecretsNeedOptIn = true }
	auth := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "auth"}, Data: map[string][]byte{"token": []byte("value")}}
	w.create(auth)
	w.run()
	c := w.webhook("orders", func(c *v1alpha1.Chatt2Webhook) {
		c.Spec.Headers = []v1alpha1.Header{{Key: "X-Auth", ValueFrom: &v1alpha1.HeaderSource{
			SecretKeyRef: &v1alpha1.KeyReference{Name: "auth", Key: "token"},
		}}}
	})
	w.Expect(w.reason(c, v1alpha1.ConditionStalled, v1alpha1.ReasonHeaderSourceNotAllowed)).To(
		ContainSubstring(v1alpha1.AnnotationAllowAsHeader))
	auth.Annotations = map[string]string{v1alpha1.AnnotationAllowAsHeader: "true"}
	w.Expect(w.Update(w.Context(), auth)).To(Succeed())
	w.ready(c)
}

func TestALabelThatTheHubDoesNotTakeIsToldWithoutALoop(t *testing.T) {
	for _, how := range []simulator.LabelUpdate{simulator.LabelIgnored, simulator.LabelRefused} {
		t.Run(string(how), func(t *testing.T) {
			w := newWorld(t)
			w.hub.SetVariants(simulator.Variants{LabelUpdate: how})
			w.run()
			c := w.webhook("orders")
			w.ready(c)
			w.change(c, func(c *v1alpha1.Chatt2Webhook) {
				c.Spec.Label, c.Spec.EventType = "renamed", v1alpha1.EventTypeMessageStatus
			})
			w.Expect(w.reason(c, v1alpha1.ConditionStalled, v1alpha1.ReasonNotApplied)).To(ContainSubstring("label"))
			w.Expect(w.reason(c, v1alpha1.ConditionStalled, v1alpha1.ReasonNotApplied)).To(
				ContainSubstring(`label (it has "orders")`))
			w.Expect(w.onHub()[0].EventType).To(Equal("MessageStatus"), "the rest of the update got lost")
			mutations, _ := w.quiet(quietTime)
			w.Expect(mutations).To(BeZero())

			n := w.hub.Count("updateWebhook")
			_, err := w.hub.ChangeByHand(w.onHub()[0].ID, simulator.Change{Label: new("third"), EventType: new("Message")})
			w.Expect(err).NotTo(HaveOccurred())
			w.Eventually(func() string { return w.onHub()[0].EventType }).Should(Equal("MessageStatus"))
			w.eventually(c, "NotApplied with the third value", func(now *v1alpha1.Chatt2Webhook) bool {
				stalled := meta.FindStatusCondition(now.Status.Conditions, v1alpha1.ConditionStalled)
				return stalled != nil && strings.Contains(stalled.Message, `label (it has "third")`)
			})
			mutations, _ = w.quiet(quietTime)
			w.Expect(mutations).To(BeZero())
			w.Expect(w.hub.Count("updateWebhook")-n).To(BeNumerically("<=", 2), "the third value is corrected once")
			w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.Label = "third" })
			w.ready(c)
		})
	}
}

func TestWhatTheHubRefusesIsToldInItsWordsAndNotRepeated(t *testing.T) {
	w := newWorld(t)
	w.Expect1(w.hub.AddFault(simulator.Fault{Kind: simulator.Echo, Match: simulator.Match{Operation: "createWebhook"}}))
	w.run()
	c := w.webhook("orders")
	w.reason(c, v1alpha1.ConditionStalled, v1alpha1.ReasonRejected)
	w.eventually(c, "without what was written down of it", func(now *v1alpha1.Chatt2Webhook) bool {
		_, intent := now.Annotations[v1alpha1.AnnotationCreateStartedAt]
		return !intent
	})
	mutations, _ := w.quiet(quietTime)
	w.Expect(mutations).To(BeZero())
	w.Expect(w.hub.Count("createWebhook")).To(Equal(1))
	w.hub.ClearFaults()
	w.annotate(c, v1alpha1.AnnotationReconcileRequestedAt, "now")
	w.ready(c)
}
