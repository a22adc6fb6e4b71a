package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// keyRecheck is how soon a missing Secret is looked for again when its arrival is not watched.
const keyRecheck = time.Minute

// unseenRecheck is how soon a webhook is looked for again of which nothing is known yet.
const unseenRecheck = 5 * time.Second

func storeHeld(o *Observed) (Plan, bool) {
	return Plan{Action: StoreSecret, Trouble: o.Memory.SecretTrouble}, o.Memory.Held
}

// restoreMetadata: what was removed of an open registration does not wait, for nothing else that lasts tells of it.
func restoreMetadata(o *Observed) (Plan, bool) {
	_, intent := o.intent()
	isRemoved := o.intentRemoved() || (o.ID != "" || intent) && !o.held() && !o.Now.Before(o.Memory.RetryAt)
	return Plan{Action: RestoreMetadata, Hold: o.Memory.UnkeptUntil.IsZero()}, isRemoved && !o.isUnkept()
}

// held tells whether the resource carries the finalizer.
func (o *Observed) held() bool {
	return slices.Contains(o.Object.Finalizers, v1alpha1.WebhookFinalizer)
}

func suspended(o *Observed) (Plan, bool) {
	if !o.Object.Spec.Suspend {
		return Plan{}, false
	}
	return Plan{Action: Rest, Trouble: &Trouble{
		Condition: v1alpha1.ConditionSynced, Reason: v1alpha1.ReasonSuspended, Unknown: true,
		Message: "spec.suspend is true: the Hub is not looked at and nothing is changed; set it to false to go on",
	}}, true
}

func keyTrouble(o *Observed) (Plan, bool) {
	return Plan{Action: Rest, Trouble: o.Key.Trouble, Recheck: keyRecheck}, o.Key.Trouble != nil
}

// claimRecheck is how soon the API server is asked again who has a webhook.
const claimRecheck = time.Minute

// yield deletes the younger of two webhooks that two resources have registered at the same moment, each before it could
// see the other: in two shards, or with two API keys of one Application. What the resource has adopted, or what is not
// what it declares, stays.
func yield(o *Observed) (Plan, bool) {
	mayCall := !o.Hub.Refused && !o.Hub.Down && !o.Now.Before(o.Memory.RetryAt)
	if !mayCall || o.Elder == "" || o.Owner != "" || !o.hasMadeIt() {
		return Plan{}, false
	}
	for _, m := range o.Matches {
		if !m.Former && m.Owner == o.Elder {
			return Plan{Action: Yield, WebhookID: o.ID, Other: m.Webhook.ID, Hold: true}, true
		}
	}
	return Plan{}, false
}

// hasMadeIt reports whether the webhook is there, is what the resource declares, and was made by its own registration.
func (o *Observed) hasMadeIt() bool {
	if o.ID == "" || o.Remote.Presence != Present || o.Unproved {
		return false
	}
	c := o.plainDifferences()
	isDeclared := !c.Has(FieldLabel) && !c.Has(FieldEndpoint) && !c.Has(FieldEventType)
	return isDeclared && o.mayHaveMade(o.Remote.Webhook.CreatedDate, clockSkew)
}

// elder waits for an older resource, at once unless a registration was begun: what that made is looked for first.
func elder(o *Observed) (Plan, bool) {
	if o.intentOpen() {
		return Plan{}, false
	}
	return elderAtLast(o)
}

func elderAtLast(o *Observed) (Plan, bool) {
	if o.Elder == "" {
		return Plan{}, false
	}
	return o.conflict(o.Elder, fmt.Sprintf("%s is older and declares a webhook with the same label, "+
		"endpoint and event type for the same Application; change or delete one of the two", o.Elder)), true
}

// leftToAnother: two that declare different webhooks can each have one.
func leftToAnother(o *Observed) (Plan, bool) {
	return Plan{Action: LetGo, WebhookID: o.ID, Trouble: registering()}, o.ID != "" && o.Owner != "" && o.OwnerDiffers
}

func ownedByAnother(o *Observed) (Plan, bool) {
	if o.ID == "" || o.Owner == "" {
		return Plan{}, false
	}
	return o.conflict(o.Owner, fmt.Sprintf(
		"the webhook %s belongs to %s; change or delete one of the two resources", o.ID, o.Owner)), true
}

// conflictGrace is for how long after its creation a resource that conflicts with another one is not stalled: a tool
// that renames a resource creates the new one a moment before it deletes the old one.
const conflictGrace = 30 * time.Second

// conflict waits for another resource. One of another shard may stop to claim the webhook without an event.
func (o *Observed) conflict(claimant, message string) Plan {
	p := stalled(v1alpha1.ReasonConflict, message)
	p.Recheck = o.Settings.PollInterval
	created := o.Object.CreationTimestamp.Time
	grace := created.Add(conflictGrace)
	switch {
	case slices.Contains(o.Leaving, claimant):
		p.Trouble.Stalled = false
	case o.Now.Before(grace) && !created.After(o.Now.Add(clockSkew)):
		p.Trouble.Stalled = false
		p.Recheck = sooner(p.Recheck, o.until(grace))
	}
	return p
}

func refused(o *Observed) (Plan, bool) {
	return Plan{Action: Rest, Trouble: refusedTrouble(o)}, o.Hub.Refused
}

