package plan

import (
	"fmt"
	"slices"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
)

// mayHaveRegistered reports whether a registration that was begun may have made a webhook, or has made one.
func mayHaveRegistered(o *Observed) bool {
	own := o.ownMatches(clockSkew)
	isWanted := func(w hub.Webhook) bool { return w.ID == Value(o.Object.Spec.Adoption.WebhookID) }
	return o.isOutcomeUnknown() || o.intentOpen() && len(own) > 0 && !slices.ContainsFunc(own, isWanted)
}

func adoptOwn(o *Observed) Plan {
	return Plan{Action: Adopt, WebhookID: o.ownMatches(clockSkew)[0].ID, Problem: registering()}
}

func mayAdopt(o *Observed) bool {
	return o.ID == "" && (o.Object.Spec.Adoption.WebhookID != nil || slices.ContainsFunc(o.Matches, isCandidate))
}

// isCandidate reports whether a webhook is what spec declares. The owner of a webhook whose label the Hub does not show
// may well declare another label.
func isCandidate(m Match) bool { return !m.Former && (m.Owner == "" || m.Webhook.Label.Known) }

func adopt(o *Observed) Plan {
	if wanted := o.Object.Spec.Adoption.WebhookID; wanted != nil {
		return o.adoptByID(*wanted)
	}
	return o.adoptMatch()
}

func (o *Observed) adoptByID(wanted string) Plan {
	switch {
	case o.Owner != "":
		return o.conflict(o.Owner, fmt.Sprintf(
			"the webhook %s of spec.adoption.webhookID belongs to %s; delete one of the two resources",
			wanted, o.Owner))
	case o.Wanted.Presence == Present:
		return Plan{Action: Adopt, WebhookID: wanted, Problem: registering()}
	case o.Wanted.Presence == Absent:
		return Plan{Action: Rest, Problem: stalled(v1alpha1.ReasonWebhookNotFound, fmt.Sprintf("the Application has "+
			"no webhook %s; correct spec.adoption.webhookID, or remove it to have one registered", wanted))}
	}
	return Plan{Action: Rest, Hold: true, Recheck: o.Settings.PollInterval}
}

func (o *Observed) adoptMatch() Plan {
	var free []string
	for _, m := range o.Matches {
		switch {
		case !isCandidate(m):
			continue
		case m.Owner != "":
			return o.conflict(m.Owner, fmt.Sprintf("the Hub has such a webhook, %s, which belongs to %s; "+
				"change or delete one of the two resources", m.Webhook.ID, m.Owner))
		}
		free = append(free, m.Webhook.ID)
	}
	switch {
	case o.Object.Spec.Adoption.Policy == v1alpha1.AdoptNever:
		return Plan{Action: Rest, Problem: stalled(v1alpha1.ReasonAlreadyExists, fmt.Sprintf("the Hub already has "+
			"such a webhook: %s; delete it there, or set spec.adoption.policy to IfMatching to adopt it", list(free)))}
	case len(free) > 1:
		return Plan{Action: Rest, Problem: stalled(v1alpha1.ReasonAmbiguousMatch, fmt.Sprintf("the Hub has %d such "+
			"webhooks: %s; name the one to adopt in spec.adoption.webhookID, or delete all but one",
			len(free), list(free)))}
	}
	return Plan{Action: Adopt, WebhookID: free[0], Problem: registering()}
}

func hasDuplicate(o *Observed) bool { return o.duplicate() != "" }

func deleteDuplicate(o *Observed) Plan {
	return Plan{Action: DeleteDuplicate, WebhookID: o.duplicate(), Hold: true}
}

// duplicate returns the webhook besides the resource's own that a registration made whose answer was lost, empty if
// there is none.
func (o *Observed) duplicate() string {
	if o.ID == "" || !o.sweeps() {
		return ""
	}
	// Strictly after the intent: what is older on any clock is not ours to delete.
	for _, w := range o.ownMatches(0) {
		// Without its label it may be what another resource's registration made.
		if w.Label.Known {
			return w.ID
		}
	}
	return ""
}

// isIntentRejected: what a user registers by hand would be taken by the next process for what the registration made.
func isIntentRejected(o *Observed) bool {
	_, intent := o.intent()
	return o.ID == "" && o.Local.Rejected != nil && o.Local.IntentClosed && intent
}

func withdrawIntent(o *Observed) Plan {
	return Plan{Action: WithdrawIntent, Problem: o.Local.Rejected}
}

// isOfOtherKey: the present API key may be another Application's, and then no listing shows what was registered before.
func isOfOtherKey(o *Observed) bool { return o.intentOpen() && o.OtherKey }

func forgetOtherKey(*Observed) Plan { return Plan{Action: Forget, Problem: registering()} }

func cannotRegister(o *Observed) bool {
	return o.ID == "" && (o.lacksPlaceForSecret() || o.Headers.Problem != nil || o.isUnkept())
}

func (o *Observed) lacksPlaceForSecret() bool {
	return o.Object.Spec.RequiresSignature && o.ForeignSecret()
}

// reportObstacle reports what is missing for a registration. Nothing is registered that only this process would know
// of: should it end before the answer arrives, its successor would register a second webhook, and a deletion would
// leave the first one on the Hub.
func reportObstacle(o *Observed) Plan {
	switch {
	case o.lacksPlaceForSecret():
		return Plan{Action: Rest, Problem: ForeignSecretProblem(o)}
	case o.Headers.Problem != nil:
		return Plan{Action: Rest, Problem: o.Headers.Problem, Recheck: keyRecheck}
	}
	return Plan{Action: Rest, Problem: unkeptProblem(), Recheck: o.until(o.Local.UnkeptUntil)}
}

func hasNoWebhook(o *Observed) bool { return o.ID == "" }

func create(o *Observed) Plan {
	return Plan{Action: Create, Retried: o.intentOpen(), Problem: registering()}
}

// ForeignSecretProblem returns the problem of a signing Secret that belongs to another owner.
func ForeignSecretProblem(o *Observed) *Problem {
	t := &Problem{Condition: v1alpha1.ConditionSigningSecretReady, Reason: v1alpha1.ReasonSecretConflict}
	if o.Signing.Leaving {
		t.Reason = v1alpha1.ReasonPending
		t.Message = fmt.Sprintf("the Secret %q of an earlier resource is being deleted; the signing secret is stored "+
			"once it is gone", o.Signing.Name)
		return t
	}
	t.Stalled, t.Event = true, true
	t.Message = fmt.Sprintf("there is a Secret %q that this resource does not control; delete it, or choose another "+
		"name in spec.signingSecret.name", o.Signing.Name)
	if o.Signing.Unowned {
		t.Message += "; or, if it is to be kept, adopt the webhook that its annotation " +
			v1alpha1.AnnotationWebhookID + " names by spec.adoption.webhookID"
	}
	return t
}

func registering() *Problem {
	return pending(v1alpha1.ReasonRegistering, "the webhook is being registered")
}
