// Package fuzz_test runs the real operator, step by step on a clock that stands still, against an API server and a Hub
// in memory, with whatever state and specification a fuzzer makes up.
package fuzz_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/yaml"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/campaign/store"
	"github.com/chatt2me/webhook-operator/internal/controller"
	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/hub/connection"
	"github.com/chatt2me/webhook-operator/internal/hub/contract"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
	"github.com/chatt2me/webhook-operator/internal/plan"
	"github.com/chatt2me/webhook-operator/internal/signing"
)

const (
	home   = "home"
	name   = "orders"
	apiKey = "CNRY-key-main"
	hubURL = "https://hub.example"

	settleTime   = 6 * time.Second
	orphanAfter  = 15 * time.Minute
	pollInterval = time.Minute
)

var scheme = func() *runtime.Scheme {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(s); err != nil {
			panic(err)
		}
	}
	return s
}()

// pattern is a store that others of the same kinds are made from, for reading the CRD takes long.
var pattern = sync.OnceValues(func() (*store.Store, error) {
	file, err := os.ReadFile(filepath.Join("..", "..", "config", "crd", "bases", "hub.chatt2.me_chatt2webhooks.yaml"))
	if err != nil {
		return nil, err
	}
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.UnmarshalStrict(file, crd); err != nil {
		return nil, err
	}
	return store.New(store.Options{Scheme: scheme, CRDs: []*apiextensionsv1.CustomResourceDefinition{crd}, Now: time.Now})
})

// world is one run. Nothing in it goes by itself.
type world struct {
	*testing.T
	//nolint:containedctx // it carries the log of the run, and nothing ends it
	ctx   context.Context
	now   time.Time
	store *store.Store
	user  client.Client
	hub   *simulator.Simulator
	app   simulator.Application
	way   *way
	// said are events and lines of the log.
	said strings.Builder

	reconciler *controller.Reconciler
	pool       *connection.Pool
	due        map[types.NamespacedName]time.Time
	steps      time.Time
}

// newWorld makes a world with a namespace and no operator.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, now: time.Date(2026, 2, 9, 12, 0, 0, 0, time.UTC), due: map[types.NamespacedName]time.Time{}}
	empty, err := pattern()
	w.must(err)
	w.store = empty.Empty(w.clock)
	w.user = w.store.Live()
	w.ctx = log.IntoContext(context.Background(), funcr.New(
		func(prefix, args string) { w.said.WriteString(prefix + " " + args + "\n") }, funcr.Options{Verbosity: 7}))
	ids, secrets := 0, 0
	w.hub = simulator.New(simulator.Options{CoreOptions: simulator.CoreOptions{
		Variants: simulator.Variants{VerifyBeforeAnswer: true},
		Now:      w.clock, Endpoint: endpoint{},
		// Nothing is scheduled but the verification of an endpoint that fails, and none does.
		After: func(time.Duration, func()) func() bool { return func() bool { return true } },
		NewID: func() string {
			ids++
			return fmt.Sprintf("abcdef00-0000-4000-8000-%012d", ids)
		},
		NewSecret: func() string {
			secrets++
			return fmt.Sprintf("CNRY-secret-%d", secrets)
		},
	}})
	t.Cleanup(w.hub.Close)
	w.app = w.hub.AddApplication("main", apiKey)
	w.way = &way{world: w, handler: contract.Middleware(t, w.hub.Handler()), shown: map[string]bool{}}
	w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: home}})
	return w
}

func (w *world) clock() time.Time { return w.now }

// must ends the run for an error that is no part of it.
func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) create(object client.Object) {
	w.Helper()
	w.must(w.user.Create(w.ctx, object))
}

func inHome(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: home, Name: name} }

// resource is the resource as a user would declare it.
func resource(name string) *v1alpha1.Chatt2Webhook {
	c := &v1alpha1.Chatt2Webhook{ObjectMeta: inHome(name)}
	c.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Chatt2Webhook"))
	c.Spec = v1alpha1.Chatt2WebhookSpec{
		Label: name, Endpoint: "https://shop.example/" + name, EventType: v1alpha1.EventTypeMessage,
		APIKeySecretRef: v1alpha1.APIKeySecretReference{Name: "api-key"},
	}
	return c
}

// get is a resource as it is now, nil when it is gone.
func (w *world) get(name string) *v1alpha1.Chatt2Webhook {
	w.Helper()
	c := &v1alpha1.Chatt2Webhook{}
	err := w.user.Get(w.ctx, client.ObjectKey{Namespace: home, Name: name}, c)
	if client.IgnoreNotFound(err) != nil {
		w.Fatal(err)
	}
	if err != nil {
		return nil
	}
	return c
}

// secret is a Secret as it is now, nil when there is none.
func (w *world) secret(name string) *corev1.Secret {
	w.Helper()
	s := &corev1.Secret{}
	err := w.user.Get(w.ctx, client.ObjectKey{Namespace: home, Name: name}, s)
	if client.IgnoreNotFound(err) != nil {
		w.Fatal(err)
	}
	if err != nil {
		return nil
	}
	return s
}

// byHand registers a webhook as a user of the dashboard does.
func (w *world) byHand(application, label, url string) simulator.Webhook {
	w.Helper()
	made, err := w.hub.CreateByHand(application, simulator.Change{
		Label: &label, Endpoint: &url, EventType: new("Message"), AuthenticationProtocol: new("NoAuthentication"),
	})
	w.must(err)
	return made
}

