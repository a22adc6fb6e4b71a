package controller_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// ownLabel has the API server set the label "team" of the Secrets in the world's namespace.
func (w *world) ownLabel() {
	w.Helper()
	w.mutate("has(object.metadata.labels)", `JSONPatch{op: "add", path: "/metadata/labels/team", value: "payments"}`)
}

// removeAnnotations has the API server remove the annotations of Secrets and other kinds in the world's namespace,
// until it is ended.
func (w *world) removeAnnotations(others ...any) (end func()) {
	w.Helper()
	return w.mutate("has(object.metadata.annotations)", `JSONPatch{op: "remove", path: "/metadata/annotations"},
		JSONPatch{op: "add", path: "/metadata/labels", value: {"team": "payments"}}`, others...)
}

// mutate has an admission policy change the Secrets, and the objects of other kinds, in the world's namespace for
// which a condition holds, until it is ended. The change sets the label "team" besides.
func (w *world) mutate(condition, change string, others ...any) (end func()) {
	w.Helper()
	var policy []client.Object
	for _, object := range []map[string]any{
		{
			"kind": "MutatingAdmissionPolicy", "spec": map[string]any{
				"matchConstraints": map[string]any{"resourceRules": []any{map[string]any{
					"apiGroups": []any{"", v1alpha1.GroupVersion.Group}, "apiVersions": []any{"*"},
					"operations": []any{"CREATE", "UPDATE"}, "resources": append(others, "secrets"),
				}}},
				"matchConditions": []any{map[string]any{
					"name": "here", "expression": `object.metadata.namespace == "` + w.namespace +
						`" && ` + condition,
				}},
				"failurePolicy": "Fail", "reinvocationPolicy": "Never",
				"mutations": []any{map[string]any{"patchType": "JSONPatch", "jsonPatch": map[string]any{
					"expression": "[" + change + "]",
				}}},
			},
		},
		{"kind": "MutatingAdmissionPolicyBinding", "spec": map[string]any{"policyName": w.namespace}},
	} {
		object["apiVersion"] = admissionv1.SchemeGroupVersion.String()
		object["metadata"] = map[string]any{"name": w.namespace}
		o := &unstructured.Unstructured{Object: object}
		w.Expect(w.Client.Create(w.Context(), o)).To(Succeed())
		policy = append(policy, o)
	}
	// The API server takes a moment to apply a policy.
	team := func() string {
		probe := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
			Name: "probe", Namespace: w.namespace, Labels: map[string]string{"probe": "yes"},
			Annotations: map[string]string{"probe": "yes"},
		}}
		w.Expect(w.Client.Create(w.Context(), probe)).To(Succeed())
		s := w.secret("probe")
		w.Expect(w.Delete(w.Context(), s)).To(Succeed())
		return s.Labels["team"]
	}
	w.Eventually(team).Should(Equal("payments"))
	remove := sync.OnceFunc(func() {
		for _, o := range policy {
			w.Expect(w.Delete(context.Background(), o)).To(Succeed())
		}
	})
	w.Cleanup(remove)
	return func() {
		remove()
		w.Eventually(team).Should(BeEmpty())
	}
}

func TestALabelThatAPolicyOwnsIsReportedOnceAndHoldsNothingUp(t *testing.T) {
	w := newWorld(t)
	w.ownLabel()
	var writes atomic.Int32
	w.intercept(func(r *http.Request) *http.Response {
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/secrets/orders-signing") {
			writes.Add(1)
		}
		return nil
	})
	w.endpoint.set(false)
	w.run()
	c := w.webhook("orders", signed, func(c *v1alpha1.Chatt2Webhook) {
		c.Spec.SigningSecret = &v1alpha1.SigningSecret{Template: &v1alpha1.SecretTemplate{
			Metadata: v1alpha1.SecretTemplateMetadata{Labels: map[string]v1alpha1.LabelValue{"team": "checkout"}},
		}}
	})
	w.eventually(c, "the label that is not kept is reported", func(now *v1alpha1.Chatt2Webhook) bool {
		signing := findCondition(now, v1alpha1.ConditionSigningSecretReady)
		return signing != nil && strings.Contains(signing.Message, "does not keep")
	})
	w.endpoint.set(true)
	w.holdsLiveSecret(w.ready(c))
	w.quiet(quietTime)
	w.Expect(writes.Load()).To(BeEquivalentTo(1), "what is undone is written again and again")
	w.Eventually(func() []string { return w.events(c) }).Should(ContainElement(v1alpha1.ReasonSecretRejected))
}

