package campaign_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/campaign/store"
)

// refusedTime is for how long an admission policy refuses the signing Secret.
const refusedTime = 20 * time.Second

// admissionFlows are about admission policies of the API server.
var admissionFlows = append([]flow{
	{name: "secret-refused-in-creation", large: true, trigger: func(w *world) {
		w.refuseSecret()
		w.resource(signed)
	}, ends: (*world).triedSeldom},
	{name: "secret-refused-in-rotation", large: true, before: signedResource, trigger: func(w *world) {
		w.refuseSecret()
		w.change(rotateNow)
		w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Label = "new" })
	}, ends: func(w *world) string {
		for _, e := range w.gate.trace {
			if e.what == "PATCH webhook" && e.at.Before(w.gate.trace[0].at.Add(refusedTime)) {
				return w.triedSeldom()
			}
		}
		if len(w.gate.faults) > 0 {
			return w.triedSeldom() // the update may have been late for another cause
		}
		return "L1: the update waits for the Secret"
	}},
	{name: "secret-refused-in-deletion", large: true, before: signedResource, trigger: func(w *world) {
		w.refuseSecret()
		w.change(rotateNow)
		deleteResource(w)
	}, gone: true},
	{name: "secret-stripped-for-good", before: signedResource, trigger: func(w *world) {
		w.admit(stripped)
		w.change(rotateNow)
	}, waits: v1alpha1.ReasonSecretRejected, ends: (*world).writtenSeldom},
	{name: "metadata-stripped-in-creation", large: true, trigger: func(w *world) {
		w.stripResource(true)
		w.resource(signed)
	}},
	{name: "annotations-stripped-in-creation", large: true, trigger: func(w *world) {
		w.stripResource(false)
		w.resource(signed)
	}},
	{
		name: "metadata-stripped-in-adoption", large: true, before: func(w *world) { w.byHand(name, "https://shop.example/orders") },
		trigger: func(w *world) {
			w.stripResource(true)
			w.resource()
		}, ends: (*world).unheld,
	},
	{name: "metadata-stripped-for-good", trigger: func(w *world) {
		w.admitResource(func(object client.Object) { stripOwn(object, true) })
		w.resource(signed)
	}, waits: v1alpha1.ReasonMetadataRejected, ends: func(w *world) string {
		if len(w.hub.Webhooks(w.app.ID)) != 1 {
			return "S6: a webhook was registered that nothing durable knows of"
		}
		return ""
	}},
	{name: "metadata-stripped-in-update", large: true, before: signedResource, trigger: func(w *world) {
		w.stripResource(true)
		w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Endpoint = "https://shop.example/new" })
	}, ends: (*world).unheld},
	{name: "metadata-stripped-in-open-creation", large: true, before: openCreate(lost), open: true, trigger: func(w *world) {
		w.stripResource(false)
		w.change(annotate("example.com/changed", "yes"))
	}},
}, strippedFlows()...)

// strippedFlows are about an admission policy that keeps none of the operator's labels and annotations on the signing
// Secret, or sets them otherwise, while the webhook is created, changed or deleted.
func strippedFlows() []flow {
	var all []flow
	for policy, changes := range map[string]func(client.Object){
		"stripped": stripped, "unmarked": unmarked,
		"overwritten": overwritten, "marked": marked,
	} {
		on := func(do func(*world)) func(*world) {
			return func(w *world) {
				w.changeSecrets(changes)
				do(w)
			}
		}
		all = append(all,
			flow{
				name: "secret-" + policy + "-in-creation", large: true, trigger: on(signedResource),
				ends: (*world).writtenSeldom,
			},
			flow{name: "secret-" + policy + "-in-rotation", large: true, before: signedResource, trigger: on(func(w *world) {
				w.change(rotateNow)
			}), ends: (*world).writtenSeldom},
			flow{name: "secret-" + policy + "-in-update", large: true, before: signedResource, trigger: on(func(w *world) {
				w.change(withTemplate("label"))
				w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Endpoint = "https://shop.example/new" })
			}), ends: (*world).writtenSeldom},
			flow{name: "secret-" + policy + "-in-deletion", large: true, before: func(w *world) {
				w.resource(signed, func(c *v1alpha1.Chatt2Webhook) { c.Spec.DeletionPolicy = v1alpha1.DeletionRetain })
				w.run(restTime)
			}, trigger: on(deleteResource), gone: true, ends: (*world).keptSecret},
		)
	}
	slices.SortFunc(all, func(a, b flow) int { return strings.Compare(a.name, b.name) })
	return all
}

