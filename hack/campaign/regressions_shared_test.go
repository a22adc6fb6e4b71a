package campaign_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// shared has two resources have one webhook: "orders" is older and waits for "second", which has registered it. The
// status of that is wiped, and in that moment the older one adopts the webhook, by its id.
func (w *world) shared(change ...func(*v1alpha1.Chatt2Webhook)) (id string) {
	same := func(c *v1alpha1.Chatt2Webhook) { c.Spec.Label, c.Spec.Endpoint = "same", "https://shop.example/same" }
	w.resource(func(c *v1alpha1.Chatt2Webhook) {
		c.Spec.Suspend, c.Spec.DeletionPolicy = true, v1alpha1.DeletionRetain
		for _, do := range change {
			do(c)
		}
	})
	w.clock.pass(time.Second)
	w.declare(inHome("second"), append(change, same)...)
	w.run(restTime)
	w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Suspend = false; same(c) })
	w.run(restTime)
	w.restart()
	w.run(restTime)
	id = w.second().Status.WebhookID
	w.wipeStatus(key("second"))
	w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Adoption.WebhookID = &id })
	w.run(restTime)
	if w.onHub() != id || w.second().Status.WebhookID != id {
		w.violated("the schedule", "the webhook is not shared")
	}
	return id
}

func (w *world) second() *v1alpha1.Chatt2Webhook { return w.resourceAt(key("second")) }

func declaresItsOwn(c *v1alpha1.Chatt2Webhook) {
	c.Spec.Label, c.Spec.Endpoint = "mine", "https://shop.example/mine"
}

// everywhere plays the same on Hubs that show more and less.
func everywhere(t *testing.T, do func(*world)) {
	t.Helper()
	for _, hub := range []string{documented, "says-little", "old"} {
		t.Run(hub, func(t *testing.T) { holdsOn(t, hub, do) })
	}
}

func TestWhoLetsGoOfAWebhookHasNoRegistrationOpen(t *testing.T) {
	t.Run("policy Never", func(t *testing.T) {
		holds(t, func(w *world) {
			w.shared()
			w.changeAt(key("second"), adoptNothing)
			theirs := w.byHand("mine", "https://shop.example/mine")
			w.run(restTime)
			w.changeAt(key("second"), declaresItsOwn)
			w.run(5 * time.Minute)
			if w.second().Status.WebhookID == theirs.ID {
				w.violated("S2", "adopted what was made by hand")
			}
		})
	})
	t.Run("made by hand later", func(t *testing.T) {
		holds(t, func(w *world) {
			w.shared()
			w.changeAt(key("second"), declaresItsOwn)
			w.run(5 * time.Minute)
			theirs := w.byHand("mine", "https://shop.example/mine")
			w.run(10 * time.Minute)
			if !w.isThere(theirs.ID) {
				w.violated("S2", "what was made by hand is gone")
			}
		})
	})
	t.Run("another key", func(t *testing.T) {
		holds(t, func(w *world) {
			w.newKey(w.app.ID, canary+"key-second")
			w.shared()
			w.changeSecret("api-key", "apiKey", canary+"key-second")
			w.run(2 * time.Minute)
			w.changeAt(key("second"), declaresItsOwn)
			w.run(5 * time.Minute)
			if n := w.orphaned(); n > 0 {
				w.violated("S4", "%d counted as left behind, and nothing is", n)
			}
		})
	})
}

func TestAnEditedStatusTakesNoWebhookFromAnotherResource(t *testing.T) {
	edit := func(w *world) (before string) {
		w.declare(inHome("zz")) // the older, which is looked at later
		w.clock.pass(time.Second)
		w.resource()
		w.run(restTime)
		older := w.resourceAt(key("zz"))
		older.Status.WebhookID = w.onHub()
		older.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Chatt2Webhook"))
		w.must(w.user.Status().Update(w.ctx, older))
		return w.onHub()
	}
	for name, then := range map[string]func(*v1alpha1.Chatt2Webhook){"alone": annotate("some", "thing"), "and spec": move} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(w *world) {
				before := edit(w)
				w.change(then)
				w.run(20 * time.Minute)
				if now := w.onHub(); now != before {
					w.violated("S1", "it had %s and has %s now", before, now)
				}
				w.rests(time.Minute)
			})
		})
	}
}

func TestASecretIsDeadOnceAnotherResourceHasHadTheWebhook(t *testing.T) {
	again := map[string]func(*v1alpha1.Chatt2Webhook, string){
		"by id": func(c *v1alpha1.Chatt2Webhook, id string) { declaresItsOwn(c); c.Spec.Adoption.WebhookID = &id },
		"alike": func(*v1alpha1.Chatt2Webhook, string) {},
	}
	for name, adopts := range again {
		t.Run(name, func(t *testing.T) {
			holds(t, func(w *world) {
				id := w.shared(signed)
				w.broken = slices.DeleteFunc(w.broken, func(what string) bool {
					return !strings.HasPrefix(what, "the schedule") // of the moment in which the other one had a secret made
				})
				w.changeAt(key("second"), func(c *v1alpha1.Chatt2Webhook) { adopts(c, id) })
				w.run(2 * time.Minute)
				deleteResource(w)
				w.rests(30 * time.Minute)
				if w.second().Status.WebhookID != id {
					w.violated("the schedule", "it was not adopted again")
				}
			})
		})
	}
}

func TestWhatALostRegistrationMadeIsFoundThoughAnOlderResourceIsWaitedFor(t *testing.T) {
	holds(t, func(w *world) {
		w.resource()
		w.run(restTime)
		w.gate.first["POST webhook"] = killAfter
		w.declare(inHome("second"))
		w.until("POST webhook")
		w.changeAt(key("second"), func(c *v1alpha1.Chatt2Webhook) {
			c.Spec.Label, c.Spec.Endpoint = name, "https://shop.example/"+name
		})
		w.run(time.Hour)
		if wrong := w.leftOver(); wrong != "" {
			w.violated("rest", "%s", wrong)
		}
	})
}

// Its status is lost while no process is there, and nothing reconciles it as long as it is suspended.
func TestAWebhookWhoseSecretASuspendedResourceHoldsIsNotAdoptedByAnother(t *testing.T) {
	holds(t, func(w *world) {
		w.resource(signed)
		w.run(restTime)
		id, secret := w.onHub(), w.secret(name + "-signing").Data[v1alpha1.SecretKeyCurrent]
		w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Suspend = true })
		w.run(restTime)
		w.wipeStatus(key(name))
		w.restart()
		w.newKey(w.app.ID, canary+"key-second")
		w.create(&corev1.Secret{
			ObjectMeta: inHome("key-second"), Data: map[string][]byte{"apiKey": []byte(canary + "key-second")},
		})
		w.declare(inHome("second"), signed, func(c *v1alpha1.Chatt2Webhook) {
			c.Spec.Label, c.Spec.Endpoint = name, "https://shop.example/"+name
			c.Spec.APIKeySecretRef.Name = "key-second"
		})
		w.run(5 * time.Minute)
		if has := w.second().Status.WebhookID; has != "" {
			w.violated("S9", "the other resource has adopted %s", has)
		}
		w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Suspend = false })
		w.run(5 * time.Minute)
		if w.onHub() != id || !bytes.Equal(w.secret(name + "-signing").Data[v1alpha1.SecretKeyCurrent], secret) {
			w.violated("S1", "it has lost the webhook or the secret")
		}
	})
}
