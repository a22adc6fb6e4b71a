package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
)

// longListing is how long a resource waits for the first listing before that is reported.
const longListing = 30 * time.Second

func openIntent(o *Observed) (Plan, bool) {
	if !o.intentOpen() || !o.Hub.ListedAt.Before(o.settled()) {
		return Plan{}, false
	}
	return Plan{
		Action: AwaitListing, ListingAfter: o.settled(),
		Recheck: o.until(latest(o.settled(), o.Now).Add(o.Settings.PollInterval)),
		Trouble: pending(v1alpha1.ReasonCreateUnconfirmed, "a registration was begun and its end is not known; "+
			"the Hub is asked what became of it before anything else is done"),
	}, true
}

func adoptByID(o *Observed) (Plan, bool) {
	wanted := o.Object.Spec.Adoption.WebhookID
	if o.ID != "" || wanted == nil {
		return Plan{}, false
	}
	switch {
	case o.Owner != "":
		return o.conflict(o.Owner, fmt.Sprintf(
			"the webhook %s of spec.adoption.webhookID belongs to %s; delete one of the two resources",
			*wanted, o.Owner)), true
	case o.Wanted.Presence == Present:
		return Plan{Action: Adopt, WebhookID: *wanted, Trouble: registering()}, true
	case o.Wanted.Presence == Absent:
		return stalled(v1alpha1.ReasonWebhookNotFound, fmt.Sprintf("the Application has no webhook %s; correct "+
			"spec.adoption.webhookID, or remove it to have one registered", *wanted)), true
	}
	return Plan{Action: Rest, Hold: true, Recheck: o.Settings.PollInterval}, true
}

func unlisted(o *Observed) (Plan, bool) {
	// What was registered by hand just before the resource was applied must be seen. Where that would cost many calls
	// for each resource, a listing may be that many seconds older.
	after := o.Memory.SeenAt.Add(-time.Duration(max(o.Hub.ListingCalls-1, 0)) * time.Second)
	p := Plan{Action: AwaitListing, ListingAfter: after, Hold: true, Recheck: o.Settings.PollInterval}
	return p.firstListing(o), o.ID == "" && (o.Hub.ListedAt.IsZero() || o.Hub.ListedAt.Before(after))
}

// firstListing reports the first listing where it takes long, and its progress in quarters: each further message is a
// write for each resource.
func (p Plan) firstListing(o *Observed) Plan {
	if o.Hub.Pages < 2 {
		return p
	}
	if at := o.Memory.SeenAt.Add(longListing); o.Now.Before(at) {
		p.Recheck = min(p.Recheck, o.until(at))
		return p
	}
	quarters := []string{"less than a quarter", "a quarter", "half", "three quarters"}
	read := quarters[min(4*o.Hub.PagesRead/o.Hub.Pages, 3)]
	p.Hold, p.Trouble = false, pending(v1alpha1.ReasonPending, fmt.Sprintf("listing the Application's webhooks on the "+
		"Hub before anything is registered: %s of %d pages is read; this takes as long as the Hub's rate limit, or "+
		"--hub-qps, makes it", read, o.Hub.Pages))
	p.Trouble.Unknown = true
	return p
}

func adoptOwn(o *Observed) (Plan, bool) {
	own := o.ownMatches(clockSkew)
	isWanted := func(w hub.Webhook) bool { return w.ID == Value(o.Object.Spec.Adoption.WebhookID) }
	if !o.intentOpen() || len(own) == 0 || slices.ContainsFunc(own, isWanted) {
		return Plan{}, false
	}
	return Plan{Action: Adopt, WebhookID: own[0].ID, Trouble: registering()}, true
}

