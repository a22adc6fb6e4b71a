package controller_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/cluster"
	"github.com/chatt2me/webhook-operator/internal/controller"
	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator/simulatortest"
	"github.com/chatt2me/webhook-operator/internal/plan"
)

var (
	shared *cluster.Cluster
	scheme = func() *runtime.Scheme {
		s := runtime.NewScheme()
		for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
			if err := add(s); err != nil {
				panic(err)
			}
		}
		return s
	}()
)

func TestMain(m *testing.M) {
	os.Exit(cluster.Main(m, cluster.Options{ControllerManager: true}, func(c *cluster.Cluster) { shared = c }))
}

// patience is how long a test waits for what is to come: longer than any machine needs, and than the minute after
// which the Hub is first made to verify again.
const patience = 100 * time.Second

// world is what one test plays in: a namespace of a real API server, a Hub of its own and an endpoint, and an operator
// that looks at nothing else.
type world struct {
	*testing.T
	*WithT
	client.Client
	hub       *simulatortest.Hub
	app       simulator.Application
	apiKey    string
	namespace string
	endpoint  *endpoint
	logs      *syncBuffer
	canaries  []string
	options   func(*controller.Operator)
	transport func(http.RoundTripper) http.RoundTripper
	wrap      func(*rest.Config)
	// lease is what the operator leads by, none for leading at once.
	lease resourcelock.Interface
	// shard are the labels of the resources that the operator works on, none for all.
	shard labels.Set
	// late: two webhooks for one thing at once are what the test is about.
	late bool
	stop func()
}

// newWorld makes a world without a running operator; change is applied before one is.
func newWorld(t *testing.T, change ...func(*world)) *world {
	t.Helper()
	t.Parallel()
	c, err := client.New(shared.Config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		T: t, WithT: NewWithT(t), Client: c, hub: simulatortest.Start(t, simulator.Options{}),
		apiKey: "CNRY-key-" + uuid.NewString(), namespace: cluster.Namespace(t, c), endpoint: newEndpoint(t),
		logs: &syncBuffer{}, options: func(*controller.Operator) {}, stop: func() {},
		transport: func(rt http.RoundTripper) http.RoundTripper { return rt },
	}
	w.SetDefaultEventuallyTimeout(patience)
	w.SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	w.app = w.hub.AddApplication("main", w.apiKey)
	w.canaries = append(w.canaries, w.apiKey)
	for _, do := range change {
		do(w)
	}
	t.Cleanup(w.findNoCanary)
	t.Cleanup(w.oneAtATime)
	w.watchInvariants()
	t.Cleanup(func() { w.stop() })
	w.create(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "api-key"}, Data: map[string][]byte{"apiKey": []byte(w.apiKey + "\n")},
	})
	return w
}

// hubTimeout is how long a call to the Hub may take. A slow answer of a busy machine must not count as a lost one.
const hubTimeout = 5 * time.Second

