package gitops_test

import (
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// TestAReplaceThatDropsTheFinalizerIsRefused applies the policy of config to a resource that the real operator works
// on.
func TestAReplaceThatDropsTheFinalizerIsRefused(t *testing.T) {
	w := newWorld(t)
	w.kubectl("apply", "-f", config("components", "keep-finalizer", "policy.yaml"))
	w.run()
	w.sync(w.inGit())
	c := &v1alpha1.Chatt2Webhook{}
	c.Namespace, c.Name = w.namespace, "received-messages"
	w.until(c, v1alpha1.ReasonReady)
	manifest := filepath.Join(t.TempDir(), "webhook.yaml")
	content, err := yaml.Marshal(w.inGit())
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(os.WriteFile(manifest, content, 0o600)).To(Succeed())

	// The API server takes a moment to enforce a new policy; until then the operator puts the finalizer back.
	w.Eventually(func() string {
		out, _ := w.tryKubectl("replace", "-f", manifest)
		return out
	}).Should(ContainSubstring("this update removes the finalizer hub.chatt2.me/webhook"))

	w.Expect(w.live(c).GetFinalizers()).To(ContainElement(v1alpha1.WebhookFinalizer))
	w.kubectl("apply", "--server-side", "--force-conflicts", "-f", manifest)
	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.Label = "Messages" })
	w.until(c, v1alpha1.ReasonReady)
	w.kubectl("-n", w.namespace, "delete", "c2w", c.Name)
	w.Eventually(func() bool {
		return apierrors.IsNotFound(w.Get(w.Context(), client.ObjectKeyFromObject(c), c))
	}).Should(BeTrue())
	w.Expect(w.hub.Webhooks(w.app.ID)).To(BeEmpty())
}
