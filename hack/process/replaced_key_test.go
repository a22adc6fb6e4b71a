package process_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// TestKubectlReplacesAnAPIKeySecretThatIsInUse: it deletes the Secret and waits until it is gone before it creates the
// new one, as Flux and Argo CD do where they are told to force.
func TestKubectlReplacesAnAPIKeySecretThatIsInUse(t *testing.T) {
	w := newShard(t)
	i := w.install()
	w.start(i)
	c := w.webhook("orders", signed)
	before := w.ready(c)
	key := w.canary()
	w.must(w.hub.SetKey(w.app.ID, "second", key))
	folder := w.TempDir()
	w.must(os.WriteFile(filepath.Join(folder, "secret.yaml"), fmt.Appendf(nil, "apiVersion: v1\nkind: Secret\n"+
		"metadata: {name: api-key, namespace: %s}\nimmutable: true\nstringData: {apiKey: %s}\n", w.namespace, key), 0o600))
	began := time.Now()
	w.shell(folder, w.kubeconfig(shared.Config), "kubectl replace --force -f secret.yaml")
	took := time.Since(began)
	w.Logf("replaced after %s", took.Round(100*time.Millisecond))
	w.Expect(took).To(BeNumerically("<", time.Minute))
	w.Expect(string(w.read(w.namespace, "api-key").Data["apiKey"])).To(Equal(key))
	w.Eventually(func() bool {
		now := w.get(c)
		return now.IsReady() && now.Status.APIKeyHash != before.Status.APIKeyHash
	}).Should(BeTrue(), "the new key is used: %s", w.logs())
	now := w.get(c)
	w.Expect(now.Status.WebhookID).To(Equal(before.Status.WebhookID))
	w.holdsLiveSecret(now)
	w.Eventually(func() []string { return w.events(c) }).Should(ContainElement(v1alpha1.EventAPIKeySecretDeleted))
}