// admit has an admission policy change what is written to the signing Secret.
func (w *world) admit(change func(client.Object)) {
	w.store.Admission = func(call store.Call, object client.Object) error {
		if call.Kind.Kind == "Secret" && call.Key.Name == signingName {
			change(object)
		}
		return nil
	}
}

// changeSecrets has an admission policy change what is written to the signing Secret for a while.
func (w *world) changeSecrets(change func(client.Object)) {
	w.admit(change)
	w.lift()
}

// lift ends the admission policy after a while, whereupon a user asks for a look as the message says.
func (w *world) lift() {
	w.clock.after(refusedTime, func() {
		w.store.Admission = nil
		if w.get() != nil {
			w.askAgain(key(name), "lifted")
		}
	})
}

// stripResource has an admission policy remove the operator's annotations from resources for a while, and the
// finalizer.
func (w *world) stripResource(finalizer bool) {
	w.admitResource(func(object client.Object) { stripOwn(object, finalizer) })
	w.lift()
}

// admitResource has an admission policy change what is written to resources.
func (w *world) admitResource(change func(client.Object)) {
	w.store.Admission = func(call store.Call, object client.Object) error {
		if call.Kind.Kind == "Chatt2Webhook" && call.Subresource == "" {
			change(object)
		}
		return nil
	}
}

// stripOwn removes what the operator writes to a resource.
func stripOwn(object client.Object, finalizer bool) {
	annotations := object.GetAnnotations()
	maps.DeleteFunc(annotations, func(key, _ string) bool { return strings.HasPrefix(key, "hub.chatt2.me/create") })
	object.SetAnnotations(annotations)
	if finalizer && object.GetDeletionTimestamp() == nil {
		object.SetFinalizers(nil)
	}
}

func stripped(object client.Object) {
	object.SetLabels(nil)
	object.SetAnnotations(nil)
}

func unmarked(object client.Object) {
	annotations := object.GetAnnotations()
	delete(annotations, v1alpha1.AnnotationRotationStartedAt)
	object.SetAnnotations(annotations)
}

func overwritten(object client.Object) {
	annotations := maps.Clone(object.GetAnnotations())
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[v1alpha1.AnnotationWebhookID] = "00000000-0000-4000-8000-999999999999"
	object.SetAnnotations(annotations)
}

func marked(object client.Object) {
	metav1.SetMetaDataAnnotation(&object.(*corev1.Secret).ObjectMeta, v1alpha1.AnnotationRotationStartedAt,
		begins.Format(time.RFC3339))
}

// refuseSecret has an admission policy refuse every write of the signing Secret for a while.
func (w *world) refuseSecret() {
	w.store.Admission = func(call store.Call, _ client.Object) error {
		if call.Kind.Kind == "Secret" && call.Key.Name == signingName {
			return apierrors.NewInvalid(schema.GroupKind{Kind: "Secret"}, signingName, nil)
		}
		return nil
	}
	w.clock.after(refusedTime, func() { w.store.Admission = nil })
}

// mostRefused is how often a process may write the Secret in that time: after 1, 2, 4 s and so on, and anew when spec
// changes.
const mostRefused = 12

// mostWritten is how often a process may write the signing Secret under such a policy, and after it was lifted.
const mostWritten = 8

// writtenSeldom bounds how often the signing Secret was written.
func (w *world) writtenSeldom() string { return w.writtenAtMost(mostWritten) }

// triedSeldom bounds how often the operator has written a Secret in vain.
func (w *world) triedSeldom() string { return w.writtenAtMost(mostRefused) }

// keptSecret is what is wrong with the Secret of a resource that is gone and whose webhook was to stay.
func (w *world) keptSecret() string {
	s := w.secret(signingName)
	switch {
	case s == nil && len(w.gate.faults) == 0:
		return "the Hub goes on signing, and the only copy of the secret is gone"
	case s != nil && len(s.OwnerReferences) > 0:
		return "the signing Secret goes with a resource that is gone"
	}
	return ""
}

// writtenAtMost bounds how often each process has written the signing Secret.
func (w *world) writtenAtMost(most int) string {
	tries := map[int]int{}
	for _, e := range w.gate.trace {
		if strings.HasSuffix(e.what, " Secret") && !strings.HasPrefix(e.what, "get") && e.on == signingName {
			tries[e.life]++
		}
	}
	for life, n := range tries {
		if n > most {
			return fmt.Sprintf("L1: process %d has written the Secret %d times", life, n)
		}
	}
	return ""
}
