package campaign_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// variants plays the same with each of some ends, in worlds of their own.
func variants(t *testing.T, do func(w *world, then func(*world)), ends map[string]func(*world)) {
	t.Helper()
	for name, then := range ends {
		t.Run(name, func(t *testing.T) { holds(t, func(w *world) { do(w, then) }) })
	}
}

func TestALostRegistrationIsNotCreditedToOneThatHasAWebhook(t *testing.T) {
	variants(t, func(w *world, then func(*world)) {
		w.declare(inHome("second"))
		w.run(restTime)
		openCreate(lost)(w) // https://shop.example/orders
		w.change(move)
		w.changeAt(key("second"), func(c *v1alpha1.Chatt2Webhook) {
			c.Spec.Label, c.Spec.Endpoint = name, "https://shop.example/"+name
		})
		then(w)
		w.rests(20 * time.Minute)
	}, map[string]func(*world){"lives": nothing, "deleted": deleteResource})
}

func TestALostRegistrationIsNotForgottenForAnAdoptionByID(t *testing.T) {
	holds(t, func(w *world) {
		theirs := w.byHand("theirs", "https://elsewhere.example/theirs")
		openCreate(lost)(w)
		w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Adoption.WebhookID = &theirs.ID })
		w.run(20 * time.Minute)
		// Either it is told and waits (AlreadyRegistered), or the other one is taken and what was lost is deleted.
		if wrong := w.leftOver(); wrong != "" {
			w.violated("rest", "%s", wrong)
		}
	})
}

func TestATimeThatCannotBeReadDoesNotMakeARegistrationAnothers(t *testing.T) {
	for name, value := range map[string]string{"garbage": "soon", "to come": begins.AddDate(1, 0, 0).Format(time.RFC3339)} {
		t.Run(name, func(t *testing.T) {
			variants(t, func(w *world, then func(*world)) {
				w.resource(adoptNothing, func(c *v1alpha1.Chatt2Webhook) { c.Spec.Suspend = true })
				w.run(3 * time.Hour) // the resource is older than lateCommit when it registers
				w.gate.first["POST webhook"] = killAfter
				w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Suspend = false })
				w.until("POST webhook")
				w.change(annotate(v1alpha1.AnnotationCreateStartedAt, value))
				then(w)
				w.rests(40 * time.Minute)
				if w.orphaned() > 0 {
					w.violated("S4", "given up, and could be deleted")
				}
			}, map[string]func(*world){
				"lives": nothing, "moved": func(w *world) { w.change(move) }, "deleted": deleteResource,
			})
		})
	}
}

func TestAWebhookMadeByHandBetweenTwoAttemptsIsLeftAlone(t *testing.T) {
	holds(t, func(w *world) {
		openCreate(dropped)(w)
		w.answers("", http.StatusServiceUnavailable)
		w.run(5 * time.Hour)
		w.byHand(name, "https://shop.example/"+name)
		w.change(move)
		w.run(5 * time.Hour)
		w.handler = w.hub.Handler()
		w.rests(20 * time.Minute)
	})
}

func TestWhatCouldNotBeTakenBackOfARefusedRegistrationIsTakenBackLater(t *testing.T) {
	for _, is := range []action{conflict, timeout} {
		t.Run(string(is), func(t *testing.T) {
			variants(t, func(w *world, then func(*world)) {
				w.gate.then["patch Chatt2Webhook"] = func(w *world) { w.gate.first["patch Chatt2Webhook"] = is }
				w.gate.first["POST webhook"] = invalid
				w.resource(adoptNothing)
				w.run(5 * time.Minute)
				w.byHand(name, "https://shop.example/"+name)
				w.restart()
				then(w)
				w.run(20 * time.Minute)
			}, map[string]func(*world){"lives": nothing, "deleted": deleteResource})
		})
	}
}
