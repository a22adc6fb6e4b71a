package campaign_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-logr/logr/funcr"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
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
	// canary begins every value that must not be said.
	canary = "CNRY-"
)

// begins is when a world begins.
var begins = time.Date(2026, 2, 9, 12, 0, 0, 0, time.UTC)

var scheme = func() *runtime.Scheme {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(s); err != nil {
			panic(err)
		}
	}
	return s
}()

// crdFile declares the resource.
var crdFile = filepath.Join("..", "..", "config", "crd", "bases", "hub.chatt2.me_chatt2webhooks.yaml")

// pattern is a store that others of the same kinds are made from, for reading the CRD takes long.
var pattern = sync.OnceValues(func() (*store.Store, error) {
	file, err := os.ReadFile(crdFile)
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
	// apiKeys are all that there ever were, and the id of the Application of each.
	apiKeys map[string]string
	gate    *gate
	// in is the life of the operator that leads, lives are all that there were.
	in    *incarnation
	lives []*incarnation
	reads reads
	// trigger is the revision at which the trigger was pulled.
	trigger int64
	// overlapUntil is until when two lives may have got in each other's way.
	overlapUntil time.Time
	// snapshot is the revision of a backup, 0 for none.
	snapshot int64
	// collects: what the garbage collector and the namespace controller do is part of the flow.
	collects bool
	steps    int
	// qps and burst are the rate of calls that the operator is started with.
	qps   float64
	burst int
	// events counts the events of all lives by their reason.
	events map[string]int
	// refuses are the calls that the Hub refuses for good, and how.
	refuses map[string]action
	// endpointDown: the endpoints do not answer the handshake.
	endpointDown bool
	said         []byte // events and lines of the log that were not looked through yet
	watch        watched
	// broken is what did not hold, first come first.
	broken []string
}

// newWorld makes a world with a namespace, an API key and a webhook of somebody else, and a living operator.
func newWorld() *world {
	w := &world{
		clock: &clock{now: begins}, reads: fresh, apiKeys: map[string]string{},
		watch: newWatched(), refuses: map[string]action{}, qps: 10, burst: 20, events: map[string]int{},
	}
	empty, err := pattern()
	w.must(err)
	w.store = empty.Empty(w.clock.Now)
	w.user = w.store.Live()
	w.gate = &gate{
		world: w, faults: map[int]action{}, first: map[string]action{},
		then: map[string]func(*world){}, blind: map[int]int{},
	}
	w.store.Hook = w.gate.kube
	w.ctx = log.IntoContext(context.Background(), funcr.New(
		func(prefix, args string) { w.heard("%s %s", prefix, args) }, funcr.Options{Verbosity: 7}))
	w.hub = w.newHub()
	w.handler = w.hub.Handler()
	w.app = w.hub.AddApplication("main", apiKey)
	w.apiKeys[apiKey] = w.app.ID
	w.byHand("somebody else's", "https://elsewhere.example/hook")
	w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: home}})
	w.create(&corev1.Secret{ObjectMeta: inHome("api-key"), Data: map[string][]byte{"apiKey": []byte(apiKey + "\n")}})
	w.in = w.start(w.store.View(w.store.Revision(), store.Fresh))
	return w
}

// newHub makes a Hub that records whom a webhook is made for.
func (w *world) newHub() *simulator.Simulator {
	ids, secrets := 0, 0
	return simulator.New(simulator.Options{CoreOptions: simulator.CoreOptions{
		Now: w.clock.Now, After: w.clock.after, Endpoint: endpoint{w},
		NewID: func() string {
			ids++
			id := fmt.Sprintf("00000000-0000-4000-8000-%012d", ids)
			if w.watch.maker != "" {
				w.watch.made[id] = w.watch.maker
			}
			return id
		},
		NewSecret: func() string {
			secrets++
			return fmt.Sprintf(canary+"secret-%d", secrets)
		},
	}})
}

func inHome(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: home, Name: name} }

