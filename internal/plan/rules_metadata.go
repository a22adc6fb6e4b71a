package plan

import "github.com/chatt2me/webhook-operator/api/v1alpha1"

// isUnkept reports whether the API server has not kept the finalizer or the annotations that were written to the
// resource a while ago. They are written again after RejectedTime, or when the user asks for it.
func (o *Observed) isUnkept() bool {
	return o.Now.Before(o.Local.UnkeptUntil) && (!o.requestPending() || o.Object.Spec.Suspend)
}

// lacksMetadata reports whether the finalizer or the create intent was removed. An intent is restored at once, for
// nothing else that lasts shows the registration.
func lacksMetadata(o *Observed) bool {
	_, intent := o.intent()
	isRemoved := o.intentRemoved() || (o.ID != "" || intent) && !o.held() && !o.Now.Before(o.Local.RetryAt)
	return isRemoved && !o.isUnkept()
}

func restoreMetadata(o *Observed) Plan {
	return Plan{Action: RestoreMetadata, Hold: o.Local.UnkeptUntil.IsZero()}
}

func unkeptProblem() *Problem {
	return stalled(v1alpha1.ReasonMetadataRejected, "the API server does not keep the finalizer and the annotations "+
		"of hub.chatt2.me that the operator writes to this resource, without which nothing is registered and a "+
		"deletion leaves the webhook on the Hub: an admission policy may remove them (exempt the resource, then set "+
		"the annotation "+v1alpha1.AnnotationReconcileRequestedAt+")")
}
