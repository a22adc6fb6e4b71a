package campaign_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/yaml"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/campaign/store"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

const (
	home   = "home"
	name   = "orders"
	apiKey = "CNRY-key-main"
	// lagTime is how long the cache stays behind, longer than anything takes to settle.
	lagTime = 10 * time.Second
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
	return store.New(store.Options{
		Scheme: scheme, CRDs: []*apiextensionsv1.CustomResourceDefinition{crd}, Now: time.Now,
	})
})

// world is one run: an API server, a Hub, a clock and an operator that lives and dies. Nothing in it runs by itself.
type world struct {
	//nolint:containedctx // it carries the log of the run, and nothing ends it
	ctx     context.Context
	clock   *clock
	store   *store.Store
	user    client.Client
	hub     *simulator.Simulator
	handler http.Handler
	app     simulator.Application
	apiKeys []string
	gate    *gate
	in      *incarnation
	reads   reads
	// trigger is the revision at which the trigger was pulled.
	trigger int64
	// collects: what the garbage collector and the namespace controller do is part of the flow.
	collects bool
	starts   int
	steps    int
	orphans  int
	said     []string // events and lines of the log that were not looked through yet
	watch    watched
	// broken is what did not hold, first come first.
	broken []string
}

// newWorld makes a world with a namespace, an API key and a webhook of somebody else, and a living operator.
func newWorld() *world {
	w := &world{clock: &clock{now: time.Date(2026, 2, 9, 12, 0, 0, 0, time.UTC)}, reads: fresh, apiKeys: []string{apiKey}}
	empty, err := pattern()
	w.must(err)
	w.store = empty.Empty(w.clock.Now)
	w.user = w.store.Live()
	w.gate = &gate{world: w, faults: map[int]action{}, own: map[string]bool{}}
	w.store.Hook = w.gate.kube
	w.watch = newWatched()
	w.ctx = log.IntoContext(context.Background(), funcr.New(
		func(prefix, args string) { w.said = append(w.said, prefix+" "+args) }, funcr.Options{Verbosity: 7}))
	ids, secrets := 0, 0
	w.hub = simulator.New(simulator.Options{CoreOptions: simulator.CoreOptions{
		Now: w.clock.Now, After: w.clock.after, Endpoint: endpoint{},
		NewID: func() string {
			ids++
			return fmt.Sprintf("00000000-0000-4000-8000-%012d", ids)
		},
		NewSecret: func() string {
			secrets++
			return fmt.Sprintf("CNRY-secret-%d", secrets)
		},
	}})
	w.handler = w.hub.Handler()
	w.app = w.hub.AddApplication("main", apiKey)
	w.byHand("somebody else's", "https://elsewhere.example/hook")
	w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: home}})
	w.create(&corev1.Secret{ObjectMeta: inHome("api-key"), Data: map[string][]byte{"apiKey": []byte(apiKey + "\n")}})
	w.in = w.start(w.store.View(w.store.Revision(), store.Fresh))
	return w
}

func inHome(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: home, Name: name} }

// fault is a panic about the harness itself, which ends the run.
type harnessError struct{ error }

// must ends the run for an error that is no part of it.
func (w *world) must(err error) {
	if err != nil {
		panic(harnessError{err})
	}
}

func (w *world) create(object client.Object) { w.must(w.user.Create(w.ctx, object)) }

func (w *world) byHand(label, url string) simulator.Webhook {
	made, err := w.hub.CreateByHand(w.app.ID, simulator.Change{
		Label: &label, Endpoint: &url, EventType: new("Message"), AuthenticationProtocol: new("NoAuthentication"),
	})
	w.must(err)
	w.watch.byHand[made.ID] = true
	return made
}

// get is the resource as it is now, nil when it is gone.
func (w *world) get() *v1alpha1.Chatt2Webhook {
	c := &v1alpha1.Chatt2Webhook{}
	err := w.user.Get(w.ctx, client.ObjectKey{Namespace: home, Name: name}, c)
	if client.IgnoreNotFound(err) != nil {
		w.must(err)
	}
	if err != nil {
		return nil
	}
	return c
}