func refusedTrouble(o *Observed) *Trouble {
	ref := o.Object.Spec.APIKeySecretRef
	return &Trouble{
		Condition: v1alpha1.ConditionSynced, Reason: v1alpha1.ReasonAPIKeyRefused, Stalled: true, Event: true,
		Message: fmt.Sprintf("the Hub does not accept the API key in the Secret %q under the key %q; "+
			"put a valid one there, or, if the Hub accepts it by now: "+TriedAgain, ref.Name, ref.Key),
	}
}

func down(o *Observed) (Plan, bool) {
	return Plan{Action: Rest, Trouble: downTrouble(o.Hub.Cause)}, o.Hub.Down
}

func downTrouble(cause string) *Trouble {
	t := pending(v1alpha1.ReasonHubUnavailable,
		"the Hub does not answer, or with faults of its own only; it is asked again until it does")
	t.Unknown = true
	if cause != "" {
		t.Message = fmt.Sprintf("the Hub cannot be used (%s); it is asked again until it can", cause)
	}
	return t
}

func forceOrphan(o *Observed) (Plan, bool) {
	return Plan{
		Action: Forget, WebhookID: o.ID, Trouble: pending(v1alpha1.ReasonRegistering,
			"the webhook was given up by the annotation "+v1alpha1.AnnotationForceOrphan+"; another one is registered"),
	}, o.forcedOrphan()
}

func otherAdopted(o *Observed) (Plan, bool) {
	wanted := o.Object.Spec.Adoption.WebhookID
	if o.ID == "" || wanted == nil || *wanted == o.ID {
		return Plan{}, false
	}
	return stalled(v1alpha1.ReasonAlreadyRegistered, fmt.Sprintf("this resource has the webhook %s, and "+
		"spec.adoption.webhookID names %s; remove that field, or set the annotation %s=%s to leave the one behind and "+
		"adopt the other", o.ID, *wanted, v1alpha1.AnnotationForceOrphan, o.ID)), true
}

func unseen(o *Observed) (Plan, bool) {
	return Plan{Action: Rest, Hold: true, Recheck: min(o.Settings.PollInterval, unseenRecheck)},
		o.ID != "" && o.Remote.Presence == Unseen
}

func applicationChanged(o *Observed) (Plan, bool) {
	if o.ID == "" || o.Remote.Presence != Absent || !o.applicationDoubt() {
		return Plan{}, false
	}
	return stalled(v1alpha1.ReasonApplicationChanged, applicationChangedMessage(o)), true
}

func applicationChangedMessage(o *Observed) string {
	application, _ := o.Application()
	return fmt.Sprintf("the webhook %s is not there for the present API key, which seems to belong to another "+
		"Application than %s, if not to another Hub; put the former key (or --hub-url) back, or set the annotation "+
		"%s=%s to leave that webhook behind",
		o.ID, cmp.Or(application, "before"), v1alpha1.AnnotationForceOrphan, o.ID)
}

func remotelyDeleted(o *Observed) (Plan, bool) {
	return Plan{Action: Forget, WebhookID: o.ID, Trouble: deletedTrouble()}, o.ID != "" && o.Remote.Presence == Absent
}

func deletedTrouble() *Trouble {
	return pending(v1alpha1.ReasonRemotelyDeleted, "the webhook was deleted on the Hub; it is registered anew")
}

func unsettled(o *Observed) (Plan, bool) {
	if o.ID == "" || o.Memory.Unsettled.IsZero() {
		return Plan{}, false
	}
	bar := o.Memory.Unsettled.Add(o.Settings.SettleTime)
	if !o.Remote.SeenAt.Before(bar) {
		return Plan{}, false
	}
	trouble := o.Memory.Trouble
	if trouble == nil {
		trouble = updating() // spec has changed since the call
	}
	if o.Now.Before(bar) {
		return Plan{Action: Rest, Recheck: o.until(bar), Trouble: trouble}, true
	}
	return o.lookAgain(Plan{WebhookID: o.ID, Trouble: trouble}, lookGap), true
}

func requested(o *Observed) (Plan, bool) {
	if !o.requestPending() {
		return Plan{}, false
	}
	if o.ID != "" && o.Remote.SeenAt.Before(o.Memory.Requested) {
		return o.lookAgain(Plan{WebhookID: o.ID, Hold: true}, lookGap), true
	}
	if o.ID == "" && o.Hub.ListedAt.Before(o.Memory.Requested) {
		return Plan{Action: AwaitListing, ListingAfter: o.Memory.Requested, Hold: true}, true
	}
	return Plan{}, false
}

// lookGap is the least time between two observations that a call of unknown outcome or a user's request asks for.
const lookGap = 2 * time.Second

// lookAgain is a plan to look at the webhook, not more often than makes sense: what a look shows may still be the past.
func (o *Observed) lookAgain(p Plan, gap time.Duration) Plan {
	p.Action = Look
	if next := o.Memory.LookedAt.Add(gap); o.Now.Before(next) {
		p.Action, p.Recheck = Rest, o.until(next)
	}
	return p
}

// stalled is a plan to do nothing until somebody acts.
func stalled(reason, message string) Plan {
	return Plan{Action: Rest, Trouble: &Trouble{
		Condition: v1alpha1.ConditionSynced, Reason: reason, Message: message, Stalled: true, Event: true,
	}}
}

// pending is trouble that goes by itself.
func pending(reason, message string) *Trouble {
	return &Trouble{Condition: v1alpha1.ConditionSynced, Reason: reason, Message: message}
}

// list joins ids for a message, and says how many more there are.
func list(ids []string) string {
	const most = 5
	if len(ids) <= most {
		return strings.Join(ids, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(ids[:most], ", "), len(ids)-most)
}