func adoptMatch(o *Observed) (Plan, bool) {
	if o.ID != "" || len(o.Matches) == 0 {
		return Plan{}, false
	}
	var free []string
	for _, m := range o.Matches {
		if m.Former {
			continue
		}
		if m.Owner != "" && !m.Webhook.Label.Known {
			continue // its owner may well declare another label
		}
		if m.Owner != "" {
			return o.conflict(m.Owner, fmt.Sprintf("the Hub has such a webhook, %s, which belongs to %s; "+
				"change or delete one of the two resources", m.Webhook.ID, m.Owner)), true
		}
		free = append(free, m.Webhook.ID)
	}
	switch {
	case len(free) == 0:
		return Plan{}, false
	case o.Object.Spec.Adoption.Policy == v1alpha1.AdoptNever:
		return stalled(v1alpha1.ReasonAlreadyExists, fmt.Sprintf("the Hub already has such a webhook: %s; delete it "+
			"there, or set spec.adoption.policy to IfMatching to adopt it", list(free))), true
	case len(free) > 1:
		return stalled(v1alpha1.ReasonAmbiguousMatch, fmt.Sprintf("the Hub has %d such webhooks: %s; name the one to "+
			"adopt in spec.adoption.webhookID, or delete all but one", len(free), list(free))), true
	}
	return Plan{Action: Adopt, WebhookID: free[0], Trouble: registering()}, true
}

func duplicate(o *Observed) (Plan, bool) {
	if o.ID == "" || !o.sweeps() {
		return Plan{}, false
	}
	// Strictly after the intent: what is older on any clock is not ours to delete.
	for _, w := range o.ownMatches(0) {
		// Without its label it may be what another resource's registration made.
		if w.Label.Known {
			return Plan{Action: DeleteDuplicate, WebhookID: w.ID, Hold: true}, true
		}
	}
	return Plan{}, false
}

func backOff(o *Observed) (Plan, bool) {
	if !o.Now.Before(o.Memory.RetryAt) || o.requestPending() {
		return Plan{}, false
	}
	return Plan{Action: Rest, Recheck: o.until(o.Memory.RetryAt), Trouble: o.Memory.Trouble}, true
}

// withdrawIntent: what somebody makes by hand would be taken by the next process for what the registration made.
func withdrawIntent(o *Observed) (Plan, bool) {
	_, intent := o.intent()
	return Plan{Action: WithdrawIntent, Trouble: o.Memory.Rejected},
		o.ID == "" && o.Memory.Rejected != nil && o.Memory.IntentClosed && intent
}

func rejected(o *Observed) (Plan, bool) {
	if o.Memory.Rejected == nil || o.requestPending() || !o.Now.Before(o.Memory.RejectedUntil) {
		return Plan{}, false
	}
	return Plan{Action: Rest, Trouble: o.Memory.Rejected, Recheck: o.until(o.Memory.RejectedUntil)}, true
}

// otherKey: the present API key may be another Application's, and then no listing shows what was registered before.
func otherKey(o *Observed) (Plan, bool) {
	return Plan{Action: Forget, Trouble: registering()}, o.intentOpen() && o.OtherKey
}

func secretConflict(o *Observed) (Plan, bool) {
	return Plan{Action: Rest, Trouble: ForeignSecretTrouble(o)},
		o.ID == "" && o.Object.Spec.RequiresSignature && o.ForeignSecret()
}

// ForeignSecretTrouble returns what stands in the way while the signing Secret belongs to somebody else.
func ForeignSecretTrouble(o *Observed) *Trouble {
	t := &Trouble{Condition: v1alpha1.ConditionSigningSecretReady, Reason: v1alpha1.ReasonSecretConflict}
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

func headerTroubleBeforeCreate(o *Observed) (Plan, bool) {
	return Plan{Action: Rest, Trouble: o.Headers.Trouble, Recheck: keyRecheck}, o.ID == "" && o.Headers.Trouble != nil
}

func create(o *Observed) (Plan, bool) {
	return Plan{Action: Create, Retried: o.intentOpen(), Trouble: registering()}, o.ID == ""
}

func registering() *Trouble {
	return pending(v1alpha1.ReasonRegistering, "the webhook is being registered")
}
