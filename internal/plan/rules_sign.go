package plan

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

func holdsSecret(o *Observed) bool { return o.Local.Held }

func storeHeld(o *Observed) Plan { return Plan{Action: StoreSecret, Problem: o.Local.SecretProblem} }

func previousExpired(o *Observed) bool {
	s := &o.Signing
	return s.Exists && !o.ForeignSecret() && s.HasPrevious && !s.RotationOpen && !o.Now.Before(s.PreviousExpiresAt)
}

func pruneSecret(*Observed) Plan { return Plan{Action: PruneSecret, Hold: true} }

// secretTaken reports whether another resource has the webhook whose secret the Secret holds. That one may have another
// secret made, and give the webhook up later.
func secretTaken(o *Observed) bool {
	return o.SecretTaken && !o.Signing.Foreign && !o.Signing.RotationOpen && o.mayCallNow()
}

func markStale(o *Observed) Plan {
	return Plan{Action: BeginRotation, WebhookID: o.Signing.WebhookID, Trigger: TriggerLoss}
}

// mustRecordRotation reports whether the Secret is to be marked before signing is turned on. Where the Hub does not
// show whether it signs, a Secret is made for that: else nothing would show that it may, should the answer be lost.
func mustRecordRotation(o *Observed) bool {
	s := &o.Signing
	if !o.differences().Has(FieldRequiresSignature) || o.ForeignSecret() || o.Local.Held ||
		!s.Exists && o.Remote.Webhook.RequiresSignature.Known {
		return false
	}
	if s.RotationOpen {
		return o.isRotationUnsettled(s)
	}
	return o.Object.Spec.RequiresSignature
}

func recordRotation(o *Observed) Plan {
	return Plan{Action: BeginRotation, WebhookID: o.ID, Trigger: TriggerLoss, Problem: updating()}
}

// isRotationUnreported reports whether the status write that goes with the beginning of a rotation has failed.
func isRotationUnreported(o *Observed) bool {
	return o.signed() && o.Signing.RotationOpen && !o.ForeignSecret() &&
		meta.IsStatusConditionTrue(o.Object.Status.Conditions, v1alpha1.ConditionSigningSecretReady)
}

func reportRotation(*Observed) Plan { return Plan{Action: ReportRotation} }

// updates returns the fields that an update would send.
func (o *Observed) updates() Changes {
	c := o.differences()
	if o.Object.Spec.RequiresSignature && (o.Local.Held || o.secretBacksOff()) {
		// Signing is not turned on, which makes another secret, before the one that is held is stored, nor while the
		// Secret cannot be written.
		c = c.Without(FieldRequiresSignature)
	}
	return c
}

func isDrifted(o *Observed) bool { return len(o.updates()) > 0 }

func update(o *Observed) Plan {
	c := o.updates()
	isDrift := o.Object.Status.ObservedGeneration == o.Object.Generation && len(c.Without(FieldHeaders)) > 0 &&
		o.Object.Status.WebhookID == o.ID && o.Applied.HeadersHash != ""
	return Plan{Action: Update, WebhookID: o.ID, Changes: c, Drift: isDrift, Problem: updating()}
}

func updating() *Problem {
	return pending(v1alpha1.ReasonUpdating, "the webhook on the Hub is being updated to match spec")
}

// isUnsigned reports whether spec turns signing off and the Hub does not sign any more: it may have taken the update
// and not changed that.
func (o *Observed) isUnsigned() bool {
	return !o.Object.Spec.RequiresSignature && o.Remote.Presence == Present &&
		!o.plainDifferences().Has(FieldRequiresSignature)
}

func isSecretMisplaced(o *Observed) bool { return o.placeSecret() != Rest }

func moveOrDeleteSecret(o *Observed) Plan { return Plan{Action: o.placeSecret()} }

// placeSecret returns the action that leaves the signing Secret under the name that spec says, or none where nothing is
// signed.
func (o *Observed) placeSecret() Action {
	s, former := &o.Signing, o.FormerSecret
	switch {
	case o.isUnsigned() && former != nil:
		return DeleteFormerSecret
	case o.isUnsigned() && s.Exists && !s.Foreign && !s.Terminating:
		return DeleteSecret
	case former == nil:
		return Rest
	case o.signed() && !s.Exists && !o.Local.Held && o.isRecorded(former):
		return MoveSecret
	case o.secretGood():
		return DeleteFormerSecret
	}
	return Rest
}

