package process_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// heapAlloc is what a heap profile says of the bytes in use.
var heapAlloc = regexp.MustCompile(`# HeapAlloc = (\d+)`)

// heap is how many bytes an operator keeps.
func (w *world) heap(address string) int {
	w.Helper()
	found := heapAlloc.FindStringSubmatch(w.profiled(address, "heap?gc=1&debug=1"))
	w.Expect(found).To(HaveLen(2), "the bytes in use in the profile")
	n, err := strconv.Atoi(found[1])
	w.must(err)
	return n
}

// TestOfLargeSecretsLittleStaysInMemory covers Secrets that hold much else besides an API key.
func TestOfLargeSecretsLittleStaysInMemory(t *testing.T) {
	w := newShard(t)
	const secrets, size = 60, 1_000_000
	key := w.canary()
	w.must(w.hub.SetKey(w.app.ID, "large", key))
	content := bytes.Repeat([]byte("x"), size)
	declare := func(n int) *v1alpha1.Chatt2Webhook {
		name := fmt.Sprintf("large-%d", n)
		w.must(w.Client.Create(w.Context(), &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name},
			Data:       map[string][]byte{"apiKey": []byte(key), "other": content},
		}))
		return w.webhook(name, func(c *v1alpha1.Chatt2Webhook) { c.Spec.APIKeySecretRef.Name = name })
	}
	address := w.freeAddress()
	w.start(w.install(), "--pprof-bind-address="+address, "--zap-log-level=info")
	w.ready(declare(0))
	before := w.heap(address)

	var all []*v1alpha1.Chatt2Webhook
	for n := range secrets {
		all = append(all, declare(n+1))
	}
	for _, c := range all {
		w.ready(c)
	}

	kept := w.heap(address) - before
	w.Logf("%d KiB are kept of %d Secrets, %d KiB before", kept>>10, secrets, before>>10)
	w.Expect(kept).To(BeNumerically("<", secrets*size/10), "bytes that are kept")
}
