package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// held reports whether the resource carries the finalizer.
func (o *Observed) held() bool {
	return slices.Contains(o.Object.Finalizers, v1alpha1.WebhookFinalizer)
}

func (o *Observed) isDeleting() bool { return !o.Object.DeletionTimestamp.IsZero() }

func isSuspended(o *Observed) bool { return o.Object.Spec.Suspend }

func reportSuspended(*Observed) Plan {
	return Plan{Action: Rest, Problem: &Problem{
		Condition: v1alpha1.ConditionSynced, Reason: v1alpha1.ReasonSuspended, Unknown: true,
		Message: "spec.suspend is true: nothing is read from the Hub or changed there; set it to false to resume",
	}}
}

// claimRecheck is how soon the API server is asked again who has a webhook.
const claimRecheck = time.Minute

// mayCallNow reports whether a call can be made that other rules do not wait for.
func (o *Observed) mayCallNow() bool {
	return !o.Hub.Refused && !o.Hub.Down && !o.Now.Before(o.Local.RetryAt)
}

// registeredTwice reports whether two resources have registered a webhook at the same moment, each before it could see
// the other: in two shards, or with two API keys of one Application, and this one is the younger. What the resource has
// adopted, or what is not what it declares, stays.
func registeredTwice(o *Observed) bool {
	return o.mayCallNow() && o.OlderClaimant != "" && o.Owner == "" && o.hasMadeIt() && o.claimedMatch() != ""
}

// claimedMatch returns the webhook that the older resource has.
func (o *Observed) claimedMatch() string {
	for _, m := range o.Matches {
		if !m.Former && m.Owner == o.OlderClaimant {
			return m.Webhook.ID
		}
	}
	return ""
}

func deleteYounger(o *Observed) Plan {
	return Plan{Action: DeleteYounger, WebhookID: o.ID, Other: o.claimedMatch(), Hold: true}
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

func isClaimed(o *Observed) bool { return o.OlderClaimant != "" || o.ID != "" && o.Owner != "" }

// leaveToClaimant waits for the other resource, or gives the webhook up to it: two resources that declare different
// webhooks can each have one.
func leaveToClaimant(o *Observed) Plan {
	switch {
	case o.OlderClaimant != "":
		return o.conflict(o.OlderClaimant, fmt.Sprintf("%s is older and declares a webhook with the same label, "+
			"endpoint and event type for the same Application; change or delete one of the two", o.OlderClaimant))
	case o.OwnerDiffers:
		return Plan{Action: Yield, WebhookID: o.ID, Problem: registering()}
	}
	return o.conflict(o.Owner, fmt.Sprintf(
		"the webhook %s belongs to %s; change or delete one of the two resources", o.ID, o.Owner))
}

// conflictGrace is for how long after its creation a resource that conflicts with another one is not stalled: a tool
// that renames a resource creates the new one a moment before it deletes the old one.
const conflictGrace = 30 * time.Second

// conflict waits for another resource. One of another shard may stop to claim the webhook without an event.
func (o *Observed) conflict(claimant, message string) Plan {
	p := Plan{
		Action: Rest, Problem: stalled(v1alpha1.ReasonConflict, message), Recheck: o.Settings.PollInterval,
	}
	created := o.Object.CreationTimestamp.Time
	grace := created.Add(conflictGrace)
	switch {
	case slices.Contains(o.Leaving, claimant):
		p.Problem.Stalled = false
	case o.Now.Before(grace) && !created.After(o.Now.Add(clockSkew)):
		p.Problem.Stalled = false
		p.Recheck = sooner(p.Recheck, o.until(grace))
	}
	return p
}

func refusedProblem(o *Observed) *Problem {
	ref := o.Object.Spec.APIKeySecretRef
	return &Problem{
		Condition: v1alpha1.ConditionSynced, Reason: v1alpha1.ReasonAPIKeyRefused, Stalled: true, Event: true,
		Message: fmt.Sprintf("the Hub does not accept the API key in the Secret %q under the key %q; "+
			"put a valid one there, or, if the Hub accepts it by now: "+TriedAgain, ref.Name, ref.Key),
	}
}

func downProblem(cause string) *Problem {
	t := pending(v1alpha1.ReasonHubUnavailable,
		"the Hub is unreachable or returns server errors; retrying with back-off")
	t.Unknown = true
	if cause != "" {
		t.Message = fmt.Sprintf("the Hub is unreachable or returns server errors (%s); retrying with back-off", cause)
	}
	return t
}

// isGivenUp reports whether the user has given the webhook up. An id that is still there from a webhook given up
// earlier says nothing of a webhook whose id is not known.
func isGivenUp(o *Observed) bool {
	_, intent := o.intent()
	isUnknown := o.isDeleting() && o.ID == "" && intent &&
		o.Object.Annotations[v1alpha1.AnnotationForceOrphan] == orphanUnknown
	return isUnknown || o.forcedOrphan() && !o.isDeletedByUs()
}

func giveUp(o *Observed) Plan {
	if o.isDeleting() {
		return Plan{Action: Orphan, WebhookID: o.ID}
	}
	return Plan{
		Action: Forget, WebhookID: o.ID, Problem: pending(v1alpha1.ReasonRegistering,
			"the webhook was given up by the annotation "+v1alpha1.AnnotationForceOrphan+"; another one is registered"),
	}
}

func wantsAnother(o *Observed) bool {
	wanted := o.Object.Spec.Adoption.WebhookID
	return o.ID != "" && wanted != nil && *wanted != o.ID
}

func reportOwn(o *Observed) Plan {
	return Plan{Action: Rest, Problem: stalled(v1alpha1.ReasonAlreadyRegistered, fmt.Sprintf("this resource has the "+
		"webhook %s, and spec.adoption.webhookID names %s; remove that field, or set the annotation %s=%s to leave "+
		"the one behind and adopt the other",
		o.ID, *o.Object.Spec.Adoption.WebhookID, v1alpha1.AnnotationForceOrphan, o.ID))}
}

func applicationChangedMessage(o *Observed) string {
	application, _ := o.Application()
	return fmt.Sprintf("the webhook %s is not there for the present API key, which seems to belong to another "+
		"Application than %s, if not to another Hub; put the former key (or --hub-url) back, or set the annotation "+
		"%s=%s to leave that webhook behind",
		o.ID, cmp.Or(application, "before"), v1alpha1.AnnotationForceOrphan, o.ID)
}

func isDeletedRemotely(o *Observed) bool { return o.ID != "" && o.Remote.Presence == Absent }

func forgetDeleted(o *Observed) Plan {
	return Plan{Action: Forget, WebhookID: o.ID, Problem: deletedProblem()}
}

func deletedProblem() *Problem {
	return pending(v1alpha1.ReasonRemotelyDeleted, "the webhook was deleted on the Hub; registering it again")
}

// stalled returns a problem that lasts until the user acts.
func stalled(reason, message string) *Problem {
	return &Problem{
		Condition: v1alpha1.ConditionSynced, Reason: reason, Message: message, Stalled: true, Event: true,
	}
}

// pending is problem that goes by itself.
func pending(reason, message string) *Problem {
	return &Problem{Condition: v1alpha1.ConditionSynced, Reason: reason, Message: message}
}

// list joins ids for a message, and says how many more there are.
func list(ids []string) string {
	const most = 5
	if len(ids) <= most {
		return strings.Join(ids, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(ids[:most], ", "), len(ids)-most)
}
