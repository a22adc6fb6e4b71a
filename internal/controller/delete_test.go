package controller_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/controller"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

func TestARetainedWebhookStays(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders", func(c *v1alpha1.Chatt2Webhook) { c.Spec.DeletionPolicy = v1alpha1.DeletionRetain })
	w.ready(c)
	w.hub.ClearRequests()
	w.Expect(w.Delete(w.Context(), c)).To(Succeed())
	w.gone(c)
	w.Expect(w.onHub()).To(HaveLen(1))
	w.Expect(w.hub.Mutations()).To(BeEmpty())
	w.Eventually(func() []string { return w.events(c) }).Should(ContainElement(v1alpha1.EventRetained))
}

// kept waits until a resource is gone, and asserts that the garbage collector, which has deleted a Secret that really
// belongs to it by then, has left the signing Secret.
func (w *world) kept(c *v1alpha1.Chatt2Webhook, id string) {
	w.Helper()
	owned := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Name: c.Name + "-owned", OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(
			w.get(c), v1alpha1.GroupVersion.WithKind("Chatt2Webhook"))},
	}}
	w.create(owned)
	w.Expect(w.Delete(w.Context(), c)).To(Succeed())
	w.gone(c)
	w.gone(owned)
	s := w.secret(c.SigningSecretName())
	w.Expect(s).NotTo(BeNil(), "the webhook goes on signing, and the only copy of its secret is gone")
	w.Expect(s.OwnerReferences).To(BeEmpty())
	w.Expect(string(s.Data[v1alpha1.SecretKeyCurrent])).To(Equal(w.hub.SecretOf(id)))
}

func TestTheSigningSecretOfAWebhookThatStaysIsKept(t *testing.T) {
	t.Run("retained", func(t *testing.T) {
		w := newWorld(t)
		w.run()
		c := w.webhook("orders", signed, func(c *v1alpha1.Chatt2Webhook) { c.Spec.DeletionPolicy = v1alpha1.DeletionRetain })
		w.kept(c, w.ready(c).Status.WebhookID)
		w.Eventually(func() []string { return w.notes(c, v1alpha1.EventRetained) }).Should(
			ContainElement(ContainSubstring(`kept its signing secret in the Secret "orders-signing"`)))
	})
	t.Run("given up", func(t *testing.T) {
		w := newWorld(t)
		w.run()
		c := w.webhook("orders", signed)
		id := w.ready(c).Status.WebhookID
		w.Expect1(w.hub.RevokeKey(w.app.ID, simulator.DefaultKeyName))
		w.kept(c, id)
		w.Eventually(func() []string { return w.notes(c, v1alpha1.EventOrphaned) }).Should(
			ContainElement(ContainSubstring(`kept its signing secret in the Secret "orders-signing"`)))
	})
}

func TestAResourceThatOnlyAnotherFinalizerKeepsIsNotReady(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders", func(c *v1alpha1.Chatt2Webhook) { c.Finalizers = []string{"example.com/x"} })
	w.ready(c)

	w.Expect(w.Delete(w.Context(), c)).To(Succeed())

	w.Expect(w.reason(c, v1alpha1.ConditionReady, v1alpha1.ReasonPending)).To(ContainSubstring("example.com/x"))
	w.Expect(w.onHub()).To(BeEmpty())
	w.restart()
	w.Expect(w.get(c).IsReady()).To(BeFalse())
	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Finalizers = nil })
	w.gone(c)
}

func TestAWebhookThatIsGoneAlreadyDoesNotHoldADeletionUp(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders")
	id := w.ready(c).Status.WebhookID
	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.Suspend = true })
	w.reason(c, v1alpha1.ConditionReady, v1alpha1.ReasonSuspended)
	w.Expect1(w.hub.DeleteByHand(id))
	w.Expect(w.Delete(w.Context(), c)).To(Succeed())
	w.gone(c)
}

