package campaign_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/controller"
	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/hub/connection"
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

// restartAt ends the life of the operator and begins another one with the URL of another Hub.
func (w *world) restartAt(url string) {
	w.restart()
	in := w.in
	in.pool = connection.NewPool(connection.Config{
		BaseURL: url, QPS: 10, Burst: 20, PollInterval: pollInterval, Now: w.clock.Now, Wake: in.wake,
		Jitter: func(d time.Duration) time.Duration { return d }, Lanes: connection.NewLanes(1),
		Metrics: controller.NewMetrics(prometheus.NewRegistry()).OfConnections(),
	}, func(key hub.Secret) (*hub.Client, error) {
		return hub.New(hub.Config{BaseURL: url, APIKey: key, Transport: transport{in}, Now: w.clock.Now})
	})
	in.reconciler.Pool = in.pool
}

func TestWhatIsNotAtAnotherHubWasNotDeletedThere(t *testing.T) {
	for _, deletes := range []bool{false, true} {
		holds(t, func(w *world) {
			other := simulator.New(simulator.Options{CoreOptions: simulator.CoreOptions{
				Now: w.clock.Now, After: w.clock.after, Endpoint: endpoint{w},
			}})
			defer other.Close()
			other.AddApplication("there", apiKey)
			w.resource()
			w.run(restTime)
			mine, here := w.onHub(), w.handler
			w.handler = other.Handler()
			w.restartAt("https://other.example")
			if deletes {
				w.must(w.user.Delete(w.ctx, w.get()))
			}
			w.run(5 * time.Minute)
			if c := w.get(); c == nil || c.Status.WebhookID != mine {
				w.violated("S1", "the webhook %s was let go because another Hub does not have it", mine)
			}
			if deletes {
				return
			}
			w.handler = here
			w.restart()
			w.rest()
		})
	}
}

func TestARotationThatAnotherShardHasJustBegunSettles(t *testing.T) {
	holds(t, func(w *world) {
		w.resource(signed)
		w.run(restTime)
		s := w.secret(signingName)
		s.Annotations[v1alpha1.AnnotationRotationStartedAt] = w.clock.now.UTC().Format(time.RFC3339)
		w.must(w.user.Update(w.ctx, s))
		redefine, err := http.NewRequestWithContext(
			w.ctx, http.MethodPost, webhooksPath+"/"+w.onHub()+"/redefine-signature", http.NoBody)
		w.must(err)
		redefine.Header.Set("X-Api-Key", apiKey)
		w.clock.after(lateTime, func() { w.handler.ServeHTTP(httptest.NewRecorder(), redefine) })
		w.rest()
	})
}

func TestSigningIsTurnedOffWhereOnlyStatusKnowsThatItIsOn(t *testing.T) {
	holds(t, func(w *world) {
		w.hub.SetVariants(simulator.Variants{OmitFields: []string{"requiresSignature"}})
		w.resource(signed)
		w.run(restTime)
		w.must(w.user.Delete(w.ctx, w.secret(signingName)))
		w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.RequiresSignature = false })
		w.gate.first["PATCH webhook"] = dropped
		w.restart()
		w.rest()
	})
}

// refusesNaming has the Hub refuse all calls of a method with a text that names a value.
func (w *world) refusesNaming(method string, value func() string) {
	w.between(func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method != method {
			return false
		}
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(http.StatusBadRequest)
		_, err := fmt.Fprintf(rw, `{"message":"what I have is %s, and it is locked"}`, value())
		w.must(err)
		return true
	})
}

func TestNoValueIsShownThatTheHubHasFromBefore(t *testing.T) {
	const old = canary + "old"
	changes := map[string]func(*world){
		"headers are removed": func(w *world) { w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Headers = nil }) },
		"a header changes":    func(w *world) { w.changeSecret("header", "token", "completely different") },
		"headers are not sent": func(w *world) {
			w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Endpoint = "https://shop.example/new" })
		},
	}
	for name, does := range changes {
		t.Run(name, func(t *testing.T) {
			holds(t, func(w *world) {
				w.create(&corev1.Secret{ObjectMeta: inHome("header"), Data: map[string][]byte{"token": []byte(old)}})
				w.resource(withHeader)
				w.run(restTime)
				w.refusesNaming(http.MethodPatch, func() string { return old })
				does(w)
				w.run(time.Minute)
			})
		})
	}
}

func TestNoSigningSecretIsShownThatTheHubNames(t *testing.T) {
	holds(t, func(w *world) {
		w.resource(signed)
		w.run(restTime)
		id := w.onHub()
		w.refusesNaming(http.MethodPatch, func() string { return w.hub.SecretOf(id) })
		w.refusesNaming(http.MethodDelete, func() string { return w.hub.SecretOf(id) })
		w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Endpoint = "https://shop.example/new" })
		w.run(time.Minute)
		w.must(w.user.Delete(w.ctx, w.get()))
		w.run(time.Minute)
	})
}

