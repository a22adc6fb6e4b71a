package process_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	. "github.com/onsi/gomega"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/hack/cluster"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator/simulatortest"
	"github.com/chatt2me/webhook-operator/internal/receiver"
)

// shard is the label by which the operators of tests share the cluster.
const shard = "test"

// world is what one test plays in: a namespace, a Hub and an endpoint of its own.
type world struct {
	// in is the control plane, whose API server writes to auditLog.
	in       *cluster.Cluster
	auditLog string
	// unprotected: Secrets with an API key carry no finalizer.
	unprotected bool
	// refused: the operators may be refused what they ask the API server for.
	refused bool
	// hubURL is where the operators find the Hub, empty for where it is.
	hubURL string
	// env is what the environment of the operators holds besides.
	env []string
	*testing.T
	*WithT
	client.Client
	hub       *simulatortest.Hub
	app       simulator.Application
	namespace string
	endpoint  string
	receiver  *receiver.Receiver
	volume    string // where the receiver reads the signing secret
	plain     *http.Client
	flags     []string
	operators []*operator
	// canaries are values that nobody but the Hub, the endpoint and Secrets may show.
	canaries []string
	// inSpec are values of headers that stand in a resource, and may be seen nowhere else.
	inSpec []string
}

// newShard makes a world whose operators see nothing of the others, and runs it beside them.
func newShard(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	w := newWorld(t)
	w.flags = []string{"--watch-label-selector=" + shard + "=" + w.namespace}
	return w
}

// newWorld makes a world whose operators see the whole cluster. Its test must not run beside others.
func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOn(t, shared, auditLog)
}

// newWorldOn makes a world in a control plane that writes this audit log.
func newWorldOn(t *testing.T, plane *cluster.Cluster, auditLog string) *world {
	t.Helper()
	w := newWorldIn(t, plane.Config)
	w.in, w.auditLog = plane, auditLog
	return w
}

// newWorldIn makes a world in the cluster that access is for.
func newWorldIn(t *testing.T, access *rest.Config) *world {
	t.Helper()
	c, err := client.New(access, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		T: t, WithT: NewWithT(t), Client: c, hub: simulatortest.Start(t, simulator.Options{}),
		namespace: cluster.Namespace(t, c), volume: t.TempDir(),
		plain: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}},
	}
	w.SetDefaultEventuallyTimeout(patience)
	w.SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	w.startEndpoint()
	key := w.canary()
	w.app = w.hub.AddApplication("main", key)
	t.Cleanup(w.inspect)
	w.secret(w.namespace, "api-key", "apiKey", key+"\n")
	return w
}

var (
	raced     = regexp.MustCompile("DATA RACE")
	forbidden = regexp.MustCompile("forbidden")
	// panicked is not the runtime's file of that name: it is in the trace of whatever runs a deferred call.
	panicked = regexp.MustCompile(`panic(?:[^.]|\.[^g]|$)`)
)

// inspect looks, when all is over, for what must never be in a log.
func (w *world) inspect() {
	w.Helper()
	for _, o := range w.operators {
		for _, bad := range []*regexp.Regexp{raced, panicked, forbidden} {
			if bad == forbidden && w.refused {
				continue
			}
			if at := bad.FindStringIndex(o.log.all()); at != nil {
				w.Errorf("the operator's log says %q: %.2000s", bad, o.log.all()[max(at[0]-500, 0):])
			}
		}
	}
	w.findNoCanary()
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// canary is a fresh value that must not be found where nobody may see it.
func (w *world) canary() string {
	value := random()
	w.canaries = append(w.canaries, value)
	return value
}

func random() string { return strings.ReplaceAll(uuid.NewString()+uuid.NewString(), "-", "") }

// startEndpoint serves the reference receiver; the path tells webhooks apart.
func (w *world) startEndpoint() {
	w.Helper()
	r, err := receiver.New(receiver.Options{Path: "/", SigningSecretDir: w.volume, Now: time.Now})
	w.must(err)
	server := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		req.URL.Path = "/"
		r.Handler().ServeHTTP(rw, req)
	}))
	w.Cleanup(server.Close)
	w.receiver, w.endpoint = r, server.URL
}

// onHub are the webhooks of the world's Application.
func (w *world) onHub() []simulator.Webhook { return w.hub.Webhooks(w.app.ID) }

// logs are the ends of what the operators said.
func (w *world) logs() string {
	var all strings.Builder
	for _, o := range w.operators {
		all.WriteString(o.log.String())
	}
	return all.String()
}
