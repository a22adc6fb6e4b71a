package process_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/cluster"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator/simulatortest"
	"github.com/chatt2me/webhook-operator/internal/receiver"
)

// shard is the label by which the operators of tests share the cluster.
const shard = "test"

// world is what one test plays in: a namespace, a Hub and an endpoint of its own.
type world struct {
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
	c, err := client.New(shared.Config, client.Options{Scheme: scheme})
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

// inspect looks, when all is over, for what must never be in a log.
func (w *world) inspect() {
	w.Helper()
	for _, o := range w.operators {
		for _, bad := range []string{"DATA RACE", "panic", "forbidden"} {
			if at := strings.Index(o.log.all(), bad); at >= 0 {
				w.Errorf("the operator's log says %q: %.2000s", bad, o.log.all()[max(at-500, 0):])
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

// secret creates a Secret with one value.
func (w *world) secret(namespace, name, key, value string) {
	w.Helper()
	w.must(w.Client.Create(w.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Data: map[string][]byte{key: []byte(value)},
	}))
}

// webhook creates a resource; change says what is special about it.
func (w *world) webhook(name string, change ...func(*v1alpha1.Chatt2Webhook)) *v1alpha1.Chatt2Webhook {
	w.Helper()
	c := &v1alpha1.Chatt2Webhook{ObjectMeta: metav1.ObjectMeta{
		Namespace: w.namespace, Name: name, Labels: map[string]string{shard: w.namespace},
	}}
	c.Spec = v1alpha1.Chatt2WebhookSpec{
		Label: name, Endpoint: w.endpoint + "/" + name, EventType: v1alpha1.EventTypeMessage,
		APIKeySecretRef: v1alpha1.APIKeySecretReference{Name: "api-key"},
	}
	for _, do := range change {
		do(c)
	}
	w.must(w.Client.Create(w.Context(), c))
	return c
}

func signed(c *v1alpha1.Chatt2Webhook) { c.Spec.RequiresSignature = true }

func inNamespace(namespace string) func(*v1alpha1.Chatt2Webhook) {
	return func(c *v1alpha1.Chatt2Webhook) { c.Namespace = namespace }
}

// get reads a resource as it is now.
func (w *world) get(c *v1alpha1.Chatt2Webhook) *v1alpha1.Chatt2Webhook {
	w.Helper()
	now := &v1alpha1.Chatt2Webhook{}
	w.must(w.Get(w.Context(), client.ObjectKeyFromObject(c), now))
	return now
}

// change changes a resource as a user does.
func (w *world) change(c *v1alpha1.Chatt2Webhook, do func(*v1alpha1.Chatt2Webhook)) {
	w.Helper()
	before := w.get(c)
	after := before.DeepCopy()
	do(after)
	w.must(w.Patch(w.Context(), after, client.MergeFrom(before)))
}

// rotate asks for a new signing secret and waits for it.
func (w *world) rotate(c *v1alpha1.Chatt2Webhook, request string) {
	w.Helper()
	w.requestRotation(c, request)
	w.rotated(c, request)
}

func (w *world) requestRotation(c *v1alpha1.Chatt2Webhook, request string) {
	w.Helper()
	w.change(c, func(c *v1alpha1.Chatt2Webhook) {
		c.Annotations = map[string]string{v1alpha1.AnnotationRotateRequestedAt: request}
	})
}

func (w *world) rotated(c *v1alpha1.Chatt2Webhook, request string) {
	w.Helper()
	w.Eventually(func() bool {
		now := w.get(c)
		return now.Status.LastHandledRotateAt == request && now.IsReady()
	}).Should(BeTrue(), "the signing secret was not rotated: %s", w.logs())
}

// ready waits until a resource is ready for its present spec, and returns it.
func (w *world) ready(c *v1alpha1.Chatt2Webhook) *v1alpha1.Chatt2Webhook {
	w.Helper()
	w.Eventually(func() bool { return w.get(c).IsReady() }).Should(BeTrue(), "%s is not ready: %+v\n%s", c.Name,
		w.get(c).Status.Conditions, w.logs())
	return w.get(c)
}

// gone waits until an object does not exist any more.
func (w *world) gone(object client.Object) {
	w.Helper()
	w.Eventually(func() error {
		return w.Get(w.Context(), client.ObjectKeyFromObject(object), object)
	}).Should(MatchError(ContainSubstring("not found")), "%s is still there", object.GetName())
}

// read reads a Secret that must be there.
func (w *world) read(namespace, name string) *corev1.Secret {
	w.Helper()
	s := &corev1.Secret{}
	w.must(w.Get(w.Context(), client.ObjectKey{Namespace: namespace, Name: name}, s))
	return s
}

// holdsLiveSecret asserts that the signing Secret holds what the Hub signs with.
func (w *world) holdsLiveSecret(c *v1alpha1.Chatt2Webhook) {
	w.Helper()
	s := w.read(c.Namespace, c.SigningSecretName())
	w.Expect(string(s.Data[v1alpha1.SecretKeyCurrent])).To(Equal(w.hub.SecretOf(w.get(c).Status.WebhookID)),
		"the Secret does not hold what the Hub signs with")
	w.Expect(s.Annotations).NotTo(HaveKey(v1alpha1.AnnotationRotationStartedAt), "a rotation is still open")
}

// mount puts the signing Secret where the receiver reads it, as a volume does.
func (w *world) mount(c *v1alpha1.Chatt2Webhook) {
	w.Helper()
	for key, value := range w.read(c.Namespace, c.SigningSecretName()).Data {
		w.must(os.WriteFile(filepath.Join(w.volume, key), value, 0o600))
	}
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
