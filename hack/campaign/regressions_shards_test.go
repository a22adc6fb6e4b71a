package campaign_test

import (
	"testing"
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// handedOver has another operator work on everything from now on, that has run for as long as the world is there: that
// of another shard.
func (w *world) handedOver(to *incarnation) {
	w.bury(w.in)
	w.in = to
}

func TestARepeatedRotationOfAnotherShardSettles(t *testing.T) {
	holds(t, func(w *world) {
		other := w.in
		w.succeed()
		w.resource(signed)
		w.run(restTime)
		w.gate.first["POST webhook redefine"] = dropped
		w.change(rotateNow)
		w.until("POST webhook redefine")
		w.gate.first["POST webhook redefine"] = late
		w.until("POST webhook redefine")
		w.handedOver(other)
		w.rests(20 * time.Minute)
	})
}

func TestARegistrationThatAnotherShardRepeatedIsOpen(t *testing.T) {
	variants(t, func(w *world, then func(*world)) {
		w.gate.first["POST webhook"] = throttled
		w.resource()
		w.until("POST webhook")
		away := w.in // it does nothing while another one has the resource
		w.succeed()
		w.gate.first["POST webhook"] = lost
		w.until("POST webhook")
		w.clock.pass(2 * time.Second)
		w.handedOver(away)
		then(w)
		w.rests(20 * time.Minute)
	}, map[string]func(*world){"lives": nothing, "deleted": deleteResource})
}

func TestARepeatedRegistrationOfAnotherShardSettles(t *testing.T) {
	variants(t, func(w *world, then func(*world)) {
		other := w.in
		w.succeed()
		openCreate(dropped)(w)
		w.gate.first["POST webhook"] = late
		w.until("POST webhook")
		w.handedOver(other)
		then(w)
		w.rests(20 * time.Minute)
	}, map[string]func(*world){"lives": nothing, "deleted": deleteResource})
}

func TestAWebhookThatAnotherShardHasJustMadeIsNotGone(t *testing.T) {
	holds(t, func(w *world) {
		w.hub.SetVariants(simulator.Variants{ReadLag: simulator.Duration(time.Second)})
		other := w.in
		w.run(50 * time.Second)
		w.succeed()
		w.resource()
		for w.get().Status.WebhookID == "" {
			w.run(20 * time.Millisecond)
		}
		w.handedOver(other)
		w.rests(20 * time.Minute)
	})
}
