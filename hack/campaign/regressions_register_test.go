package campaign_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// moved is another endpoint than the one that a resource has at first.
const moved = "https://shop.example/new"

// registerRegressions are bugs about registrations and about what becomes of their webhooks, by what must not happen
// again, each with what has to happen for that. They take more than one fault.
var registerRegressions = map[string]func(*world){
	"a lost registration is credited to a resource of another Application": func(w *world) {
		w.otherApplication()
		w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: away}})
		w.create(&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: away, Name: "api-key"}, Data: map[string][]byte{"apiKey": []byte(otherKey)},
		})
		w.declare(metav1.ObjectMeta{Namespace: away, Name: name})
		w.run(restTime)
		openCreate(lost)(w)
		w.change(move)
		w.rests(20 * time.Minute)
	},
	"a registration is repeated when what was written down of the first is wiped": func(w *world) {
		w.gate.first["POST webhook"] = late
		w.resource()
		w.clock.after(500*time.Millisecond, func() { w.change(wiped) })
		w.rests(20 * time.Minute)
	},
	"a registration is not found again when what was written down of it is replaced with spec": func(w *world) {
		openCreate(lost)(w)
		w.change(func(c *v1alpha1.Chatt2Webhook) { wiped(c); move(c) })
		w.rests(20 * time.Minute)
	},
	"a registration that was wiped is unknown to the next life": func(w *world) {
		openCreate(late)(w)
		w.change(wiped)
		w.run(time.Second)
		w.restart()
		w.rests(20 * time.Minute)
	},
	"a registration that was wiped is left behind by a deletion": func(w *world) {
		openCreate(lost)(w)
		w.change(func(c *v1alpha1.Chatt2Webhook) { c.Annotations = nil; move(c) })
		deleteResource(w)
		w.rests(20 * time.Minute)
	},
	"a webhook that only memory knows is registered anew with the key of another Application": func(w *world) {
		w.swapBeforeStatus(nothing)
		w.run(10 * time.Minute)
		w.says(v1alpha1.ReasonApplicationChanged)
		w.changeSecret("api-key", "apiKey", apiKey)
		w.rests(10 * time.Minute)
	},
	"a webhook that only memory knows is left behind uncounted for the key of another Application": func(w *world) {
		w.swapBeforeStatus(deleteResource)
		w.rests(2 * orphanAfter)
	},
	"a webhook made by hand is taken for what a refused registration made": func(w *world) {
		w.refusedThenByHand()
		w.run(20 * time.Minute)
		w.says(v1alpha1.ReasonAlreadyExists)
	},
	"a webhook made by hand is deleted for what a refused registration made": func(w *world) {
		w.refusedThenByHand()
		deleteResource(w)
		w.rests(20 * time.Minute)
	},
	"a webhook made by hand hours later is deleted as a duplicate": func(w *world) {
		openCreate(dropped)(w)
		w.run(time.Minute)
		w.change(move)
		w.run(10 * time.Hour)
		w.byHand(name, "https://shop.example/"+name)
		w.rests(20 * time.Minute)
	},
	"a webhook made by hand hours later is deleted for what a registration may have made": func(w *world) {
		openCreate(dropped)(w)
		w.answers("", http.StatusServiceUnavailable)
		w.run(10 * time.Hour)
		w.byHand(name, "https://shop.example/"+name)
		deleteResource(w)
		w.handler = w.hub.Handler()
		w.rests(2 * orphanAfter)
	},
	"a registration that was put off for hours leaves its webhook behind": func(w *world) {
		w.answers(http.MethodPost, http.StatusTooManyRequests)
		w.resource()
		w.run(10 * time.Hour)
		w.handler, w.gate.first["POST webhook"] = w.hub.Handler(), lost
		w.until("POST webhook")
		deleteResource(w)
		w.rests(20 * time.Minute)
		if w.orphaned() > 0 {
			w.violated("S4", "a webhook was given up that was registered a moment before")
		}
	},
	"two that declare the same wait for each other": func(w *world) {
		w.resource(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Suspend = true })
		w.clock.pass(time.Second)
		w.declare(inHome("second"))
		w.run(restTime)
		w.change(func(c *v1alpha1.Chatt2Webhook) {
			second := w.resourceAt(key("second"))
			c.Spec.Suspend, c.Spec.Label, c.Spec.Endpoint = false, second.Spec.Label, second.Spec.Endpoint
		})
		w.rests(20 * time.Minute)
		w.says(v1alpha1.ReasonConflict)
	},
	"a registration that has to make room for newer ones is forgotten in silence": func(w *world) {
		openCreate(dropped)(w)
		for i := range 16 {
			w.gate.first["POST webhook"] = dropped
			w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Endpoint = fmt.Sprint(moved, i) })
			w.until("POST webhook")
		}
		w.rests(20 * time.Minute)
		if w.orphaned() != 1 {
			w.violated("S4", "%d webhooks were counted as left behind, and one may be", w.orphaned())
		}
	},
	"a deletion hangs for ever that something in front of the Hub does not allow": func(w *world) {
		w.refuseDeletion(http.StatusMethodNotAllowed, 2*orphanAfter)
		w.rests(time.Minute)
	},
	"a deletion hangs for ever that the Hub refuses": func(w *world) {
		w.refuseDeletion(http.StatusConflict, 2*orphanAfter)
		w.rests(time.Minute)
	},
	"a deletion waits for a Hub that is down no longer than for a key": func(w *world) {
		w.refuseDeletion(http.StatusServiceUnavailable, 2*orphanAfter)
		if w.get() == nil {
			w.violated("S4", "a webhook was given up because the Hub was down for a while")
		}
	},
	"a deletion is given up by the first refusal after the Hub was down for long": func(w *world) {
		w.refuseDeletion(http.StatusServiceUnavailable, 2*orphanAfter)
		w.gate.first["DELETE webhook"] = invalid
		w.handler = w.hub.Handler()
		w.rests(20 * time.Minute)
		if w.orphaned() > 0 {
			w.violated("S4", "a webhook was given up that could be deleted a moment later")
		}
	},
}