func TestAnAnswerThatIsNoYesKeepsTheResource(t *testing.T) {
	for _, fault := range []simulator.Fault{
		{Kind: simulator.Refused, Status: 403},
		{Kind: simulator.TooManyRequests, RetryAfter: "1"},
		{Kind: simulator.ErrorBeforeCommit, Status: 500},
		{Kind: simulator.DropBeforeCommit},
	} {
		t.Run(string(fault.Kind), func(t *testing.T) {
			w := newWorld(t)
			w.run()
			c := w.webhook("orders")
			w.ready(c)
			fault.Match.Operation = "deleteWebhook"
			w.Expect1(w.hub.AddFault(fault))
			w.Expect(w.Delete(w.Context(), c)).To(Succeed())
			w.Eventually(func() int { return w.hub.Count("deleteWebhook") }).ShouldNot(BeZero())
			<-time.After(500 * time.Millisecond)
			w.Expect(w.get(c).Finalizers).To(ContainElement(v1alpha1.WebhookFinalizer))
			w.hub.ClearFaults()
			if fault.Kind != simulator.Refused {
				w.gone(c)
				w.Expect(w.onHub()).To(BeEmpty())
			}
		})
	}
}

func TestAWebhookDeletedOnTheHubIsRegisteredAnewWithANewSecret(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders", signed)
	id := w.ready(c).Status.WebhookID
	w.afterReadLag(id)
	w.Expect1(w.hub.DeleteByHand(id))
	now := w.eventually(c, "registered anew", func(now *v1alpha1.Chatt2Webhook) bool {
		return now.IsReady() && now.Status.WebhookID != id
	})
	w.holdsLiveSecret(now)
	w.Expect(w.onHub()).To(HaveLen(1))
	w.Expect(now.Annotations).NotTo(HaveKey(v1alpha1.AnnotationCreateRetriedAt), "no answer was lost")
	w.Eventually(func() []string { return w.events(c) }).Should(ContainElement(v1alpha1.ReasonRemotelyDeleted))
}

func TestAKeyOfAnotherApplicationMakesNoSecondWebhook(t *testing.T) {
	w := newWorld(t)
	const otherKey = "CNRY-key-of-another-application"
	w.canaries = append(w.canaries, otherKey)
	w.hub.AddApplication("other", otherKey)
	w.run()
	c := w.webhook("orders", signed)
	id := w.ready(c).Status.WebhookID
	s := w.secret("api-key")
	s.Data["apiKey"] = []byte(otherKey)
	w.Expect(w.Update(w.Context(), s)).To(Succeed())
	w.Expect(w.reason(c, v1alpha1.ConditionStalled, v1alpha1.ReasonApplicationChanged)).To(
		And(ContainSubstring(id), ContainSubstring(v1alpha1.AnnotationForceOrphan)))
	w.Expect(w.hub.Count("createWebhook")).To(Equal(1))

	w.annotate(c, v1alpha1.AnnotationForceOrphan, id)
	now := w.eventually(c, "registered anew", func(now *v1alpha1.Chatt2Webhook) bool {
		return now.IsReady() && now.Status.WebhookID != id
	})
	w.holdsLiveSecret(now)
	w.Expect(w.onHub()).To(HaveLen(1), "the webhook given up was deleted")
	w.Eventually(func() []string { return w.events(c) }).Should(ContainElement(v1alpha1.EventOrphaned))
}

func TestANewKeyOfTheSameApplicationChangesNothing(t *testing.T) {
	w := newWorld(t)
	const newKey = "CNRY-new-key-of-the-same-application"
	w.canaries = append(w.canaries, newKey)
	w.run()
	c := w.webhook("orders", signed)
	before := w.ready(c)
	w.Expect1(w.hub.SetKey(w.app.ID, "second", newKey))
	w.hub.ClearRequests()
	s := w.secret("api-key")
	s.Data["apiKey"] = []byte(newKey)
	w.Expect(w.Update(w.Context(), s)).To(Succeed())
	now := w.eventually(c, "seen with the new key", func(now *v1alpha1.Chatt2Webhook) bool {
		return now.Status.APIKeyHash != before.Status.APIKeyHash
	})
	w.Expect(now.Status.WebhookID).To(Equal(before.Status.WebhookID))
	w.Expect(w.hub.Mutations()).To(BeEmpty())
}

