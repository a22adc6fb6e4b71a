package gitops_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// inGit is a Chatt2Webhook as it stands in Git, with what Argo CD puts on it to know it again.
func (w *world) inGit() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "hub.chatt2.me/v1alpha1", "kind": "Chatt2Webhook",
		"metadata": map[string]any{
			"name": "received-messages", "namespace": w.namespace,
			"labels": map[string]any{"app.kubernetes.io/instance": "chat"},
			"annotations": map[string]any{
				"argocd.argoproj.io/tracking-id": "chat:hub.chatt2.me/Chatt2Webhook:" + w.namespace + "/received-messages",
			},
		},
		"spec": map[string]any{
			"label": "ReceivedMessages", "endpoint": w.endpoint + "/webhooks/chatt2me", "eventType": "Message",
			"apiKeySecretRef": map[string]any{"name": "api-key"}, "requiresSignature": true,
			// Another spelling of 720h, which nobody may correct.
			"signingSecret": map[string]any{"rotation": map[string]any{"interval": "43200m"}},
		},
	}}
}

// sync applies a resource as Argo CD does with server-side apply.
func (w *world) sync(object *unstructured.Unstructured, options ...client.ApplyOption) *unstructured.Unstructured {
	w.Helper()
	object = object.DeepCopy()
	options = append(options, client.FieldOwner("argocd-controller"), client.ForceOwnership)
	w.Expect(w.Apply(w.Context(), client.ApplyConfigurationFromUnstructured(object), options...)).To(Succeed())
	return object
}

// TestAResourceStaysSynced does what server-side diff does: what would be applied is compared with what is there.
func TestAResourceStaysSynced(t *testing.T) {
	w := newWorld(t)
	w.run()
	w.sync(w.inGit())
	c := &v1alpha1.Chatt2Webhook{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "received-messages"}}
	w.until(c, v1alpha1.ReasonReady)
	w.pressAndApply(c, "sync")
	w.pressAndApply(c, "rotate-secret")
	w.Eventually(func() string { return w.status(c, "lastHandledRotateAt") }).ShouldNot(BeEmpty())

	w.Eventually(func() string {
		live := w.live(c)
		predicted := w.sync(w.inGit(), client.DryRunAll)
		for _, object := range []*unstructured.Unstructured{live, predicted} {
			unstructured.RemoveNestedField(object.Object, "status") // which Argo CD leaves out, too
			object.SetManagedFields(nil)
			object.SetResourceVersion("")
		}
		return cmp.Diff(live.Object, predicted.Object)
	}).Should(BeEmpty())
}

// TestArgoCDKnowsWhoseTheSigningSecretIs: not its own, so that it does not prune it, but the resource's.
func TestArgoCDKnowsWhoseTheSigningSecretIs(t *testing.T) {
	w := newWorld(t)
	w.run()
	w.sync(w.inGit())
	c := &v1alpha1.Chatt2Webhook{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "received-messages"}}
	owner := w.until(c, v1alpha1.ReasonReady)

	s := &corev1.Secret{}
	w.Expect(w.Get(w.Context(), client.ObjectKey{Namespace: w.namespace, Name: "received-messages-signing"}, s)).To(Succeed())
	w.Expect(metav1.IsControlledBy(s, owner)).To(BeTrue())
	w.Expect(s.Labels).To(Equal(map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}))
	w.Expect(s.Annotations).NotTo(HaveKey("argocd.argoproj.io/tracking-id"))
}