// run starts an operator, as a new process would; it ends with the test or by stop.
func (w *world) run() {
	w.Helper()
	settings := plan.Settings{SettleTime: time.Second, OrphanAfter: 3 * time.Second, PollInterval: time.Second}
	op := controller.Operator{
		Options: controller.Options{
			Settings: settings, Namespaces: []string{w.namespace}, IsShard: true, MaxConcurrentReconciles: 4,
			WatchSecrets: true, ProtectAPIKeySecrets: true,
		},
		Hub: hub.Config{
			BaseURL: w.hub.URL, Timeout: hubTimeout,
			Transport: watchful{w, w.transport(hub.NewTransport(hub.TransportConfig{RootCAs: w.hub.CAs}))},
		},
		QPS: 200, Burst: 200, Registry: prometheus.NewRegistry(), Now: time.Now,
	}
	w.options(&op)
	access := rest.CopyConfig(shared.Config)
	if w.wrap != nil {
		w.wrap(access)
	}
	mgr, err := ctrl.NewManager(access, ctrl.Options{
		Scheme: scheme, Metrics: metricsserver.Options{BindAddress: "0"},
		LeaderElection: w.lease != nil, LeaderElectionResourceLockInterface: w.lease,
		Logger:     controller.SafeLogger(zap.New(zap.WriteTo(w.logs), zap.UseDevMode(false), zap.Level(verbose))),
		Controller: config.Controller{SkipNameValidation: new(true)},
		Cache: cache.Options{
			DefaultNamespaces: map[string]cache.Config{w.namespace: {}}, DefaultTransform: controller.Strip,
			ByObject: map[client.Object]cache.ByObject{&v1alpha1.Chatt2Webhook{}: {Label: labels.SelectorFromSet(w.shard)}},
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

// restart ends the operator and starts another one.
func (w *world) restart() {
	w.Helper()
	w.stop()
	w.run()
}

// create creates an object in the namespace of the world.
func (w *world) create(object client.Object) {
	w.Helper()
	object.SetNamespace(w.namespace)
	w.Expect(w.Client.Create(w.Context(), object)).To(Succeed())
}

// webhook creates a resource; change says what is special about it.
func (w *world) webhook(name string, change ...func(*v1alpha1.Chatt2Webhook)) *v1alpha1.Chatt2Webhook {
	w.Helper()
	c := &v1alpha1.Chatt2Webhook{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: w.namespace}}
	c.Spec = v1alpha1.Chatt2WebhookSpec{
		Label: name, Endpoint: w.endpoint.URL + "/" + name, EventType: v1alpha1.EventTypeMessage,
		APIKeySecretRef: v1alpha1.APIKeySecretReference{Name: "api-key"},
	}
	for _, do := range change {
		do(c)
	}
	w.create(c)
	return c
}

func signed(c *v1alpha1.Chatt2Webhook) { c.Spec.RequiresSignature = true }

// get reads a resource as it is now.
func (w *world) get(c *v1alpha1.Chatt2Webhook) *v1alpha1.Chatt2Webhook {
	w.Helper()
	now := &v1alpha1.Chatt2Webhook{}
	w.Expect(w.Get(w.Context(), client.ObjectKeyFromObject(c), now)).To(Succeed())
	return now
}

// change changes a resource as a user does.
func (w *world) change(c *v1alpha1.Chatt2Webhook, do func(*v1alpha1.Chatt2Webhook)) {
	w.Helper()
	before := w.get(c)
	after := before.DeepCopy()
	do(after)
	w.Expect(w.Patch(w.Context(), after, client.MergeFrom(before))).To(Succeed())
}

// annotate sets an annotation.
func (w *world) annotate(c *v1alpha1.Chatt2Webhook, key, value string) {
	w.Helper()
	w.change(c, func(c *v1alpha1.Chatt2Webhook) {
		if c.Annotations == nil {
			c.Annotations = map[string]string{}
		}
		c.Annotations[key] = value
	})
}

// ready waits until a resource is ready for its present spec, and returns it.
func (w *world) ready(c *v1alpha1.Chatt2Webhook) *v1alpha1.Chatt2Webhook {
	w.Helper()
	return w.eventually(c, "ready", func(now *v1alpha1.Chatt2Webhook) bool { return now.IsReady() })
}

// reason waits until a condition has a reason, and returns its message.
func (w *world) reason(c *v1alpha1.Chatt2Webhook, condition, reason string) string {
	w.Helper()
	now := w.eventually(c, condition+" "+reason, func(now *v1alpha1.Chatt2Webhook) bool {
		found := findCondition(now, condition)
		return found != nil && found.Reason == reason && found.ObservedGeneration == now.Generation
	})
	return findCondition(now, condition).Message
}

func findCondition(c *v1alpha1.Chatt2Webhook, condition string) *metav1.Condition {
	for i := range c.Status.Conditions {
		if c.Status.Conditions[i].Type == condition {
			return &c.Status.Conditions[i]
		}
	}
	return nil
}

// eventually waits until a resource is as is says.
func (w *world) eventually(
	c *v1alpha1.Chatt2Webhook, what string, is func(*v1alpha1.Chatt2Webhook) bool,
) *v1alpha1.Chatt2Webhook {
	w.Helper()
	var now *v1alpha1.Chatt2Webhook
	deadline := time.Now().Add(patience)
	for {
		now = w.get(c)
		if is(now) {
			return now
		}
		if time.Now().After(deadline) {
			w.Fatalf("%s is not %s after %s: %s\n%s", c.Name, what, patience, pretty(now), w.logs.tail(4000))
		}
		<-time.After(20 * time.Millisecond)
	}
}

// gone waits until a resource does not exist any more.
func (w *world) gone(object client.Object) {
	w.Helper()
	w.Eventually(func() error {
		return w.Get(w.Context(), client.ObjectKeyFromObject(object), object.DeepCopyObject().(client.Object))
	}).Should(MatchError(ContainSubstring("not found")), "%s is still there", object.GetName())
}

// secret reads a Secret, nil when there is none.
func (w *world) secret(name string) *corev1.Secret {
	w.Helper()
	s := &corev1.Secret{}
	err := w.Get(w.Context(), client.ObjectKey{Namespace: w.namespace, Name: name}, s)
	if client.IgnoreNotFound(err) != nil {
		w.Fatal(err)
	}
	if err != nil {
		return nil
	}
	return s
}

// onHub are the webhooks of the world's Application.
func (w *world) onHub() []simulator.Webhook { return w.hub.Webhooks(w.app.ID) }

// events are the reasons of the events about a resource.
func (w *world) events(c client.Object) []string {
	w.Helper()
	var reasons []string
	for _, e := range w.eventsOf(c) {
		reasons = append(reasons, e.Reason)
	}
	return reasons
}

// notes are the notes of the events about a resource that have a reason.
func (w *world) notes(c client.Object, reason string) []string {
	w.Helper()
	var notes []string
	for _, e := range w.eventsOf(c) {
		if e.Reason == reason {
			notes = append(notes, e.Note)
		}
	}
	return notes
}

func (w *world) eventsOf(c client.Object) []eventsv1.Event {
	w.Helper()
	var list eventsv1.EventList
	w.Expect(w.List(w.Context(), &list, client.InNamespace(w.namespace))).To(Succeed())
	return slices.DeleteFunc(list.Items, func(e eventsv1.Event) bool { return e.Regarding.Name != c.GetName() })
}

func pretty(v any) string {
	out, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(out)
}

// syncBuffer is a log that several write to.
type syncBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func (s *syncBuffer) tail(n int) string {
	all := s.String()
	return all[max(len(all)-n, 0):]
}

// holdsLiveSecret asserts that the signing Secret holds what the Hub signs with.
func (w *world) holdsLiveSecret(c *v1alpha1.Chatt2Webhook) {
	w.Helper()
	s := w.secret(c.SigningSecretName())
	if s == nil {
		w.Fatalf("there is no signing Secret")
	}
	if string(s.Data[v1alpha1.SecretKeyCurrent]) != w.hub.SecretOf(c.Status.WebhookID) {
		w.Errorf("the Secret does not hold what the Hub signs with")
	}
	if s.Annotations[v1alpha1.AnnotationRotationStartedAt] != "" {
		w.Errorf("a rotation is still open")
	}
}

// byHand registers the webhook that a resource declares, as a user of the dashboard would.
func (w *world) byHand(c *v1alpha1.Chatt2Webhook) simulator.Webhook {
	w.Helper()
	made, err := w.hub.CreateByHand(w.app.ID, simulator.Change{
		Label: &c.Spec.Label, Endpoint: &c.Spec.Endpoint, EventType: new(string(c.Spec.EventType)),
		AuthenticationProtocol: new("NoAuthentication"),
	})
	w.Expect1(err)
	return made
}
