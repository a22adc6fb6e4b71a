package plan

import (
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// doubtSecret: that one may have another secret made, and let go of the webhook later.
func doubtSecret(o *Observed) (Plan, bool) {
	s := &o.Signing
	mayWrite := !o.Hub.Refused && !o.Hub.Down && !o.Now.Before(o.Memory.RetryAt)
	return Plan{Action: BeginRotation, WebhookID: s.WebhookID, Trigger: TriggerLoss},
		o.SecretTaken && !s.Foreign && !s.RotationOpen && mayWrite
}

// beforeSigning marks the Secret that is there. Where the Hub does not show whether it signs, one is made for that:
// else nothing would tell that it may, should the answer be lost.
func beforeSigning(o *Observed) (Plan, bool) {
	s := &o.Signing
	if !o.differences().Has(FieldRequiresSignature) || o.ForeignSecret() || o.Memory.Held ||
		!s.Exists && o.Remote.Webhook.RequiresSignature.Known {
		return Plan{}, false
	}
	if s.RotationOpen || !o.Object.Spec.RequiresSignature {
		p, ok := o.awaitRedefinition(s)
		p.Trouble = updating()
		return p, ok
	}
	return Plan{Action: BeginRotation, WebhookID: o.ID, Trigger: TriggerLoss, Trouble: updating()}, true
}

// awaitRedefinition waits while a redefinition by another process may still be carried out, which would kill a secret
// that is made before, and which nothing tells of but the Secret.
func (o *Observed) awaitRedefinition(s *SigningSecret) (Plan, bool) {
	bar := o.rotationSettled(s)
	return Plan{Action: Rest, Recheck: o.until(bar)},
		s.RotationOpen && !o.Memory.RotationOwn && o.Now.Before(bar)
}

// tellRotation comes before whatever has the Hub make a new secret: the status write that goes with the beginning of a
// rotation may have failed.
func tellRotation(o *Observed) (Plan, bool) {
	return Plan{Action: TellRotation}, o.signed() && o.Signing.RotationOpen && !o.ForeignSecret() &&
		meta.IsStatusConditionTrue(o.Object.Status.Conditions, v1alpha1.ConditionSigningSecretReady)
}

func update(o *Observed) (Plan, bool) {
	c := o.differences()
	if o.Object.Spec.RequiresSignature && (o.Memory.Held || o.secretBacksOff()) {
		// Signing is not turned on, which makes another secret, before the one that is held is stored, nor while the
		// Secret cannot be written.
		c = c.Without(FieldRequiresSignature)
	}
	if len(c) == 0 {
		return Plan{}, false
	}
	isDrift := o.Object.Status.ObservedGeneration == o.Object.Generation && len(c.Without(FieldHeaders)) > 0 &&
		o.Object.Status.WebhookID == o.ID && o.Applied.HeadersHash != ""
	return Plan{Action: Update, WebhookID: o.ID, Changes: c, Drift: isDrift, Trouble: updating()}, true
}

func updating() *Trouble {
	return pending(v1alpha1.ReasonUpdating, "the webhook on the Hub is being changed to what spec says")
}

func deleteSecret(o *Observed) (Plan, bool) {
	// Not while the Hub still signs: it may have taken the update and not changed that.
	if o.Object.Spec.RequiresSignature || o.Remote.Presence != Present ||
		o.plainDifferences().Has(FieldRequiresSignature) {
		return Plan{}, false
	}
	if o.FormerSecret != nil {
		if p, ok := o.awaitRedefinition(o.FormerSecret); ok {
			return p, true
		}
		return Plan{Action: DeleteFormerSecret}, true
	}
	if !o.Signing.Exists || o.Signing.Foreign || o.Signing.Terminating {
		return Plan{}, false
	}
	if p, ok := o.awaitRedefinition(&o.Signing); ok {
		return p, true
	}
	return Plan{Action: DeleteSecret}, true
}

func moveSecret(o *Observed) (Plan, bool) {
	f := o.FormerSecret
	return Plan{Action: MoveSecret, WebhookID: o.ID}, o.signed() && !o.Signing.Exists && f != nil && !o.Memory.Held &&
		!f.RotationOpen && f.WebhookID == o.ID && f.Fingerprint != "" && f.Fingerprint == o.recordedFingerprint()
}

func (o *Observed) recordedFingerprint() string {
	if s := o.Object.Status.SigningSecret; s != nil {
		return s.Fingerprint
	}
	return ""
}

func deleteFormer(o *Observed) (Plan, bool) {
	return Plan{Action: DeleteFormerSecret}, o.FormerSecret != nil && o.secretGood()
}

func finishRotation(o *Observed) (Plan, bool) {
	if !o.signed() || o.ForeignSecret() || !o.Signing.RotationOpen || o.Memory.Held {
		return Plan{}, false
	}
	if p, ok := o.awaitRedefinition(&o.Signing); ok {
		return p, true
	}
	if !o.Memory.RotationOwn {
		// Written down again, for others to know when the call that follows settles.
		return Plan{Action: BeginRotation, WebhookID: o.ID, Trigger: TriggerRecovery}, true
	}
	return Plan{Action: Redefine, WebhookID: o.ID}, true
}

// secretBacksOff reports whether the signing Secret could not be written a while ago.
func (o *Observed) secretBacksOff() bool { return o.Now.Before(o.Memory.SecretRetryAt) }

func lostSecret(o *Observed) (Plan, bool) {
	return Plan{Action: BeginRotation, WebhookID: o.ID, Trigger: TriggerLoss, Discard: o.tampered()},
		o.signed() && !o.ForeignSecret() && !o.secretGood() && !o.Memory.Held
}

func pruneSecret(o *Observed) (Plan, bool) {
	s := &o.Signing
	return Plan{Action: PruneSecret, Hold: true}, s.Exists && !o.ForeignSecret() && s.HasPrevious && !s.RotationOpen &&
		!o.Now.Before(s.PreviousExpiresAt)
}

func requestedRotation(o *Observed) (Plan, bool) {
	return Plan{Action: BeginRotation, WebhookID: o.ID, Trigger: TriggerRequest},
		o.signed() && o.secretGood() && !o.Signing.HasPrevious && o.rotationRequest() != ""
}

func dueRotation(o *Observed) (Plan, bool) {
	due := o.rotationDue()
	return Plan{Action: BeginRotation, WebhookID: o.ID, Trigger: TriggerSchedule},
		o.signed() && o.secretGood() && !o.Signing.HasPrevious && !due.IsZero() && !o.Now.Before(due)
}

func secretMetadata(o *Observed) (Plan, bool) {
	return Plan{Action: UpdateSecretMetadata},
		o.signed() && o.secretGood() && o.Signing.Outdated && !o.metadataLost()
}

// metadataLost reports whether the API server has not kept the metadata that spec says. It is not written again until
// spec changes or the user asks for it.
func (o *Observed) metadataLost() bool {
	return o.Signing.Outdated && o.Memory.MetadataLostOf == o.Object.Generation && !o.requestPending()
}

func nextDate(o *Observed) (Plan, bool) {
	p := Plan{Action: Rest}
	if !o.signed() || !o.secretGood() {
		return p, true
	}
	if due := o.rotationDue(); !due.IsZero() && due.After(o.Now) {
		p.Recheck = o.until(due)
	}
	if o.Signing.HasPrevious && o.Signing.PreviousExpiresAt.After(o.Now) {
		p.Recheck = sooner(p.Recheck, o.until(o.Signing.PreviousExpiresAt))
	}
	return p, true
}

// mayBecomeOurs reports whether the resource may yet take over a Secret that it does not control: it has the webhook
// that the Secret names, or it has none yet and may adopt that one.
func (o *Observed) mayBecomeOurs() bool {
	return o.Signing.Unowned && !o.SecretTaken && (o.ID == "" || o.Signing.WebhookID == o.ID)
}

// signingTrouble is why the Secret does not hold what the Hub signs with, nil when it does.
func signingTrouble(o *Observed) *Trouble {
	t := Trouble{Condition: v1alpha1.ConditionSigningSecretReady}
	switch {
	case !o.Object.DeletionTimestamp.IsZero():
		t.Unknown, t.Reason = true, v1alpha1.ReasonPending
		t.Message = "the Secret is not looked at any more: the resource is being deleted"
	case o.Memory.SecretTrouble != nil && o.wantsSecretWrite():
		return o.Memory.SecretTrouble
	case o.ForeignSecret() && o.mayBecomeOurs():
		t.Unknown, t.Reason = true, v1alpha1.ReasonPending
		t.Message = "the Secret with the signing secret is taken over once its webhook was seen on the Hub"
	case o.ForeignSecret():
		return ForeignSecretTrouble(o)
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
