package controller_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/controller"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

const (
	// watchTime is how soon the operator acts on what it watches: less than the minute after which it looks for what it
	// does not watch.
	watchTime = 45 * time.Second
	// unwatchedTime is how soon it acts on what it does not watch, which is what the Hub has.
	unwatchedTime = time.Minute
)

// noAdvice are the reasons whose message asks the user for nothing: there is nothing to do but to wait.
var noAdvice = []string{
	v1alpha1.ReasonReady, v1alpha1.ReasonSynced, v1alpha1.ReasonVerified, v1alpha1.ReasonStored,
	v1alpha1.ReasonRegistering, v1alpha1.ReasonUpdating, v1alpha1.ReasonCreateUnconfirmed,
	v1alpha1.ReasonRemotelyDeleted, v1alpha1.ReasonRotating,
}

// advice is one way out of a reason that its message, or the reference, names.
type advice struct {
	// name is what the user does.
	name string
	// enter brings a resource, which it starts an operator for, to the reason.
	enter func(*world) *v1alpha1.Chatt2Webhook
	// condition has the reason; Ready where it is empty.
	condition string
	// says are words of the advice that the message must have.
	says []string
	// follow does what the advice says.
	follow func(*world, *v1alpha1.Chatt2Webhook)
	// onHub: what the user changes is on the Hub, which the operator polls. Otherwise it polls too seldom to matter.
	onHub bool
	// gone: the resource is being deleted, and goes. Otherwise it is Ready in the end.
	gone bool
}

// TestWhatAMessageAdvisesHelps does for each reason what its message says, and waits.
func TestWhatAMessageAdvisesHelps(t *testing.T) {
	for _, reason := range slices.Sorted(maps.Keys(advised)) {
		for _, a := range advised[reason] {
			t.Run(reason+"/"+a.name, func(t *testing.T) {
				w := newWorld(t, func(w *world) { w.late = true })
				w.options = func(op *controller.Operator) { op.Options.Settings.OrphanAfter = time.Hour }
				if !a.onHub {
					w.polled(time.Hour)
				}
				c := a.enter(w)
				condition := a.condition
				if condition == "" {
					condition = v1alpha1.ConditionReady
				}
				message := w.reason(c, condition, reason)
				for _, words := range a.says {
					w.Expect(message).To(ContainSubstring(words))
				}
				within := watchTime
				if a.onHub {
					within = unwatchedTime
				}
				a.follow(w, c)
				w.Eventually(func() bool { return w.helped(c, a.gone) }).WithTimeout(within).Should(
					BeTrue(), "%q does not help: %s", message, w.logs.tail(3000))
			})
		}
	}
}

// helped reports whether a resource is Ready or, where it is to be, gone.
func (w *world) helped(c *v1alpha1.Chatt2Webhook, gone bool) bool {
	now := &v1alpha1.Chatt2Webhook{}
	err := w.Get(w.Context(), client.ObjectKeyFromObject(c), now)
	w.Expect(client.IgnoreNotFound(err)).To(Succeed())
	return gone && err != nil || !gone && err == nil && now.IsReady()
}

func TestEveryReasonHasItsAdvice(t *testing.T) {
	path := filepath.Join("..", "..", "api", "v1alpha1", "conditions.go")
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	ast.Inspect(file, func(node ast.Node) bool {
		if spec, ok := node.(*ast.ValueSpec); ok && strings.HasPrefix(spec.Names[0].Name, "Reason") {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			reasons = append(reasons, value)
		}
		return true
	})
	known := slices.Concat(noAdvice, slices.Collect(maps.Keys(advised)))
	NewWithT(t).Expect(known).To(ConsistOf(reasons), "each reason has its advice, or needs none")
}

// applied starts an operator and creates a resource.
func applied(change ...func(*v1alpha1.Chatt2Webhook)) func(*world) *v1alpha1.Chatt2Webhook {
	return func(w *world) *v1alpha1.Chatt2Webhook {
		w.run()
		return w.webhook("orders", change...)
	}
}

// failing has calls to the Hub fail.
func failing(
	f simulator.Fault, enter func(*world) *v1alpha1.Chatt2Webhook,
) func(*world) *v1alpha1.Chatt2Webhook {
	return func(w *world) *v1alpha1.Chatt2Webhook {
		w.Expect1(w.hub.AddFault(f))
		return enter(w)
	}
}

// deleted deletes a resource that is Ready, after before.
func deleted(
	before func(*world, *v1alpha1.Chatt2Webhook), change ...func(*v1alpha1.Chatt2Webhook),
) func(*world) *v1alpha1.Chatt2Webhook {
	return func(w *world) *v1alpha1.Chatt2Webhook {
		c := w.ready(applied(change...)(w))
		before(w, c)
		w.Expect(w.Delete(w.Context(), c)).To(Succeed())
		return c
	}
}