func TestASecretWhoseAnnotationsAreNotKeptIsWrittenSeldomAndNotExchanged(t *testing.T) {
	w := newWorld(t)
	allow := w.removeAnnotations()
	var writes atomic.Int32
	w.intercept(func(r *http.Request) *http.Response {
		if r.Method != http.MethodGet && strings.Contains(r.URL.Path, "/secrets") && !strings.HasSuffix(r.URL.Path, "key") {
			writes.Add(1)
		}
		return nil
	})
	w.run()
	c := w.webhook("orders", signed)
	w.holdsLiveSecret(w.ready(c))
	w.eventually(c, "annotations that are not kept are reported", func(now *v1alpha1.Chatt2Webhook) bool {
		return strings.Contains(findCondition(now, v1alpha1.ConditionSigningSecretReady).Message, "does not keep")
	})
	w.quiet(quietTime)
	w.Expect(writes.Load()).To(BeNumerically("<=", 2), "the Secret is created, and written once more")

	w.annotate(c, v1alpha1.AnnotationRotateRequestedAt, "now")
	w.reason(c, v1alpha1.ConditionSigningSecretReady, v1alpha1.ReasonSecretRejected)
	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.Label = "renamed" })
	w.Eventually(func() string { return w.onHub()[0].Label }).Should(Equal("renamed"))
	w.restart()
	w.reason(c, v1alpha1.ConditionSigningSecretReady, v1alpha1.ReasonSecretRejected)
	w.quiet(quietTime)
	w.Expect(w.hub.Count("redefineSignature")).To(BeZero())
	w.Expect(writes.Load()).To(BeNumerically("<=", 6), "what is undone is written again and again")

	allow()
	w.annotate(c, v1alpha1.AnnotationReconcileRequestedAt, "now")
	w.holdsLiveSecret(w.ready(w.rotated(c, "now")))
	w.Expect(w.hub.Count("redefineSignature")).To(Equal(1))
}

func TestNothingIsRegisteredThatCannotBeRecorded(t *testing.T) {
	w := newWorld(t)
	allow := w.removeAnnotations("chatt2webhooks")
	var writes atomic.Int32
	w.intercept(func(r *http.Request) *http.Response {
		if r.Method != http.MethodGet && strings.HasSuffix(r.URL.Path, "/chatt2webhooks/orders") {
			writes.Add(1)
		}
		return nil
	})
	w.run()
	c := w.webhook("orders")
	w.reason(c, v1alpha1.ConditionStalled, v1alpha1.ReasonMetadataRejected)
	w.quiet(quietTime)
	w.Expect(w.onHub()).To(BeEmpty())
	w.Expect(writes.Load()).To(BeEquivalentTo(1), "what is not kept is written again and again")
	w.Expect(w.events(c)).To(ContainElement(v1alpha1.ReasonMetadataRejected))
	allow()
	w.annotate(c, v1alpha1.AnnotationReconcileRequestedAt, "now")
	w.ready(c)
	w.Expect(w.onHub()).To(HaveLen(1))
}

func TestAnotherControllerThatRemovesTheAnnotationsOfTheSecretCausesNoRotation(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders", signed)
	w.ready(c)
	remove := func() {
		s := w.secret("orders-signing")
		s.Annotations, s.Labels = nil, nil
		w.Expect(w.Update(w.Context(), s)).To(Succeed())
	}
	for range 4 {
		remove()
		w.Eventually(func() map[string]string { return w.secret("orders-signing").Annotations }).Should(
			HaveKey(v1alpha1.AnnotationWebhookID))
	}
	w.eventually(c, "quiet about annotations", func(now *v1alpha1.Chatt2Webhook) bool {
		return !strings.Contains(findCondition(now, v1alpha1.ConditionSigningSecretReady).Message, "does not keep")
	})
	remove()
	w.eventually(c, "annotations that are not kept are reported", func(now *v1alpha1.Chatt2Webhook) bool {
		return strings.Contains(findCondition(now, v1alpha1.ConditionSigningSecretReady).Message, "does not keep")
	})
	w.quiet(quietTime)
	w.holdsLiveSecret(w.ready(c))
	w.Expect(w.secret("orders-signing").Annotations).To(BeEmpty())
	w.Expect(w.hub.Count("redefineSignature")).To(BeZero())
	w.annotate(c, v1alpha1.AnnotationReconcileRequestedAt, "now")
	w.Eventually(func() map[string]string { return w.secret("orders-signing").Annotations }).Should(
		HaveKey(v1alpha1.AnnotationWebhookID))
}

func TestAFinalizerOnTheSecretOfAnUnsignedWebhookHoldsNothingUp(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders", signed)
	w.ready(c)
	s := w.secret("orders-signing")
	s.Finalizers = []string{"example.com/backup"}
	w.Expect(w.Update(w.Context(), s)).To(Succeed())
	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.RequiresSignature = false })
	w.eventually(c, "ready without a secret", func(now *v1alpha1.Chatt2Webhook) bool {
		return now.IsReady() && now.Status.SigningSecret == nil
	})
	w.quiet(quietTime)
	s = w.secret("orders-signing")
	s.Finalizers = nil
	w.Expect(w.Update(w.Context(), s)).To(Succeed())
	w.gone(s)
}

