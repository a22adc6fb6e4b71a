package campaign_test

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// TestSecretsThatBecomeUnusedTogetherCostFewLists: a list of all resources of the namespace for each Secret would take
// hours where there are thousands.
func TestSecretsThatBecomeUnusedTogetherCostFewLists(t *testing.T) {
	const n = 200
	r := inWorld("", func(w *world) int {
		for i := range n {
			secret := fmt.Sprintf("key-%d", i)
			used := inHome(secret)
			used.Finalizers = []string{v1alpha1.APIKeyFinalizer}
			w.create(&corev1.Secret{ObjectMeta: used, Data: map[string][]byte{"apiKey": []byte(apiKey)}})
			w.declare(inHome(fmt.Sprintf("orders-%d", i)), func(c *v1alpha1.Chatt2Webhook) {
				c.Spec.APIKeySecretRef.Name, c.Spec.Suspend = secret, true
			})
		}
		w.run(time.Minute)
		w.gate.armed = true
		before := w.lists()
		w.must(w.user.DeleteAllOf(w.ctx, &v1alpha1.Chatt2Webhook{}, client.InNamespace(home)))
		w.run(time.Minute)
		for i := range n {
			if len(w.secret(fmt.Sprintf("key-%d", i)).Finalizers) > 0 {
				w.violated("L2", "the Secret of resource %d is not released", i)
			}
		}
		lists := w.lists() - before
		t.Logf("%d lists for %d Secrets", lists, n)
		if lists > n/5 {
			w.violated("cost", "%d lists of all resources for %d Secrets", lists, n)
		}
		return 0
	})
	for _, broken := range r.broken {
		t.Error(broken)
	}
}

// lists is how often resources were listed at the API server.
func (w *world) lists() int {
	n := 0
	for _, e := range w.gate.trace {
		if e.what == "list Chatt2Webhook" {
			n++
		}
	}
	return n
}