// isRecorded reports whether a Secret holds the signing secret that status names.
func (o *Observed) isRecorded(s *SigningSecret) bool {
	recorded := o.Object.Status.SigningSecret
	return recorded != nil && !s.RotationOpen && s.WebhookID == o.ID &&
		s.Fingerprint != "" && s.Fingerprint == recorded.Fingerprint
}

// secretBacksOff reports whether the signing Secret could not be written a while ago.
func (o *Observed) secretBacksOff() bool { return o.Now.Before(o.Local.SecretRetryAt) }

// mustRotate reports whether the signing secret must be replaced: a rotation was begun, the secret is lost, or a
// rotation was requested or is due.
func mustRotate(o *Observed) bool {
	if !o.signed() || o.ForeignSecret() || o.Local.Held {
		return false
	}
	return o.Signing.RotationOpen || o.rotationTrigger() != ""
}

// rotationTrigger returns why a rotation is to begin, empty for not at all.
func (o *Observed) rotationTrigger() string {
	due := o.rotationDue()
	switch {
	case !o.secretGood():
		return TriggerLoss
	case o.Signing.HasPrevious:
		return ""
	case o.rotationRequest() != "":
		return TriggerRequest
	case !due.IsZero() && !o.Now.Before(due):
		return TriggerSchedule
	}
	return ""
}

func rotate(o *Observed) Plan {
	p := Plan{Action: BeginRotation, WebhookID: o.ID, Trigger: o.rotationTrigger()}
	switch {
	case o.Signing.RotationOpen && o.Local.RotationOwn:
		return Plan{Action: Redefine, WebhookID: o.ID}
	case o.Signing.RotationOpen:
		// Recorded again, for other processes to know when the call that follows settles.
		p.Trigger = TriggerRecovery
	case p.Trigger == TriggerLoss:
		p.Discard = o.tampered()
	}
	return p
}

func isSecretOutdated(o *Observed) bool {
	return o.signed() && o.secretGood() && o.Signing.Outdated && !o.metadataLost()
}

func updateSecretMetadata(*Observed) Plan { return Plan{Action: UpdateSecretMetadata} }

// metadataLost reports whether the API server has not kept the metadata that spec says. It is not written again until
// spec changes or the user asks for it.
func (o *Observed) metadataLost() bool {
	return o.Signing.Outdated && o.Local.MetadataLostOf == o.Object.Generation && !o.requestPending()
}

func isAnything(*Observed) bool { return true }

func rest(*Observed) Plan { return Plan{Action: Rest} }

// nextDate returns the delay until the next rotation or the end of the overlap, 0 for neither.
func (o *Observed) nextDate() time.Duration {
	if !o.signed() || !o.secretGood() {
		return 0
	}
	var next time.Duration
	if due := o.rotationDue(); !due.IsZero() && due.After(o.Now) {
		next = o.until(due)
	}
	if o.Signing.HasPrevious && o.Signing.PreviousExpiresAt.After(o.Now) {
		next = sooner(next, o.until(o.Signing.PreviousExpiresAt))
	}
	return next
}

// mayBecomeOurs reports whether the resource may yet take over a Secret that it does not control: it has the webhook
// that the Secret names, or it has none yet and may adopt that one.
func (o *Observed) mayBecomeOurs() bool {
	return o.Signing.Unowned && !o.SecretTaken && (o.ID == "" || o.Signing.WebhookID == o.ID)
}

// signingProblem is why the Secret does not hold what the Hub signs with, nil when it does.
func signingProblem(o *Observed) *Problem {
	t := Problem{Condition: v1alpha1.ConditionSigningSecretReady}
	switch {
	case !o.Object.DeletionTimestamp.IsZero():
		t.Unknown, t.Reason = true, v1alpha1.ReasonPending
		t.Message = "the Secret is not read any more: the resource is being deleted"
	case o.Local.SecretProblem != nil && o.wantsSecretWrite():
		return o.Local.SecretProblem
	case o.ForeignSecret() && o.mayBecomeOurs():
		t.Unknown, t.Reason = true, v1alpha1.ReasonPending
		t.Message = "the Secret with the signing secret is taken over once its webhook was seen on the Hub"
	case o.ForeignSecret():
		return ForeignSecretProblem(o)
	case o.Remote.Presence == Present && o.signed() && o.secretGood(), o.secretGood() && o.ID != "":
		return nil
	case o.ID == "":
		t.Reason, t.Message = v1alpha1.ReasonPending, "the signing secret is stored once the webhook is registered"
	default:
		t.Reason, t.Message = v1alpha1.ReasonRotating, "a new signing secret is being made; deliveries may carry a "+
			"signature that the stored one does not verify"
	}
	return &t
}
