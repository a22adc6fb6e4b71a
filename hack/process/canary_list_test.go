package process_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/cluster"
)

// TestNoLogLevelShowsTheBodiesOfLists covers API servers that do not stream lists, as Kubernetes 1.33 by default: there
// client-go lists with ordinary requests, whose bodies it logs at a high level.
func TestNoLogLevelShowsTheBodiesOfLists(t *testing.T) {
	// Not before the tests whose operators see the whole cluster: what is left here goes with its namespace only later.
	t.Parallel()
	for _, level := range []string{"1", "7", "8", "9", "10"} {
		t.Run("level "+level, func(t *testing.T) {
			w := newShard(t)
			w.env = []string{"KUBE_FEATURE_WatchListClient=false"}
			w.applied("applied", w.canary())
			inline := random()
			w.inSpec = append(w.inSpec, inline)
			c := w.webhook("orders", signed, func(c *v1alpha1.Chatt2Webhook) {
				c.Spec.Headers = []v1alpha1.Header{{Key: "X-Inline", Value: &inline}}
			})
			i := w.install()

			w.start(i, "--leader-elect", "--zap-log-level="+level)

			w.ready(c)
			w.Eventually(func() []string { return w.events(c) }).Should(ContainElement(v1alpha1.EventRegistered))
			w.listedByRequests(i, "secrets", "configmaps", "chatt2webhooks")
			// The test's end looks for the canaries in the log.
		})
	}
}

// TestAServerThatDoesNotStreamListsIsServed covers the operator's own client, which asks for streams and is refused
// them.
func TestAServerThatDoesNotStreamListsIsServed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	audit := filepath.Join(dir, "audit.log")
	options := controlPlane(dir, audit)
	options.APIServerFlags["feature-gates"] = "WatchList=false"
	plane, err := cluster.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			t.Error(err)
		}
	})
	for _, level := range []string{"1", "7", "8", "9", "10"} {
		t.Run("level "+level, func(t *testing.T) {
			t.Parallel()
			w := newWorldOn(t, plane, audit)
			w.refused = true // client-go logs at level 4 that streams are forbidden, with another status
			w.flags = []string{"--watch-label-selector=" + shard + "=" + w.namespace}
			w.applied("applied", w.canary())
			i := w.install()

			w.start(i, "--leader-elect", "--zap-log-level="+level)

			w.live()
			w.listedByRequests(i, "secrets", "configmaps", "chatt2webhooks")
			asked := w.audited(i.user())
			w.Expect(asked).To(ContainElement(HaveField("URI", ContainSubstring("sendInitialEvents=true"))), "streams")
			w.Expect(asked).NotTo(ContainElement(HaveField("Status.Code", http.StatusForbidden)))
			// The test's end looks for the canaries in the log.
		})
	}
}

// applied creates a Secret as `kubectl apply` does: an annotation holds all that was applied.
func (w *world) applied(name, value string) {
	w.Helper()
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}, StringData: map[string]string{"apiKey": value},
	}
	text, err := json.Marshal(secret)
	w.must(err)
	secret.Annotations = map[string]string{corev1.LastAppliedConfigAnnotation: string(text)}
	w.must(w.Client.Create(w.Context(), secret))
}

// listedByRequests asserts that the operator listed these resources with ordinary requests.
func (w *world) listedByRequests(i *installation, resources ...string) {
	w.Helper()
	var lists []string
	for _, a := range w.audited(i.user()) {
		if a.Verb == "list" && !strings.Contains(a.URI, "watch=true") {
			lists = append(lists, a.Object.Resource)
		}
	}
	for _, resource := range resources {
		w.Expect(lists).To(ContainElement(resource), "lists of %s", resource)
	}
}
