package campaign_test

import (
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/campaign/store"
)

// refusedTime is for how long an admission policy refuses the signing Secret.
const refusedTime = 20 * time.Second

// admissionFlows are about admission policies of the API server.
var admissionFlows = []flow{
	{name: "secret-refused-in-creation", trigger: func(w *world) {
		w.refuseSecret()
		w.resource(signed)
	}, ends: (*world).triedSeldom},
	{name: "secret-refused-in-rotation", before: signedResource, trigger: func(w *world) {
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
	{name: "secret-refused-in-deletion", before: signedResource, trigger: func(w *world) {
		w.refuseSecret()
		w.change(rotateNow)
		deleteResource(w)
	}, gone: true},
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

// triedSeldom bounds how often the operator has written a Secret.
func (w *world) triedSeldom() string {
	tries := map[int]int{}
	for _, e := range w.gate.trace {
		if strings.HasSuffix(e.what, " Secret") && !strings.HasPrefix(e.what, "get") && e.on == signingName {
			tries[e.life]++
		}
	}
	for life, n := range tries {
		if n > mostRefused {
			return fmt.Sprintf("L1: process %d has written the Secret %d times", life, n)
		}
	}
	return ""
}
