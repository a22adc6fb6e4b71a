package plan

import "github.com/chatt2me/webhook-operator/api/v1alpha1"

// isUnkept reports whether the API server has not kept the finalizer or the annotations that were written to the
// resource a while ago. They are written again after RejectedTime, or when the user asks for it.
func (o *Observed) isUnkept() bool {
	return o.Now.Before(o.Memory.UnkeptUntil) && (!o.requestPending() || o.Object.Spec.Suspend)
}

// unrecordable registers nothing that only this process would know of: should it end before the answer arrives, its
// successor would register a second webhook, and a deletion would leave the first one on the Hub.
func unrecordable(o *Observed) (Plan, bool) {
	return Plan{Action: Rest, Trouble: unkeptTrouble(), Recheck: o.until(o.Memory.UnkeptUntil)},
		o.ID == "" && o.isUnkept()
}

func unkeptTrouble() *Trouble {
	return stalled(v1alpha1.ReasonMetadataRejected, "the API server does not keep the finalizer and the annotations "+
		"of hub.chatt2.me that the operator writes to this resource, without which nothing is registered and a "+
		"deletion leaves the webhook on the Hub: an admission policy may remove them (exempt the resource, then set "+
		"the annotation "+v1alpha1.AnnotationReconcileRequestedAt+")").Trouble
}
