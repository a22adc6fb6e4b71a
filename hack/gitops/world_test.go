package gitops_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/cluster"
	"github.com/chatt2me/webhook-operator/internal/controller"
	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator/simulatortest"
	"github.com/chatt2me/webhook-operator/internal/plan"
	"github.com/chatt2me/webhook-operator/internal/receiver"
)

// patience is how long a test waits for what is to come, longer than any machine needs.
const patience = 2 * time.Minute

// world is what one test plays in: a namespace, a Hub and an endpoint of its own, and an operator for them.
type world struct {
	*testing.T
	*WithT
	client.Client
	hub       *simulatortest.Hub
	app       simulator.Application
	namespace string
	endpoint  string
	// up: the endpoint answers handshakes.
	up   atomic.Bool
	stop func()
}

// newWorld makes a world without a running operator, with an API key in the Secret api-key.
func newWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	c, err := client.New(shared.Config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		T: t, WithT: NewWithT(t), Client: c, hub: simulatortest.Start(t, simulator.Options{}),
		namespace: cluster.Namespace(t, c), stop: func() {},
	}
	w.SetDefaultEventuallyTimeout(patience)
	w.SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	w.app = w.hub.AddApplication("main", "key-of-"+w.namespace)
	w.startEndpoint()
	t.Cleanup(func() { w.stop() })
	w.secret("api-key", "apiKey", "key-of-"+w.namespace)
	return w
}

func (w *world) startEndpoint() {
	w.Helper()
	r, err := receiver.New(receiver.Options{Path: "/", SigningSecretDir: w.TempDir(), Now: time.Now})
	w.Expect(err).NotTo(HaveOccurred())
	w.up.Store(true)
	server := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		if !w.up.Load() {
			rw.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		req.URL.Path = "/"
		r.Handler().ServeHTTP(rw, req)
	}))
	w.Cleanup(server.Close)
	w.endpoint = server.URL
}

// run starts an operator; it ends with the test or by stop.
func (w *world) run() {
	w.Helper()
	op := controller.Operator{
		Options: controller.Options{
			Settings:   plan.Settings{SettleTime: 6 * time.Second, OrphanAfter: time.Minute, PollInterval: time.Second},
			Namespaces: []string{w.namespace}, MaxConcurrentReconciles: 4, WatchSecrets: true,
		},
		Hub: hub.Config{
			BaseURL: w.hub.URL, Timeout: 5 * time.Second,
			Transport: hub.NewTransport(hub.TransportConfig{RootCAs: w.hub.CAs}),
		},
		QPS: 200, Burst: 200, Registry: prometheus.NewRegistry(), Now: time.Now,
	}
	mgr, err := ctrl.NewManager(shared.Config, ctrl.Options{
		Scheme: scheme, Metrics: metricsserver.Options{BindAddress: "0"},
		Controller: ctrlconfig.Controller{SkipNameValidation: new(true)},
		Cache: cache.Options{
			DefaultNamespaces: map[string]cache.Config{w.namespace: {}}, DefaultTransform: controller.Strip,
		},
	})
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(op.SetupWithManager(mgr)).To(Succeed())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	w.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			w.Errorf("the operator ended with: %v", err)
		}
	})
}

// secret creates a Secret with one value.
func (w *world) secret(name, key, value string) {
	w.Helper()
	w.Expect(w.Create(w.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}, Data: map[string][]byte{key: []byte(value)},
	})).To(Succeed())
}

// webhook creates a resource; change says what is special about it.
func (w *world) webhook(name string, change ...func(*v1alpha1.Chatt2Webhook)) *v1alpha1.Chatt2Webhook {
	w.Helper()
	c := &v1alpha1.Chatt2Webhook{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}}
	c.Spec = v1alpha1.Chatt2WebhookSpec{
		Label: "ReceivedMessages", Endpoint: w.endpoint + "/webhooks/chatt2me", EventType: v1alpha1.EventTypeMessage,
		APIKeySecretRef: v1alpha1.APIKeySecretReference{Name: "api-key"},
	}
	for _, do := range change {
		do(c)
	}
	w.Expect(w.Create(w.Context(), c)).To(Succeed())
	return c
}

// change changes a resource as a user does.
func (w *world) change(c *v1alpha1.Chatt2Webhook, do func(*v1alpha1.Chatt2Webhook)) {
	w.Helper()
	before := &v1alpha1.Chatt2Webhook{}
	w.Expect(w.Get(w.Context(), client.ObjectKeyFromObject(c), before)).To(Succeed())
	after := before.DeepCopy()
	do(after)
	w.Expect(w.Patch(w.Context(), after, client.MergeFrom(before))).To(Succeed())
}

// live reads a resource as Argo CD and Flux do.
func (w *world) live(c *v1alpha1.Chatt2Webhook) *unstructured.Unstructured {
	w.Helper()
	now := &unstructured.Unstructured{}
	now.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Chatt2Webhook"))
	w.Expect(w.Get(w.Context(), client.ObjectKeyFromObject(c), now)).To(Succeed())
	return now
}

// until waits until Ready of the present spec has a reason, and returns the resource as it is then.
func (w *world) until(c *v1alpha1.Chatt2Webhook, reason string) *unstructured.Unstructured {
	w.Helper()
	var now *unstructured.Unstructured
	w.Eventually(func() string {
		now = w.live(c)
		ready := condition(now, v1alpha1.ConditionReady)
		if observed, _ := ready["observedGeneration"].(int64); observed != now.GetGeneration() {
			return "of another generation"
		}
		return text(ready, "reason")
	}).Should(Equal(reason))
	return now
}

// untilStalled waits until a resource is stalled for a reason, and returns it as it is then.
func (w *world) untilStalled(c *v1alpha1.Chatt2Webhook, reason string) *unstructured.Unstructured {
	w.Helper()
	w.Eventually(func() string { return text(condition(w.live(c), v1alpha1.ConditionStalled), "reason") }).
		Should(Equal(reason))
	return w.until(c, reason)
}

// condition is a condition of a resource, nil when it has none of that type.
func condition(object *unstructured.Unstructured, kind string) map[string]any {
	all, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, one := range all {
		if c, ok := one.(map[string]any); ok && c["type"] == kind {
			return c
		}
	}
	return nil
}

func text(fields map[string]any, field string) string {
	value, _ := fields[field].(string)
	return value
}