func TestARefusedKeyIsToldOnceAndWokenByANewOne(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders")
	w.ready(c)
	w.Expect1(w.hub.RevokeKey(w.app.ID, simulator.DefaultKeyName))
	w.Expect(w.reason(c, v1alpha1.ConditionStalled, v1alpha1.ReasonAPIKeyRefused)).To(ContainSubstring("api-key"))
	w.hub.ClearRequests()
	w.quiet(quietTime)
	w.Expect(len(w.hub.Requests())).To(BeNumerically("<=", 1), "more than one probe")
	const newKey = "CNRY-key-after-the-refusal"
	w.canaries = append(w.canaries, newKey)
	w.Expect1(w.hub.SetKey(w.app.ID, "second", newKey))
	s := w.secret("api-key")
	s.Data["apiKey"] = []byte(newKey)
	w.Expect(w.Update(w.Context(), s)).To(Succeed())
	w.ready(c)
}

func TestAnAPIKeyThatIsNotThereOrNoneIsTold(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders", func(c *v1alpha1.Chatt2Webhook) { c.Spec.APIKeySecretRef.Name = "later" })
	w.Expect(w.reason(c, v1alpha1.ConditionReady, v1alpha1.ReasonAPIKeyNotFound)).To(ContainSubstring(`"later"`))
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "later"}, Data: map[string][]byte{"other": nil}}
	w.create(s)
	w.Expect(w.reason(c, v1alpha1.ConditionStalled, v1alpha1.ReasonAPIKeyInvalid)).To(ContainSubstring(`"apiKey"`))
	for _, bad := range []string{"", "\n", "a b", "a\r\nb", "schlüssel"} {
		now := w.secret("later")
		now.Data = map[string][]byte{"apiKey": []byte(bad)}
		w.Expect(w.Update(w.Context(), now)).To(Succeed())
		w.Eventually(func() string {
			return w.reason(c, v1alpha1.ConditionStalled, v1alpha1.ReasonAPIKeyInvalid)
		}).Should(ContainSubstring("printable ASCII"))
	}
	w.Expect(w.hub.Requests()).To(BeEmpty())
	now := w.secret("later")
	now.Data = map[string][]byte{"apiKey": []byte(w.apiKey)}
	w.Expect(w.Update(w.Context(), now)).To(Succeed())
	w.ready(c)
}

func TestANamespaceGoesInAnyOrder(t *testing.T) {
	w := newWorld(t)
	w.run()
	for _, name := range []string{"a", "b", "c"} {
		w.ready(w.webhook(name, signed))
	}
	w.Expect(w.Delete(w.Context(), w.secret("api-key"))).To(Succeed())
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}
	w.Expect(w.Delete(w.Context(), namespace)).To(Succeed())
	w.gone(namespace)
	w.Expect(w.onHub()).To(BeEmpty(), "a webhook was left behind")
}

func TestADeletionWithoutAUsableKeyGivesUpAndSaysSo(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders")
	id := w.ready(c).Status.WebhookID
	w.Expect1(w.hub.RevokeKey(w.app.ID, simulator.DefaultKeyName))
	w.reason(c, v1alpha1.ConditionStalled, v1alpha1.ReasonAPIKeyRefused)
	w.Expect(w.Delete(w.Context(), c)).To(Succeed())
	w.Expect(w.reason(c, v1alpha1.ConditionSynced, v1alpha1.ReasonDeletionBlocked)).To(ContainSubstring("api-key"))
	w.gone(c)
	w.Expect(w.onHub()).To(HaveLen(1))
	w.Eventually(func() []string { return w.events(c) }).Should(ContainElement(v1alpha1.EventOrphaned))
	w.Expect(w.logs.String()).To(ContainSubstring(id))
}

