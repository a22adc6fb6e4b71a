package campaign_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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

func TestARotationIsMadeOnceWhereAClockWasAhead(t *testing.T) {
	for name, years := range map[string]int{"by a little": 0, "by much": 1, "by all that can be written": 9999 - begins.Year()} {
		t.Run(name, func(t *testing.T) {
			holds(t, func(w *world) {
				w.resource(signed)
				w.run(restTime)
				at := w.clock.now.AddDate(years, 0, 0).Add(61 * time.Second)
				s := w.secret(signingName)
				s.Annotations[v1alpha1.AnnotationRotatedAt] = at.Format(time.RFC3339)
				w.must(w.user.Update(w.ctx, s))
				w.edit(func(status *v1alpha1.Chatt2WebhookStatus) { status.SigningSecret.RotatedAt = new(metav1.NewTime(at)) })
				before := len(w.hub.Mutations())
				w.watch.causes++
				w.change(rotateNow)
				w.rests(5 * time.Minute)
				if made := len(w.hub.Mutations()) - before; made != 1 {
					w.violated("L1", "%d calls to change the webhook, and one rotation was asked for", made)
				}
			})
		})
	}
}

func TestASecretThatIsHeldIsStoredBeforeARetainedResourceGoes(t *testing.T) {
	holds(t, func(w *world) {
		w.resource(signed, func(c *v1alpha1.Chatt2Webhook) { c.Spec.DeletionPolicy = v1alpha1.DeletionRetain })
		w.gate.first["create Secret"] = internal
		w.gate.then["create Secret"] = deleteResource
		w.run(5 * time.Minute)
		if w.get() != nil {
			w.violated("L2", "the resource is still there")
		}
		if wrong := w.lostSecret(); wrong != "" {
			w.violated("rest", "%s", wrong)
		}
	})
}
