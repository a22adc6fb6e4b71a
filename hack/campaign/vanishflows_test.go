package campaign_test

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/campaign/store"
)

// vanishFlows are about a user who removes the finalizer and deletes the resource, right after each step of the
// operator. Its webhook stays, and is reported as left behind, once; nothing is made for the resource any more.
func vanishFlows() []flow {
	all := []flow{
		vanishes("at-rest", "", nil),
		vanishes("in-deletion", "", func(w *world) { w.refuses["DELETE webhook"] = internal }),
		vanishes("before-rotation", "update Secret", func(w *world) { w.change(rotateNow) }),
		vanishes("in-rotation", "POST webhook redefine", func(w *world) { w.change(rotateNow) }),
		vanishes("in-update", "PATCH webhook", func(w *world) {
			w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Endpoint = "https://shop.example/new" })
		}),
		vanishes("with-its-secret", "get Secret", func(w *world) {
			w.must(w.user.Delete(w.ctx, w.secret(signingName)))
			w.touch(key(name))
		}),
	}
	// Not between what is recorded of a registration and its POST: should the process end then, nothing knows of it.
	for _, after := range []string{"POST webhook", "create Secret", "patch Chatt2Webhook/status"} {
		f := vanishes("in-creation-after-"+after, after, signedResource)
		f.before = nil
		all = append(all, f)
	}
	return all
}

// vanishes has the resource vanish after an effect of the operator, or at once.
func vanishes(when, after string, trigger func(*world)) flow {
	return flow{
		name: "vanishes-" + when, before: signedResource, gone: true, orphans: 1, large: true,
		trigger: func(w *world) {
			w.collects = true
			if after != "" {
				w.gate.then[after] = (*world).vanish
				w.clock.after(time.Minute, w.vanish) // should the effect have failed
			}
			if trigger != nil {
				trigger(w)
			}
			if after == "" {
				w.vanish()
			}
		},
		ends: func(w *world) string {
			switch {
			case w.secret(signingName) != nil:
				return "S4: the signing Secret of a resource that is gone is there"
			case w.watch.madeForGone > 0 && len(w.gate.faults) == 0:
				return "S4: an empty signing Secret was made for a resource that is gone"
			}
			return ""
		},
	}
}

// vanish removes the finalizer of the resource and deletes it.
func (w *world) vanish() {
	c := w.get()
	if c == nil {
		return
	}
	w.look()
	w.watch.of[c.UID].left, w.watch.vanished = true, true
	w.change(func(c *v1alpha1.Chatt2Webhook) { c.Finalizers = nil })
	w.must(w.user.Delete(w.ctx, w.get()))
}

// countMadeForGone counts the Secrets without a secret that are created for a resource that is gone.
func (w *world) countMadeForGone(call store.Call) {
	after := w.secretAt(call.Key)
	if call.Verb != "create" || after == nil || len(after.Data[v1alpha1.SecretKeyCurrent]) > 0 {
		return
	}
	if of := w.ownerOf(after); of != nil && of.gone {
		w.watch.madeForGone++
	}
}

func (w *world) ownerOf(s *corev1.Secret) *known {
	owner := metav1.GetControllerOf(s)
	if owner == nil {
		return nil
	}
	return w.watch.of[owner.UID]
}
