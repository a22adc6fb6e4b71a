package plan

import (
	"fmt"
	"strings"
	"time"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
)

// orphanUnknown is the value of the annotation that gives up a webhook whose id is not known.
const orphanUnknown = "unknown"

func notHeld(o *Observed) bool { return !o.held() }

// reportFinalizers: a resource that other finalizers keep must not go on saying that it is Ready.
func reportFinalizers(o *Observed) Plan {
	others := o.Object.Finalizers
	if len(others) == 0 {
		return Plan{Action: Rest, Hold: true}
	}
	return Plan{Action: Rest, Problem: pending(v1alpha1.ReasonPending, fmt.Sprintf("the resource is being deleted and "+
		"the operator has nothing left to do; it stays until these finalizers are removed: %s", list(others)))}
}

// isDeletedByUs reports whether the Hub has answered the deletion, and only the release of the resource failed.
func (o *Observed) isDeletedByUs() bool { return o.ID != "" && o.ID == o.Local.DeletedID }

func isRetained(o *Observed) bool {
	return o.Object.Spec.DeletionPolicy == v1alpha1.DeletionRetain && !o.isDeletedByUs()
}

func retain(o *Observed) Plan {
	return Plan{Action: Release, WebhookID: o.leftBehind(), Unconfirmed: o.intentOpen()}
}

// hasNone reports whether nothing on the Hub is the resource's: it was never registered or is deleted, or belongs to
// another resource.
func hasNone(o *Observed) bool {
	if o.ID != "" {
		return o.Owner != "" || o.isDeletedByUs()
	}
	return !o.intentOpen()
}

func release(*Observed) Plan { return Plan{Action: Release} }

// refusesDeletion reports whether the Hub goes on answering that it will not delete the webhook. A single refusal may
// be about the moment: a deletion may long have waited for a Hub that was down.
func (o *Observed) refusesDeletion() bool {
	reason := o.Local.Problem.Reason
	return (reason == v1alpha1.ReasonForbidden || reason == v1alpha1.ReasonDeletionBlocked) &&
		o.Local.ProblemTime >= o.grace()
}

func hasWebhook(o *Observed) bool { return o.ID != "" }

func deleteWebhook(o *Observed) Plan { return Plan{Action: Delete, WebhookID: o.ID} }

// deletable returns the webhooks that a registration has made that was not confirmed, unless it is not known which of
// them it was.
func (o *Observed) deletable() []hub.Webhook {
	own := o.ownMatches(clockSkew)
	if len(own) > 1 && !o.sweeps() {
		return nil
	}
	return own
}

// deleteOwn deletes what a registration has made that was not confirmed. The resource is released if there is nothing.
func deleteOwn(o *Observed) Plan {
	if own := o.deletable(); len(own) > 0 {
		return Plan{Action: DeleteDuplicate, WebhookID: own[0].ID}
	}
	if own := o.ownMatches(clockSkew); len(own) > 0 {
		ids := make([]string, len(own))
		for i := range own {
			ids[i] = own[i].ID
		}
		return o.blockedOrOrphan(fmt.Sprintf("one of these webhooks belongs to this resource, and it is not known "+
			"which: %s; delete it on the Hub, or set the annotation %s=%s",
			list(ids), v1alpha1.AnnotationForceOrphan, orphanUnknown))
	}
	if p, ok := o.deleteUncertain(); ok {
		return p
	}
	if isOfOtherKey(o) {
		return Plan{Action: Orphan}
	}
	return release(o)
}

// deleteUncertain: a matching webhook that no resource has may still be what a registration of ours has made,
// though the Hub's clock has it a little older than the intent or a good deal younger, or says nothing.
func (o *Observed) deleteUncertain() (Plan, bool) {
	at, intent := o.intent()
	var ids []string
	for _, m := range o.Matches {
		created := m.Webhook.CreatedDate
		if m.Owner == "" && (created.IsZero() || created.After(at.Add(-wrongClock))) {
			ids = append(ids, m.Webhook.ID)
		}
	}
	if !intent || len(ids) == 0 {
		return Plan{}, false
	}
	return o.blockedOrOrphan(fmt.Sprintf("the outcome of a registration is unknown, and it may have made one "+
		"of these webhooks, though the Hub does not say that they were created at that time: %s; delete it "+
		"on the Hub, or set the annotation %s=%s", list(ids), v1alpha1.AnnotationForceOrphan, orphanUnknown)), true
}

// blockedOrOrphan waits for what blocks the deletion, until it has waited long enough.
func (o *Observed) blockedOrOrphan(message string) Plan {
	since := latest(o.Local.KeyProblemSince, o.Settings.ActingSince)
	giveUp := latest(o.Object.DeletionTimestamp.Add(o.Settings.OrphanAfter), since.Add(o.grace()))
	if o.Now.Before(giveUp) {
		return Plan{Action: Rest, Recheck: min(o.until(giveUp), keyRecheck), Problem: blocked(message)}
	}
	return Plan{Action: Orphan, WebhookID: o.leftBehind()}
}

// leftBehind is the webhook that stays when nothing more is done: that of the resource or, while a registration is
// open, the only one that it may have made. It is empty when that is unknown.
func (o *Observed) leftBehind() string {
	if own := o.ownMatches(clockSkew); o.intentOpen() && len(own) == 1 {
		return own[0].ID
	}
	return o.ID
}

// grace is for how long something must have blocked a deletion that was asked for long ago, while the operator or the
// Hub was away.
func (o *Observed) grace() time.Duration { return min(o.Settings.OrphanAfter, time.Minute) }

func blocked(message string) *Problem {
	return &Problem{
		Condition: v1alpha1.ConditionSynced, Reason: v1alpha1.ReasonDeletionBlocked, Event: true,
		Message: "the webhook cannot be deleted on the Hub yet: " + message,
	}
}

// orLeave adds the other way out to a message.
func (o *Observed) orLeave(message string) string {
	if strings.Contains(message, v1alpha1.AnnotationForceOrphan) {
		return message
	}
	id := o.ID
	if id == "" {
		id = orphanUnknown
	}
	return fmt.Sprintf("%s; or set the annotation %s=%s to leave the webhook behind",
		message, v1alpha1.AnnotationForceOrphan, id)
}
