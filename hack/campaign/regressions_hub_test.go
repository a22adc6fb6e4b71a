package campaign_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// holds plays something in a world of its own, in which nothing may be broken at any moment.
func holds(t *testing.T, do func(*world)) {
	t.Helper()
	w := newWorld()
	defer w.hub.Close()
	w.gate.armed = true
	do(w)
	w.bury(w.in)
	for _, e := range w.gate.trace {
		t.Log(e)
	}
	if len(w.broken) > 0 {
		t.Error(strings.Join(w.broken, "\n"))
	}
}

// between stands between the operator and the Hub: what it does not answer itself, by returning true, passes.
func (w *world) between(answers func(http.ResponseWriter, *http.Request) bool) {
	behind := w.handler
	w.handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !answers(rw, r) {
			behind.ServeHTTP(rw, r)
		}
	})
}

func TestAnUpdateThatIsAnsweredWithAnotherWebhookIsNotBelieved(t *testing.T) {
	holds(t, func(w *world) {
		other := w.byHand(name, "https://shop.example/new")
		w.resource()
		w.run(restTime)
		mine, hub := w.onHub(), w.handler
		w.between(func(rw http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPatch {
				return false
			}
			r.Method, r.URL.Path = http.MethodGet, strings.Replace(r.URL.Path, mine, other.ID, 1)
			hub.ServeHTTP(rw, r)
			return true
		})
		w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Endpoint = other.Endpoint })
		w.run(5 * time.Second)
		if meta.IsStatusConditionTrue(w.get().Status.Conditions, v1alpha1.ConditionSynced) {
			w.violated("L1", "it says synced, and the Hub has changed nothing")
		}
		w.handler = hub
		w.rest()
	})
}

func TestABareListIsNotTakenForWholeWhereTheHubPagesIt(t *testing.T) {
	holds(t, func(w *world) {
		w.hub.SetVariants(simulator.Variants{BareLists: true, MaxLimit: 2})
		w.byHand("b", "https://elsewhere.example/b")
		w.byHand("c", "https://elsewhere.example/c")
		w.gate.first["POST webhook"] = lost
		w.resource()
		w.rest()
	})
}
