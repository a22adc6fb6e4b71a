package plan

import "slices"

// differences is what an update would send now: what differs less what the Hub ignored when it was last sent, unless
// the user asks for another attempt.
func (o *Observed) differences() Changes {
	if o.Remote.Presence != Present {
		return nil
	}
	c := o.plainDifferences()
	if !o.requestPending() {
		c = slices.DeleteFunc(c, o.ignores)
	}
	if o.ForeignSecret() && o.Object.Spec.RequiresSignature {
		// Signing is not turned on while there is no place for the secret.
		c = c.Without(FieldRequiresSignature)
	}
	if o.headersDiffer() && o.Headers.Problem == nil {
		c = append(c, FieldHeaders)
	}
	return c
}

func (o *Observed) plainDifferences() Changes {
	return Diff(&o.Object.Spec, o.sent(), &o.Remote.Webhook)
}

// sent returns what the Hub was last sent of the fields that it may not show.
func (o *Observed) sent() Sent { return Sent{Applied: o.Applied, RequiresSignature: o.sentSignature()} }

// sentSignature is what was last sent of requiresSignature. What this process does not remember the Secret tells, under
// its name or the former one: it is there when we have turned signing on, and marked before we turn it off. Where that
// leaves it open it is sent, for that changes nothing if it is so already: to turn signing off when status still says
// that there was a Secret, and of a webhook that we have sent nothing yet.
func (o *Observed) sentSignature() bool {
	if sent := o.Local.RequiresSignature; sent != nil {
		return *sent
	}
	turnsOn, recorded := o.Object.Spec.RequiresSignature, &o.Object.Status
	of := func(s *SigningSecret) bool {
		return s.Exists && s.WebhookID == o.ID && (!turnsOn || !s.RotationOpen)
	}
	return of(&o.Signing) && !o.ForeignSecret() || o.FormerSecret != nil && of(o.FormerSecret) ||
		!turnsOn && (recorded.SigningSecret != nil && recorded.WebhookID == o.ID || o.Applied.HeadersHash == "")
}

// headersDiffer reports whether the headers were not sent as they are now.
func (o *Observed) headersDiffer() bool { return o.Applied.HeadersHash != o.Headers.Hash }