func TestASecretThatCannotBeStoredDoesNotHoldSpecUp(t *testing.T) {
	w := newWorld(t)
	var refused atomic.Int32
	w.intercept(func(r *http.Request) *http.Response {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/secrets") {
			refused.Add(1)
			return failure(http.StatusForbidden)
		}
		return nil
	})
	w.run()
	c := w.webhook("orders", signed)
	w.reason(c, v1alpha1.ConditionSigningSecretReady, v1alpha1.ReasonSecretRejected)
	// While it is tried again and again the rest of spec takes effect, the reason stays, and no other secret is made.
	w.Eventually(refused.Load).Should(BeNumerically(">=", 3))
	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.Label = "renamed" })
	w.Eventually(func() string { return w.onHub()[0].Label }).Should(Equal("renamed"))
	w.reason(c, v1alpha1.ConditionSigningSecretReady, v1alpha1.ReasonSecretRejected)
	w.Expect(w.hub.Count("redefineSignature")).To(BeZero())
	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.RequiresSignature = false })
	w.ready(c)
	w.Expect(w.onHub()).To(HaveLen(1))
	w.Expect(w.onHub()[0].RequiresSignature).To(BeFalse())
}

func TestARotationThatTheAPIServerRefusesHoldsNothingElseUp(t *testing.T) {
	for _, code := range []int{http.StatusBadRequest, http.StatusForbidden, http.StatusUnprocessableEntity} {
		t.Run(strconv.Itoa(code), func(t *testing.T) {
			w := newWorld(t)
			var refusing atomic.Bool
			var refused atomic.Int32
			w.intercept(func(r *http.Request) *http.Response {
				if refusing.Load() && r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/secrets/orders-signing") {
					refused.Add(1)
					return failure(code)
				}
				return nil
			})
			w.run()
			c := w.webhook("orders", signed)
			w.ready(c)
			refusing.Store(true)
			w.annotate(c, v1alpha1.AnnotationRotateRequestedAt, "now")
			w.reason(c, v1alpha1.ConditionSigningSecretReady, v1alpha1.ReasonSecretRejected)
			w.Eventually(refused.Load).Should(BeNumerically(">=", 3))
			w.endpoint.set(false)
			w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.Endpoint += "?changed" })
			w.eventually(c, "not verified", func(now *v1alpha1.Chatt2Webhook) bool {
				return meta.IsStatusConditionFalse(now.Status.Conditions, v1alpha1.ConditionVerified)
			})
			w.endpoint.set(true)
			w.annotate(c, v1alpha1.AnnotationReconcileRequestedAt, "now")
			w.eventually(c, "verified", func(now *v1alpha1.Chatt2Webhook) bool {
				return meta.IsStatusConditionTrue(now.Status.Conditions, v1alpha1.ConditionVerified)
			})
			w.reason(c, v1alpha1.ConditionSigningSecretReady, v1alpha1.ReasonSecretRejected)
			w.Expect(w.hub.Count("redefineSignature")).To(BeZero())
			w.Expect(w.Delete(w.Context(), w.get(c))).To(Succeed())
			w.gone(c)
			w.Expect(w.onHub()).To(BeEmpty())
		})
	}
}

func TestAShorterOverlapTakesEffectAtOnce(t *testing.T) {
	w := newWorld(t)
	w.run()
	overlap := func(d string) func(*v1alpha1.Chatt2Webhook) {
		return func(c *v1alpha1.Chatt2Webhook) {
			c.Spec.SigningSecret = &v1alpha1.SigningSecret{Rotation: v1alpha1.Rotation{Overlap: d}}
		}
	}
	c := w.webhook("orders", signed, overlap("24h"))
	w.ready(c)
	w.annotate(c, v1alpha1.AnnotationRotateRequestedAt, "one")
	w.rotated(c, "one")
	w.annotate(c, v1alpha1.AnnotationRotateRequestedAt, "two")
	w.eventually(c, "told that the request waits", func(now *v1alpha1.Chatt2Webhook) bool {
		return strings.Contains(findCondition(now, v1alpha1.ConditionSigningSecretReady).Message, "was requested")
	})
	// A clock that was ahead by years may have written the end.
	s := w.secret("orders-signing")
	s.Annotations[v1alpha1.AnnotationPreviousExpiresAt] = time.Now().AddDate(10, 0, 0).UTC().Format(time.RFC3339)
	w.Expect(w.Update(w.Context(), s)).To(Succeed())
	w.change(c, overlap("1s"))
	w.rotated(c, "two")
	w.Expect(w.hub.Count("redefineSignature")).To(Equal(2))
	w.Eventually(func() map[string][]byte { return w.secret("orders-signing").Data }).ShouldNot(HaveKey("previousSecret"))
}