// refusing has the API server answer the creation of Secrets by the operator with a status, until permit.
func refusing(status int) (enter func(*world) *v1alpha1.Chatt2Webhook, permit func(*world, *v1alpha1.Chatt2Webhook)) {
	var over atomic.Bool
	enter = func(w *world) *v1alpha1.Chatt2Webhook {
		w.intercept(func(r *http.Request) *http.Response {
			if w.secretPost(r) && !over.Load() {
				return failure(status)
			}
			return nil
		})
		return applied(signed)(w)
	}
	return enter, func(w *world, c *v1alpha1.Chatt2Webhook) {
		over.Store(true)
		retry(w, c)
	}
}

// edit changes spec.
func edit(change func(*v1alpha1.Chatt2Webhook)) func(*world, *v1alpha1.Chatt2Webhook) {
	return func(w *world, c *v1alpha1.Chatt2Webhook) { w.change(c, change) }
}

// putSecret creates a Secret, or changes what it holds.
func putSecret(name, key, value string) func(*world, *v1alpha1.Chatt2Webhook) {
	return func(w *world, _ *v1alpha1.Chatt2Webhook) {
		if value == "" {
			value = w.apiKey
		}
		s := w.secret(name)
		if s == nil {
			w.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string][]byte{key: []byte(value)}})
			return
		}
		s.Data = map[string][]byte{key: []byte(value)}
		w.Expect(w.Update(w.Context(), s)).To(Succeed())
	}
}

func deleteSecret(name string) func(*world, *v1alpha1.Chatt2Webhook) {
	return func(w *world, _ *v1alpha1.Chatt2Webhook) {
		w.Expect(w.Delete(w.Context(), w.secret(name))).To(Succeed())
	}
}

// putConfigMap creates a ConfigMap, or changes what it holds.
func putConfigMap(key string) func(*world, *v1alpha1.Chatt2Webhook) {
	return func(w *world, _ *v1alpha1.Chatt2Webhook) {
		m := &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: "source", Namespace: w.namespace}, Data: map[string]string{key: "value"},
		}
		err := w.Client.Create(w.Context(), m)
		if err != nil {
			err = w.Update(w.Context(), m)
		}
		w.Expect(err).NotTo(HaveOccurred())
	}
}

// after does something before the operator is started.
func after(
	do func(*world, *v1alpha1.Chatt2Webhook), enter func(*world) *v1alpha1.Chatt2Webhook,
) func(*world) *v1alpha1.Chatt2Webhook {
	return func(w *world) *v1alpha1.Chatt2Webhook {
		do(w, nil)
		return enter(w)
	}
}

func repaired(w *world, _ *v1alpha1.Chatt2Webhook) { w.hub.ClearFaults() }

// retry asks for another attempt by the annotation.
func retry(w *world, c *v1alpha1.Chatt2Webhook) {
	w.annotate(c, v1alpha1.AnnotationReconcileRequestedAt, time.Now().Format(time.RFC3339Nano))
}

func repairedAndRetried(w *world, c *v1alpha1.Chatt2Webhook) {
	repaired(w, c)
	retry(w, c)
}

func nothing(*world, *v1alpha1.Chatt2Webhook) {}

// giveUp gives the webhook up.
func giveUp(w *world, c *v1alpha1.Chatt2Webhook) {
	w.annotate(c, v1alpha1.AnnotationForceOrphan, w.get(c).Status.WebhookID)
}

const newKey = "CNRY-another-key"

// keyRevoked has the Hub refuse the API key.
func keyRevoked(w *world, _ *v1alpha1.Chatt2Webhook) {
	w.Expect1(w.hub.RevokeKey(w.app.ID, simulator.DefaultKeyName))
}

// validKey puts a key into the Secret that the Hub accepts.
func validKey(w *world, c *v1alpha1.Chatt2Webhook) {
	w.Expect1(w.hub.SetKey(w.app.ID, "second", newKey))
	putSecret("api-key", "apiKey", newKey)(w, c)
}

// sameKeyAndRetried has the Hub accept the key again that it refused, and asks for an attempt.
func sameKeyAndRetried(w *world, c *v1alpha1.Chatt2Webhook) {
	w.Expect1(w.hub.SetKey(w.app.ID, simulator.DefaultKeyName, w.apiKey))
	retry(w, c)
}

// otherApplication puts a key of another Application into the Secret.
func otherApplication(w *world, c *v1alpha1.Chatt2Webhook) {
	w.hub.AddApplication("other", newKey)
	putSecret("api-key", "apiKey", newKey)(w, c)
}