func TestAHeaderThatALostUpdateMayHaveSetIsTakenBackAndNotShown(t *testing.T) {
	const old = canary + "old"
	holds(t, func(w *world) {
		w.create(&corev1.Secret{ObjectMeta: inHome("header"), Data: map[string][]byte{"token": []byte(old)}})
		w.resource()
		w.run(restTime)
		w.gate.first["PATCH webhook"] = lost
		w.change(withHeader)
		w.run(time.Second)
		hub := w.handler
		w.refusesNaming(http.MethodPatch, func() string { return old })
		w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Headers = nil })
		w.run(time.Minute)
		w.handler = hub
		w.change(annotate(v1alpha1.AnnotationReconcileRequestedAt, "now"))
		w.rest()
		if left := w.hub.HeadersOf(w.onHub()); len(left) > 0 {
			w.violated("L1", "the Hub has headers that spec does not say: %v", left)
		}
	})
}

// many makes so many webhooks that a look at one of them is a call of its own, and no listing.
func (w *world) many() {
	for n := range 60 {
		w.byHand(fmt.Sprint("other ", n), fmt.Sprint("https://elsewhere.example/", n))
	}
}

func TestOneFalse404DoesNotMakeAWebhookGone(t *testing.T) {
	edits := map[string]func(*v1alpha1.Chatt2Webhook){
		"the endpoint changes, too":  func(c *v1alpha1.Chatt2Webhook) { c.Spec.Endpoint = "https://shop.example/new" },
		"nothing like it is adopted": adoptNothing,
	}
	for name, edit := range edits {
		t.Run(name, func(t *testing.T) {
			holds(t, func(w *world) {
				w.many()
				w.resource()
				w.run(restTime)
				mine := w.onHub()
				w.gate.faults[len(w.gate.trace)+1] = notFound
				w.change(func(c *v1alpha1.Chatt2Webhook) {
					edit(c)
					annotate(v1alpha1.AnnotationReconcileRequestedAt, "now")(c)
				})
				w.rest()
				if w.onHub() != mine {
					w.violated("S1", "the webhook %s took the place of %s, which was there", w.onHub(), mine)
				}
			})
		})
	}
}

func TestA404JustAfterAListingWaitsForAnotherOne(t *testing.T) {
	holds(t, func(w *world) {
		w.resource()
		w.run(restTime)
		w.clock.after(2*pollInterval-restTime, func() { // as the poll ends
			w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Endpoint = "https://shop.example/new" })
		})
		w.gate.first["PATCH webhook"] = notFound
		w.rest()
	})
}

func TestAWebhookThatIsGoneIsRegisteredAnewAfterOneListing(t *testing.T) {
	holds(t, func(w *world) {
		w.hub.SetVariants(simulator.Variants{VerifyBeforeAnswer: true}) // observing that takes calls, too
		w.many()
		w.resource()
		w.run(restTime)
		mine := w.onHub()
		w.must(w.hub.DeleteByHand(mine))
		w.hub.ClearRequests()
		w.change(annotate(v1alpha1.AnnotationReconcileRequestedAt, "now"))
		w.run(5 * time.Second)
		if w.onHub() == mine || w.hub.Count("listWebhooks") > 4 || w.hub.Count("getWebhook") > 1 {
			w.violated("L1", "it has %s after %d calls", w.onHub(), len(w.hub.Requests()))
		}
		w.rest()
	})
}

// names has status name a webhook, as somebody who edits it does.
func (w *world) names(id string) {
	w.watch.leaked[id] = true // nobody gave it to the resource, and nobody takes it away
	w.edit(func(s *v1alpha1.Chatt2WebhookStatus) { s.WebhookID = id })
}

// edit has somebody edit status.
func (w *world) edit(change func(*v1alpha1.Chatt2WebhookStatus)) {
	c := w.get()
	change(&c.Status)
	c.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Chatt2Webhook"))
	w.touch(key(name))
	w.must(w.user.Status().Update(w.ctx, c))
}

func TestAWebhookThatSomebodyWroteIntoStatusIsLeftAlone(t *testing.T) {
	for name, then := range map[string]func(*world){
		"and nothing else":              func(*world) {},
		"before a restart":              (*world).restart,
		"and the resource is deleted":   func(w *world) { w.must(w.user.Delete(w.ctx, w.get())) },
		"before a restart and deletion": func(w *world) { w.restart(); w.must(w.user.Delete(w.ctx, w.get())) },
	} {
		t.Run(name, func(t *testing.T) {
			holds(t, func(w *world) {
				w.resource(signed)
				w.run(restTime)
				mine, theirs := w.onHub(), w.byHand("theirs", "https://elsewhere.example/theirs")
				w.names(theirs.ID)
				then(w)
				w.rest()
				if now, _ := w.webhook(theirs.ID); now != theirs {
					w.violated("S2", "the webhook of somebody else is %+v", now)
				}
				if c := w.get(); c != nil && c.Status.WebhookID != mine {
					w.violated("S1", "it has %s and not %s", c.Status.WebhookID, mine)
				}
			})
		})
	}
}

func TestAWebhookThatAnotherShardRegisteredAnewIsTakenFromStatus(t *testing.T) {
	holds(t, func(w *world) {
		w.resource(adoptNothing)
		w.run(restTime)
		mine := w.onHub()
		away := w.in // it does nothing while another one has the resource
		w.must(w.hub.DeleteByHand(mine))
		w.succeed()
		w.run(restTime)
		anew := w.onHub()
		w.bury(w.in)
		w.in = away
		w.rest()
		if anew == mine || w.onHub() != anew {
			w.violated("S1", "it had %s, then %s, and has %s", mine, anew, w.onHub())
		}
	})
}