// change changes the resource as a user does.
func (w *world) change(do func(*v1alpha1.Chatt2Webhook)) {
	before := w.get()
	after := before.DeepCopy()
	do(after)
	w.must(w.user.Patch(w.ctx, after, client.MergeFrom(before)))
}

// secret is a Secret as it is now, nil when there is none.
func (w *world) secret(name string) *corev1.Secret {
	s := &corev1.Secret{}
	err := w.user.Get(w.ctx, client.ObjectKey{Namespace: home, Name: name}, s)
	if client.IgnoreNotFound(err) != nil {
		w.must(err)
	}
	if err != nil {
		return nil
	}
	return s
}

// arm begins what the flow is about: effects count from here.
func (w *world) arm(s schedule) {
	w.trigger = w.store.Revision()
	w.gate.armed, w.reads = true, s.reads
	for _, f := range s.faults {
		w.gate.faults[f.at] = f.is
	}
	w.hub.ClearRequests()
	w.delay(w.in.view)
}

// delay lets a view be behind, for as long as caches may be.
func (w *world) delay(view *store.View) {
	lag := map[reads]store.Lag{lagging: 1, frozen: store.Frozen}
	kinds := []client.Object{&v1alpha1.Chatt2Webhook{}, &corev1.Secret{}, &corev1.ConfigMap{}}
	if w.reads == fresh {
		return
	}
	for _, kind := range kinds {
		w.must(view.SetLag(kind, lag[w.reads]))
	}
	w.clock.after(lagTime, func() {
		for _, kind := range kinds {
			w.must(view.SetLag(kind, store.Fresh))
		}
	})
}

// restart ends the life of the operator and begins another one a moment later.
func (w *world) restart() {
	w.orphans += int(w.in.orphaned())
	w.starts++
	w.clock.pass(time.Second)
	w.gate.dead, w.gate.own = false, map[string]bool{}
	w.watch.reborn()
	// A cache that is behind begins with the past.
	revision := map[reads]int64{fresh: w.store.Revision(), lagging: 0, frozen: w.trigger}[w.reads]
	view := w.store.View(revision, store.Fresh)
	w.in = w.start(view)
	if w.reads == lagging {
		view = w.store.View(0, 1)
		w.in = w.start(view)
	}
	w.delay(view)
}

// advance does the next thing that is due until a time, and tells whether there was one.
func (w *world) advance(until time.Time) bool {
	w.steps++
	w.in.deliver()
	j, due := w.in.next()
	at := sooner(sooner(due, w.in.steps), w.clock.next())
	if at.IsZero() || at.After(until) {
		w.clock.now = until
		return false
	}
	if at.After(w.clock.now) {
		w.clock.now = at
	}
	w.clock.ring()
	if w.collects {
		_, err := w.store.CollectGarbage(w.ctx)
		w.must(err)
		w.must(w.store.EmptyNamespaces(w.ctx))
		w.check()
	}
	w.gate.open = true
	if !due.IsZero() && !due.After(w.clock.now) {
		w.in.work(j)
	}
	if !w.gate.dead {
		w.in.connect()
	}
	w.gate.open = false
	if w.gate.dead {
		w.restart()
	}
	w.check()
	return true
}

// run lets time pass.
func (w *world) run(d time.Duration) {
	for until := w.clock.now.Add(d); w.advance(until) && len(w.broken) == 0; {
		if w.steps > 20_000 {
			w.violated("L1", "it does not come to rest")
		}
	}
}

// recorder takes the events of the operator.
type recorder struct{ *world }

func (r recorder) Eventf(_, _ runtime.Object, _, reason, action, note string, args ...any) {
	if !r.gate.dead {
		r.said = append(r.said, strings.Join([]string{reason, action, fmt.Sprintf(note, args...)}, " "))
	}
}

func TestMain(m *testing.M) { os.Exit(m.Run()) }