// harnessError is a panic about the harness itself, which ends the run.
type harnessError struct{ error }

// must ends the run for an error that is no part of it.
func (w *world) must(err error) {
	if err != nil {
		panic(harnessError{err})
	}
}

// heard takes what the operator says aloud.
func (w *world) heard(format string, args ...any) {
	w.said = append(fmt.Appendf(w.said, format, args...), '\n')
}

func (w *world) create(object client.Object) { w.must(w.user.Create(w.ctx, object)) }

// byHand registers a webhook as a user of the dashboard did long ago: it is verified.
func (w *world) byHand(label, url string) simulator.Webhook {
	made, err := w.hub.CreateByHand(w.app.ID, simulator.Change{
		Label: &label, Endpoint: &url, EventType: new("Message"), AuthenticationProtocol: new("NoAuthentication"),
		IsVerified: new(true),
	})
	w.must(err)
	w.watch.byHand[made.ID], w.watch.labelled[made.ID] = true, true
	return made
}

// drift has somebody change the label of a webhook on the Hub.
func (w *world) drift(id string) { w.changeByHand(id, simulator.Change{Label: new("drifted")}) }

// changeByHand changes a webhook, its label among others, as a user of the Hub's dashboard does.
func (w *world) changeByHand(id string, change simulator.Change) {
	_, err := w.hub.ChangeByHand(id, change)
	w.must(err)
	w.watch.labelled[id] = true
}

// driftIgnored changes the label on a Hub that ignores the correction, and takes labels afterwards as it did before.
func driftIgnored(w *world) {
	usual := w.hub.Variants()
	ignoring := usual
	ignoring.LabelUpdate = simulator.LabelIgnored
	unsignedResource(w)
	w.run(restTime)
	w.hub.SetVariants(ignoring)
	w.drift(w.onHub())
	w.run(2 * time.Minute)
	if reason := readyReason(w.get()); reason != v1alpha1.ReasonNotApplied && !w.hidesLabels() && !w.over() {
		w.violated("the schedule", "the resource says %s, and not that the label was ignored", reason)
	}
	w.hub.SetVariants(usual)
}

// get is the resource of a flow as it is now, nil when it is gone.
func (w *world) get() *v1alpha1.Chatt2Webhook { return w.resourceAt(key(name)) }

// secret is a Secret in home as it is now, nil when there is none.
func (w *world) secret(name string) *corev1.Secret { return w.secretAt(key(name)) }

func key(name string) types.NamespacedName { return types.NamespacedName{Namespace: home, Name: name} }

func (w *world) resourceAt(key types.NamespacedName) *v1alpha1.Chatt2Webhook {
	c := &v1alpha1.Chatt2Webhook{}
	if !w.read(key, c) {
		return nil
	}
	return c
}

func (w *world) secretAt(key types.NamespacedName) *corev1.Secret {
	s := &corev1.Secret{}
	if !w.read(key, s) {
		return nil
	}
	return s
}

// read reads an object past the gate, and reports whether it is there.
func (w *world) read(key types.NamespacedName, object client.Object) bool {
	defer w.gate.looking()()
	err := w.user.Get(w.ctx, key, object)
	w.must(client.IgnoreNotFound(err))
	return err == nil
}

// change changes the resource of a flow as a user does.
func (w *world) change(do func(*v1alpha1.Chatt2Webhook)) { w.changeAt(key(name), do) }

func (w *world) changeAt(key types.NamespacedName, do func(*v1alpha1.Chatt2Webhook)) {
	before := w.resourceAt(key)
	after := before.DeepCopy()
	do(after)
	w.spell(after)
	w.must(w.user.Patch(w.ctx, after, client.MergeFrom(before)))
}

// changeSecret changes a value in a Secret in home.
func (w *world) changeSecret(name, field, value string) {
	s := w.secret(name)
	s.Data[field] = []byte(value)
	w.must(w.user.Update(w.ctx, s))
	w.watch.repaired = w.clock.now
}