func TestADeletionWithAnOpenRegistrationFindsTheWebhook(t *testing.T) {
	w := newWorld(t)
	var dying atomic.Bool
	w.intercept(func(r *http.Request) *http.Response {
		if dying.Load() && r.Method != http.MethodGet {
			return failure(http.StatusInternalServerError)
		}
		return nil
	})
	before := w.transport
	w.transport = func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			answer, err := before(next).RoundTrip(r)
			if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/webhook") {
				dying.Store(true)
			}
			return answer, err
		})
	}
	w.run()
	c := w.webhook("orders", signed)
	w.Eventually(w.onHub).Should(HaveLen(1))
	w.stop()
	w.Expect(w.get(c).Status.WebhookID).To(BeEmpty())
	w.Expect(w.Delete(w.Context(), c)).To(Succeed())
	dying.Store(false)
	w.transport = before
	w.run()
	w.gone(c)
	w.Expect(w.onHub()).To(BeEmpty())
	w.Expect(w.hub.Count("createWebhook")).To(Equal(1))
}

func TestTheInUseFinalizerIsReleasedByTheLastResource(t *testing.T) {
	w := newWorld(t)
	w.run()
	first, second := w.webhook("first"), w.webhook("second")
	w.ready(first)
	w.ready(second)
	w.Expect(w.Delete(w.Context(), first)).To(Succeed())
	w.gone(first)
	w.Expect(w.secret("api-key").Finalizers).To(ContainElement(v1alpha1.APIKeyFinalizer))
	w.Expect(w.Delete(w.Context(), w.secret("api-key"))).To(Succeed())
	w.Expect(w.Delete(w.Context(), second)).To(Succeed())
	w.gone(second)
	w.gone(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "api-key", Namespace: w.namespace}})
	w.Expect(w.onHub()).To(BeEmpty())
}

func TestConflictsOnTheStatusWriteMakeNoSecondWebhook(t *testing.T) {
	w := newWorld(t)
	var conflicts atomic.Int32
	w.intercept(func(r *http.Request) *http.Response {
		if strings.HasSuffix(r.URL.Path, "/status") && conflicts.Add(1)%3 != 0 {
			return failure(http.StatusConflict)
		}
		return nil
	})
	// No answer of the Hub is to be lost, too, on a machine that is busy.
	w.options = func(op *controller.Operator) { op.Hub.Timeout = patience }
	w.run()
	var all []client.Object
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		all = append(all, w.webhook(name, signed))
	}
	for _, c := range all {
		w.holdsLiveSecret(w.ready(c.(*v1alpha1.Chatt2Webhook)))
	}
	w.Expect(w.hub.Count("updateWebhook")).To(BeZero(), "what status could not be told is sent to the Hub again")
	w.Expect(w.hub.Count("createWebhook")).To(Equal(len(all)))
	w.Expect(w.hub.Count("redefineSignature")).To(BeZero())
}

func TestAResourceThatOthersWriteWhileItsWebhookIsDeletedIsReleasedAtOnce(t *testing.T) {
	w := newWorld(t)
	const finalizer = "example.com/foreground"
	w.transport = func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			answer, err := next.RoundTrip(r)
			if r.Method == http.MethodDelete {
				// As the garbage collector takes off foregroundDeletion.
				w.change(w.declared("orders"), func(c *v1alpha1.Chatt2Webhook) { c.Finalizers = c.Finalizers[1:] })
			}
			return answer, err
		})
	}
	w.run()
	c := w.webhook("orders", func(c *v1alpha1.Chatt2Webhook) { c.Finalizers = []string{finalizer} })
	w.ready(c)
	gets := w.hub.Count("getWebhook")
	w.Expect(w.Delete(w.Context(), c)).To(Succeed())
	w.gone(c)
	w.Expect(w.hub.Count("deleteWebhook")).To(Equal(1))
	w.Expect(w.hub.Count("getWebhook")).To(Equal(gets), "calls to look for what was deleted")
}