// start begins the life of an operator.
func (w *world) start() {
	w.Helper()
	view := w.store.View(w.store.Revision(), store.Fresh)
	view.Transform = controller.Strip
	options := controller.Options{
		Settings: plan.Settings{
			SettleTime: settleTime, OrphanAfter: orphanAfter, PollInterval: pollInterval, ActingSince: w.now,
		},
		MaxConcurrentReconciles: 1, WatchSecrets: true, ProtectAPIKeySecrets: true,
	}
	metrics := controller.NewMetrics(prometheus.NewRegistry())
	w.pool = connection.NewPool(connection.Config{
		BaseURL: hubURL,
		QPS:     10, Burst: 20, PollInterval: pollInterval, Now: w.clock, Wake: w.wake, Lanes: connection.NewLanes(1),
		Jitter: func(d time.Duration) time.Duration { return d }, Metrics: metrics.OfConnections(),
	}, func(key hub.Secret) (*hub.Client, error) {
		return hub.New(hub.Config{BaseURL: hubURL, APIKey: key, Transport: w.way, Now: w.clock})
	})
	w.reconciler = &controller.Reconciler{
		Client: view.Client(), Live: w.store.Live(), Pool: w.pool, Recorder: recorder{w}, Metrics: metrics, Now: w.clock,
		Options: options,
	}
	w.must(w.reconciler.SetupWithManager(setup{view: view}, &controller.Wakes{}))
	w.reconciler.Options = options // the set-up begins a life of its own
	w.way.began, w.steps = w.now, w.now
	w.lookAtAll()
}

// setup is a manager that only takes the indexes of the cache.
type setup struct {
	manager.Manager
	view *store.View
}

func (s setup) GetFieldIndexer() client.FieldIndexer { return s.view }

func (s setup) GetRESTMapper() meta.RESTMapper { return s.view.Client().RESTMapper() }

func (setup) GetScheme() *runtime.Scheme { return scheme }

func (setup) GetLogger() logr.Logger { return logr.Discard() }

func (setup) GetCache() cache.Cache { return filled{} }

// filled is a cache with every informer.
type filled struct{ cache.Cache }

func (filled) GetInformer(context.Context, client.Object, ...cache.InformerGetOption) (cache.Informer, error) {
	return nil, nil //nolint:nilnil // nothing asks the informer
}

func (setup) Add(manager.Runnable) error { return nil }

func (setup) GetControllerOptions() config.Controller {
	return config.Controller{SkipNameValidation: new(true)}
}

// wake is how the connection has resources looked at.
func (w *world) wake(all []connection.Subject, _ connection.Urgency) {
	for _, s := range all {
		namespace, name, _ := strings.Cut(string(s), "/")
		w.enqueue(types.NamespacedName{Namespace: namespace, Name: name}, 0)
	}
}

func (w *world) enqueue(name types.NamespacedName, after time.Duration) {
	at := w.now.Add(after)
	if known, ok := w.due[name]; !ok || at.Before(known) {
		w.due[name] = at
	}
}

// lookAtAll has every resource looked at.
func (w *world) lookAtAll() {
	w.Helper()
	var all v1alpha1.Chatt2WebhookList
	w.must(w.user.List(w.ctx, &all))
	for i := range all.Items {
		w.enqueue(client.ObjectKeyFromObject(&all.Items[i]), 0)
	}
}

// run lets time pass. Whatever is written has all resources looked at, which is more than the watches do.
func (w *world) run(d time.Duration) {
	w.Helper()
	for until, n := w.now.Add(d), 0; ; n++ {
		if n > 20_000 {
			w.Fatalf("it does not come to rest by %s", w.now)
		}
		next, at := w.next()
		if at.IsZero() || at.After(until) {
			w.now = until
			return
		}
		w.now = later(w.now, at)
		revision := w.store.Revision()
		if next.Name != "" {
			w.work(next)
		}
		w.connect()
		if w.store.Revision() != revision {
			w.lookAtAll()
		}
	}
}

// next is what is due first; without a name it is the connections.
func (w *world) next() (types.NamespacedName, time.Time) {
	var first types.NamespacedName
	at := w.steps
	for name, due := range w.due {
		if at.IsZero() || due.Before(at) || due.Equal(at) && (first.Name == "" || name.String() < first.String()) {
			first, at = name, due
		}
	}
	return first, at
}

func (w *world) work(name types.NamespacedName) {
	w.Helper()
	delete(w.due, name)
	result, err := w.reconciler.Reconcile(w.ctx, reconcile.Request{NamespacedName: name})
	switch {
	case err != nil:
		w.enqueue(name, time.Second)
	case result.RequeueAfter > 0:
		w.enqueue(name, result.RequeueAfter)
	}
}

// connect lets the connection do what is due.
func (w *world) connect() {
	w.Helper()
	w.steps = time.Time{}
	c, err := w.pool.For(hub.NewSecret(apiKey))
	w.must(err)
	for range 50 {
		next := c.StepBudget()
		for _, at := range []time.Time{c.StepListing(w.ctx), c.StepObservations(w.ctx)} {
			if next.IsZero() || !at.IsZero() && at.Before(next) {
				next = at
			}
		}
		if next.IsZero() || next.After(w.now) {
			w.steps = next
			return
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// endpoint answers the handshake, as a receiver does.
type endpoint struct{}

func (endpoint) Post(_ context.Context, call simulator.EndpointCall) (simulator.EndpointAnswer, error) {
	return simulator.EndpointAnswer{
		StatusCode: http.StatusOK, ContentType: "text/plain",
		Body: []byte(call.Header.Get(signing.ValidationTokenHeader)),
	}, nil
}

// recorder takes the events of the operator.
type recorder struct{ *world }

func (r recorder) Eventf(_, _ runtime.Object, _, reason, action, note string, args ...any) {
	fmt.Fprintln(&r.said, reason, action, fmt.Sprintf(note, args...))
}

// answered is what a handler answers.
func answered(handler http.Handler, r *http.Request) *http.Response {
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	return recorder.Result()
}
