package campaign_test

import (
	"testing"
	"time"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

func TestASecretUnderAnOldNameThatIsHeldIsDeletedOnce(t *testing.T) {
	holds(t, func(w *world) {
		w.resource(signed)
		w.run(restTime)
		s := w.secret(signingName)
		s.Finalizers = append(s.Finalizers, "example.com/backup")
		w.must(w.user.Update(w.ctx, s))
		w.run(time.Minute)
		before := len(w.gate.trace)
		secretNamed("renamed")(w)
		w.run(time.Second)
		if n := len(w.gate.trace) - before; n > 30 {
			w.gate.trace = w.gate.trace[:before+20]
			w.violated("L1", "%d effects within a second", n)
		}
	})
}

func TestAnImmutableSecretIsToldBeforeAnythingIsLost(t *testing.T) {
	holds(t, func(w *world) {
		w.resource(signed)
		w.run(restTime)
		s := w.secret(signingName)
		s.Immutable = new(true)
		w.must(w.user.Update(w.ctx, s))
		w.change(rotateNow)
		w.run(time.Minute)
		if string(w.secret(signingName).Data[v1alpha1.SecretKeyCurrent]) != w.hub.SecretOf(w.onHub()) {
			w.violated("S9", "a new secret was asked for that cannot be stored")
		}
	})
}
