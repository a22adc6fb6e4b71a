package controller_test

import (
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// mutate has the API server set the label "team" of signing Secrets in the world's namespace to another value.
func (w *world) mutate() {
	w.Helper()
	for _, object := range []map[string]any{
		{
			"kind": "MutatingAdmissionPolicy", "spec": map[string]any{
				"matchConstraints": map[string]any{"resourceRules": []any{map[string]any{
					"apiGroups": []any{""}, "apiVersions": []any{"v1"}, "operations": []any{"CREATE", "UPDATE"},
					"resources": []any{"secrets"},
				}}},
				"matchConditions": []any{map[string]any{
					"name": "here", "expression": `object.metadata.namespace == "` + w.namespace +
						`" && has(object.metadata.labels)`,
				}},
				"failurePolicy": "Fail", "reinvocationPolicy": "Never",
				"mutations": []any{map[string]any{"patchType": "JSONPatch", "jsonPatch": map[string]any{
					"expression": `[JSONPatch{op: "add", path: "/metadata/labels/team", value: "payments"}]`,
				}}},
			},
		},
		{"kind": "MutatingAdmissionPolicyBinding", "spec": map[string]any{"policyName": w.namespace}},
	} {
		object["apiVersion"] = admissionv1.SchemeGroupVersion.String()
		object["metadata"] = map[string]any{"name": w.namespace}
		o := &unstructured.Unstructured{Object: object}
		w.Expect(w.Client.Create(w.Context(), o)).To(Succeed())
		w.Cleanup(func() { _ = w.Client.Delete(w.Context(), o) })
	}
	// The API server takes a moment to apply a policy.
	w.Eventually(func() string {
		probe := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
			Name: "probe", Namespace: w.namespace, Labels: map[string]string{"probe": "yes"},
		}}
		w.Expect(w.Client.Create(w.Context(), probe)).To(Succeed())
		s := w.secret("probe")
		w.Expect(w.Delete(w.Context(), s)).To(Succeed())
		return s.Labels["team"]
	}).Should(Equal("payments"))
}

func TestALabelThatAPolicyOwnsIsReportedOnceAndHoldsNothingUp(t *testing.T) {
	w := newWorld(t)
	w.mutate()
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
	w.eventually(c, "told that a label is not kept", func(now *v1alpha1.Chatt2Webhook) bool {
		signing := findCondition(now, v1alpha1.ConditionSigningSecretReady)
		return signing != nil && strings.Contains(signing.Message, "does not keep")
	})
	w.endpoint.set(true)
	w.holdsLiveSecret(w.ready(c))
	w.quiet(quietTime)
	w.Expect(writes.Load()).To(BeEquivalentTo(1), "what is undone is written again and again")
	w.Eventually(func() []string { return w.events(c) }).Should(ContainElement(v1alpha1.ReasonSecretRejected))
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
			w.eventually(c, "told that the endpoint is not verified", func(now *v1alpha1.Chatt2Webhook) bool {
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
