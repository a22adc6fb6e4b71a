package process_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

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

// replacements are the ways in which clients put a new Secret in the place of one: as kubectl and Argo CD with Replace
// do, as one does that creates it at once, and as Flux does, which applies to whatever is there.
var replacements = []string{
	"kubectl replace --force -f NAME.yaml",
	"kubectl delete --wait=false -f NAME.yaml; until kubectl create -f NAME.yaml; do sleep 0.5; done",
	`uid() { kubectl get -f NAME.yaml -o 'jsonpath={.metadata.uid}'; }; old=$(uid); kubectl delete --wait=false -f NAME.yaml;
	until kubectl apply --server-side --force-conflicts -f NAME.yaml && new=$(uid) && test "$new" != "$old"; do
		sleep 0.5; done`,
}

// TestAPIKeySecretsOfTwoShardsAreReplacedByAnyClient covers a Secret that both shards use and one of each shard alone,
// all of which are replaced at once.
func TestAPIKeySecretsOfTwoShardsAreReplacedByAnyClient(t *testing.T) {
	w := newShard(t)
	i := w.install()
	secrets := []string{"api-key", "key-a", "key-b"}
	for n, part := range []string{"a", "b"} {
		key := w.canary()
		w.must(w.hub.SetKey(w.app.ID, part, key))
		w.secret(w.namespace, secrets[n+1], "apiKey", key)
		w.start(i, fmt.Sprintf("--watch-label-selector=%s=%s,part=%s", shard, w.namespace, part), "--leader-elect")
	}
	var all []*v1alpha1.Chatt2Webhook
	for _, part := range []string{"a", "b"} {
		for _, name := range []string{"api-key", "key-" + part} {
			all = append(all, w.webhook(part+"-"+name, signed, func(c *v1alpha1.Chatt2Webhook) {
				c.Labels["part"], c.Spec.APIKeySecretRef.Name = part, name
			}))
		}
	}
	for n := range all {
		all[n] = w.ready(all[n])
	}

	for round := range replacements {
		w.replaceAll(secrets, round)
		for n, before := range all {
			w.Eventually(func() bool {
				now := w.get(before)
				return now.IsReady() && now.Status.APIKeyHash != before.Status.APIKeyHash
			}).Should(BeTrue(), "%s does not use the new key: %s", before.Name, w.logs())
			all[n] = w.get(before)
			w.Expect(all[n].Status.WebhookID).To(Equal(before.Status.WebhookID))
			w.holdsLiveSecret(all[n])
			w.Eventually(func() []string { return w.events(before) }).Should(ContainElement(v1alpha1.EventAPIKeySecretDeleted))
		}
	}

	// Secrets that go for good are kept as long as a resource of either shard needs them.
	w.must(w.DeleteAllOf(w.Context(), &corev1.Secret{}, client.InNamespace(w.namespace)))
	w.must(w.DeleteAllOf(w.Context(), &v1alpha1.Chatt2Webhook{}, client.InNamespace(w.namespace)))
	for _, c := range all {
		w.gone(c)
	}
	w.Expect(w.onHub()).To(BeEmpty(), "webhooks that are left behind")
	for _, name := range secrets {
		w.gone(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}})
	}
}

// replaceAll replaces Secrets at once, each in another way, which differs from round to round.
func (w *world) replaceAll(secrets []string, round int) {
	w.Helper()
	folder, keys := w.TempDir(), map[string]string{}
	var script strings.Builder
	for n, name := range secrets {
		keys[name] = w.canary()
		w.must(w.hub.SetKey(w.app.ID, fmt.Sprintf("%s-%d", name, round), keys[name]))
		w.must(os.WriteFile(filepath.Join(folder, name+".yaml"), fmt.Appendf(nil, "apiVersion: v1\nkind: Secret\n"+
			"metadata: {name: %s, namespace: %s}\nstringData: {apiKey: %s}\n", name, w.namespace, keys[name]), 0o600))
		way := replacements[(n+round)%len(replacements)]
		script.WriteString("(" + strings.ReplaceAll(way, "NAME", name) + ") &\n")
	}
	began := time.Now()
	said := w.shell(folder, w.kubeconfig(shared.Config), script.String()+"wait\n")
	w.Logf("replaced after %s", time.Since(began).Round(100*time.Millisecond))
	w.Expect(time.Since(began)).To(BeNumerically("<", time.Minute), said)
	for _, name := range secrets {
		now := w.read(w.namespace, name)
		w.Expect(string(now.Data["apiKey"])).To(Equal(keys[name]), "%s: %s", name, said)
		// A resource that needs the API key may be deleted up to 5 s after the Secret, in whatever shard it is.
		w.Expect(now.CreationTimestamp.Sub(began)).To(BeNumerically(">=", 4*time.Second), "%s was released too early", name)
	}
}
