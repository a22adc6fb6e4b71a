package gitops_test

import (
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// renamed creates the resource under another name and then deletes it under the former one, as Flux does.
func (w *world) renamed(change func(*v1alpha1.Chatt2Webhook)) (before, after string) {
	w.Helper()
	w.run()
	former := w.webhook("former", change)
	w.until(former, v1alpha1.ReasonReady)
	before = w.status(former, "webhookID")
	present := w.webhook("present", change)
	w.Expect(w.Delete(w.Context(), former)).To(Succeed())
	w.until(present, v1alpha1.ReasonReady)
	w.Expect(w.hub.Webhooks(w.app.ID)).To(HaveLen(1))
	return before, w.status(present, "webhookID")
}

func TestARenameRegistersAnew(t *testing.T) {
	w := newWorld(t)
	before, after := w.renamed(func(*v1alpha1.Chatt2Webhook) {})
	w.Expect(after).NotTo(Equal(before))
}

func TestARenameKeepsAWebhookThatIsRetainedAndItsSecret(t *testing.T) {
	w := newWorld(t)
	before, after := w.renamed(func(c *v1alpha1.Chatt2Webhook) {
		c.Spec.DeletionPolicy, c.Spec.RequiresSignature = v1alpha1.DeletionRetain, true
		c.Spec.SigningSecret = &v1alpha1.SigningSecret{Name: "signing"}
	})
	w.Expect(after).To(Equal(before))
	s := &corev1.Secret{}
	w.Eventually(func() bool {
		w.Expect(w.Get(w.Context(), client.ObjectKey{Namespace: w.namespace, Name: "signing"}, s)).To(Succeed())
		return len(s.OwnerReferences) == 1 && s.OwnerReferences[0].Name == "present"
	}).Should(BeTrue())
	w.Expect(s.Data).NotTo(HaveKey(v1alpha1.SecretKeyPrevious), "something was rotated")
	w.Expect(string(s.Data[v1alpha1.SecretKeyCurrent])).To(Equal(w.hub.SecretOf(after)))
}
