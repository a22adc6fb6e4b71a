package campaign_test

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// unfinished is what is missing at rest: L1, L2 and L3.
func (w *world) unfinished() string {
	defer w.gate.looking()()
	w.look()
	for key, of := range w.watch.living {
		c := of.object
		r := w.rival(c)
		switch {
		case !c.DeletionTimestamp.IsZero():
			return fmt.Sprintf("L2: %s is still there", key)
		case r != nil && c.IsReady() && r.IsReady():
			return fmt.Sprintf("L1: %s and %s are ready and declare the same", key, r.Name)
		case r != nil && readyReason(c) == v1alpha1.ReasonConflict && readyReason(r) == v1alpha1.ReasonConflict:
			return fmt.Sprintf("L1: %s and %s wait for each other", key, r.Name)
		case r != nil && readyReason(c) == v1alpha1.ReasonConflict:
			continue
		case c.Spec.Suspend && c.IsReady():
			return fmt.Sprintf("L1: %s is ready though it is suspended", key)
		case c.Spec.Suspend:
			continue
		case c.Status.ApplicationID != "" && c.Status.ApplicationID != w.appOf(c):
			if readyReason(c) != v1alpha1.ReasonApplicationChanged {
				return fmt.Sprintf("L1: %s does not say that the key is another Application's", key)
			}
			continue
		case w.watch.flow.waits != "":
			if ready := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionReady); ready == nil ||
				ready.Status == metav1.ConditionTrue || ready.Reason != w.watch.flow.waits {
				return fmt.Sprintf("L1: %s does not say %s: %+v", key, w.watch.flow.waits, ready)
			}
			continue
		case (of.labelRefused || w.takesNoLabels()) && readyReason(c) == v1alpha1.ReasonNotApplied:
			continue
		case !c.IsReady() || c.Status.ObservedGeneration != c.Generation:
			return fmt.Sprintf("L1: %s is not ready: %+v", key,
				meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionReady))
		}
		if wrong := w.disagrees(of); wrong != "" {
			return fmt.Sprintf("L1: %s: %s", key, wrong)
		}
		if left := w.leftSecret(c); left != "" {
			return fmt.Sprintf("L1: %s: the Secret %s is left over", key, left)
		}
	}
	if w.watch.flow.gone && w.resourceAt(key(name)) != nil {
		return "L2: the resource is still there"
	}
	if wrong := w.leftOver(); wrong != "" {
		return wrong
	}
	if w.watch.flow.ends != nil {
		return w.watch.flow.ends(w)
	}
	return ""
}

// checkL3: no more secrets are made than there is cause for. A flow is a cause of one; a Hub that shows none when
// signing is turned on is another one each time.
func (w *world) checkL3() {
	causes := w.watch.causes
	if w.watch.flow.name != "" {
		causes = 1
	}
	if causes == 0 {
		return // nobody has counted
	}
	if w.hub.Variants().OmitSecret {
		causes += 2
	}
	if w.watch.redefined > causes+w.watch.doubts {
		w.violated("L3", "%d redefinitions for %d causes and %d doubts", w.watch.redefined, causes, w.watch.doubts)
	}
}

// leftOver is what is there that belongs to nobody: webhooks and finalizers.
func (w *world) leftOver() string {
	for key, s := range w.watch.secrets {
		if !slices.Contains(s.Finalizers, v1alpha1.APIKeyFinalizer) {
			continue
		}
		inUse := false
		for _, of := range w.watch.living {
			c := of.object
			inUse = inUse || c.Namespace == key.Namespace && c.Spec.APIKeySecretRef.Name == key.Name
		}
		if !inUse {
			return fmt.Sprintf("L2: Secret %s is protected for nobody", key)
		}
	}
	left := len(w.watch.leaked)
	for id, maker := range w.watch.made {
		of := w.watch.of[maker]
		_, there := w.webhook(id)
		// What may be another resource's, as far as can be seen, is not deleted.
		kept := w.hidesLabels() && of != nil && of.extra > 0
		if there && of != nil && !of.gone && of.object.Status.WebhookID != id && !w.isClaimed(id, maker) &&
			!w.watch.abandoned[id] && !kept {
			// What was given up and counted may be there.
			if left++; left <= w.orphaned() {
				continue
			}
			return fmt.Sprintf("S1: webhook %s is there besides that of %s", id, of.object.Name)
		}
	}
	return ""
}

func readyReason(c *v1alpha1.Chatt2Webhook) string {
	if ready := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		return ready.Reason
	}
	return ""
}

// leftSecret is a Secret that the resource controls and has no use for.
func (w *world) leftSecret(c *v1alpha1.Chatt2Webhook) string {
	for key, s := range w.watch.secrets {
		if metav1.IsControlledBy(s, c) && (!c.Spec.RequiresSignature || key.Name != c.SigningSecretName()) {
			return key.Name
		}
	}
	return ""
}

// rival is another resource that declares the same webhook for the same Application, or has one there from before its
// key was another's; nil when there is none.
func (w *world) rival(c *v1alpha1.Chatt2Webhook) *v1alpha1.Chatt2Webhook {
	for _, of := range w.watch.living {
		o := of.object
		if o.UID != c.UID && natural(o) == natural(c) && (w.appOf(o) == w.appOf(c) || o.Status.ApplicationID == w.appOf(c)) {
			return o
		}
	}
	return nil
}

// disagrees is in what the Hub differs from the resource.
func (w *world) disagrees(of *known) string {
	c := of.object
	h, ok := w.webhook(c.Status.WebhookID)
	if !ok {
		return "status names a webhook that is not there"
	}
	unseen := w.hidesLabels() && w.watch.labelled[h.ID]
	if normalLabel(h.Label) != normalLabel(c.Spec.Label) && !unseen ||
		normalEndpoint(h.Endpoint) != normalEndpoint(c.Spec.Endpoint) ||
		h.RequiresSignature != c.Spec.RequiresSignature ||
		!h.IsVerified || h.ApplicationID != w.appOf(c) || string(c.Spec.EventType) != h.EventType {
		return fmt.Sprintf("the Hub has %+v", h)
	}
	s := w.watch.signing(c)
	switch {
	case !c.Spec.RequiresSignature && s != nil:
		return "there is a signing Secret that nothing needs"
	case !c.Spec.RequiresSignature || of.stale:
		return ""
	case s == nil || string(s.Data[v1alpha1.SecretKeyCurrent]) != w.hub.SecretOf(h.ID):
		return "the Secret does not hold what the Hub signs with"
	case s.Annotations[v1alpha1.AnnotationRotationStartedAt] != "":
		return "L3: a rotation is still open"
	}
	return ""
}