func TestRegressionsOfRegistrations(t *testing.T) {
	for bug, happens := range registerRegressions {
		t.Run(bug, func(t *testing.T) {
			holdsOn(t, documented, happens)
		})
	}
}

// holdsOn is holds on the Hub of that name.
func holdsOn(t *testing.T, hub string, do func(*world)) {
	t.Helper()
	r := inWorld(hub, func(w *world) int {
		w.gate.armed = true
		do(w)
		return 0
	})
	if len(r.broken) > 0 {
		t.Error(r.report("none, it is no schedule"))
	}
}

func move(c *v1alpha1.Chatt2Webhook) { c.Spec.Endpoint = moved }

// wiped makes a resource what a manifest says that replaces it.
func wiped(c *v1alpha1.Chatt2Webhook) { c.Annotations, c.Finalizers = nil, nil }

// rests lets time pass, and holds the end to what is wanted.
func (w *world) rests(d time.Duration) {
	w.run(d)
	if wrong := w.unfinished(); wrong != "" && !w.over() {
		w.violated("rest", "%s", wrong)
	}
}

// until lets time pass until an effect has gone wrong as it was to.
func (w *world) until(effect string) {
	for w.gate.first[effect] != "" && !w.over() {
		w.run(100 * time.Millisecond)
	}
}

// says holds the resource to the reason for which it is not ready.
func (w *world) says(reason string) {
	if is := readyReason(w.get()); is != reason && !w.over() {
		w.violated("L1", "it says %s and not %s", is, reason)
	}
}

// swapBeforeStatus has the API key become that of another Application when a webhook was registered and status could
// not be told yet, and then does what else happens in that moment.
func (w *world) swapBeforeStatus(then func(*world)) {
	w.otherApplication()
	w.gate.then["create Secret"] = func(w *world) {
		w.gate.first["patch Chatt2Webhook/status"] = conflict
		w.changeSecret("api-key", "apiKey", otherKey)
		then(w)
	}
	w.resource(signed)
}

// refusedThenByHand has a registration refused, the process end, and somebody make the webhook by hand, which the
// resource is not to adopt.
func (w *world) refusedThenByHand() {
	w.gate.first["POST webhook"] = invalid
	w.resource(adoptNothing)
	w.run(5 * time.Second)
	w.restart()
	w.byHand(name, "https://shop.example/"+name)
}

// refuseDeletion deletes the resource while the Hub, or something in front of it, answers no DELETE but with a status.
func (w *world) refuseDeletion(status int, d time.Duration) {
	w.resource()
	w.run(restTime)
	w.answers(http.MethodDelete, status)
	deleteResource(w)
	w.run(d)
}

// answers has the Hub, or something in front of it, answer calls of one method, or all, with nothing but a status.
func (w *world) answers(method string, status int) {
	w.handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if method == "" || r.Method == method {
			rw.Header().Set("Retry-After", fmt.Sprint(retryAfter.Seconds()))
			rw.WriteHeader(status)
			return
		}
		w.hub.Handler().ServeHTTP(rw, r)
	})
}
