package plan

import (
	"fmt"
	"time"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// orphanUnknown is the value of the annotation that gives up a webhook whose id is not known.
const orphanUnknown = "unknown"

// notHeld: a resource that other finalizers keep must not go on saying that it is Ready.
func notHeld(o *Observed) (Plan, bool) {
	p := Plan{Action: Rest, Hold: true}
	if others := o.Object.Finalizers; len(others) > 0 {
		p.Hold, p.Trouble = false, pending(v1alpha1.ReasonPending, fmt.Sprintf("the resource is being deleted and the "+
			"operator has nothing left to do; it stays until these finalizers are removed: %s", list(others)))
	}
	return p, !o.held()
}

// deleted: the Hub has answered the deletion, and only the release of the resource failed.
func deleted(o *Observed) (Plan, bool) {
	return Plan{Action: Release}, o.ID != "" && o.ID == o.Memory.DeletedID
}

func forceOrphanDeleting(o *Observed) (Plan, bool) {
	_, intent := o.intent()
	given := o.Object.Annotations[v1alpha1.AnnotationForceOrphan]
	// An id that is still there from a webhook given up earlier says nothing of one whose id is not known.
	return Plan{Action: Orphan, WebhookID: o.ID}, o.forcedOrphan() || (o.ID == "" && intent && given == orphanUnknown)
}

func retain(o *Observed) (Plan, bool) {
	return Plan{Action: Release, WebhookID: o.leftBehind(), Unconfirmed: o.intentOpen()},
		o.Object.Spec.DeletionPolicy == v1alpha1.DeletionRetain
}

func neverRegistered(o *Observed) (Plan, bool) {
	_, intent := o.intent()
	return Plan{Action: Release}, o.ID == "" && (!intent || o.Memory.IntentClosed)
}

func ownedByAnotherDeleting(o *Observed) (Plan, bool) {
	return Plan{Action: Release}, o.ID != "" && o.Owner != ""
}

func keyTroubleDeleting(o *Observed) (Plan, bool) {
	t := o.Key.Trouble
	if t == nil && o.Hub.Refused {
		t = refusedTrouble(o)
	}
	if t == nil {
		return Plan{}, false
	}
	return o.blockedOrOrphan(o.orLeave(t.Message)), true
}

func downDeleting(o *Observed) (Plan, bool) {
	return Plan{Action: Rest, Trouble: blocked(o.orLeave(downTrouble(o.Hub.Cause).Message))}, o.Hub.Down
}

func applicationChangedDeleting(o *Observed) (Plan, bool) {
	if o.ID == "" || !o.applicationDoubt() || o.Remote.Presence == Present {
		return Plan{}, false
	}
	if o.Remote.Presence == Unseen {
		return Plan{Action: Rest, Hold: true, Recheck: o.Settings.PollInterval}, true
	}
	return o.blockedOrOrphan(applicationChangedMessage(o)), true
}

func backOffDeleting(o *Observed) (Plan, bool) {
	if !o.Now.Before(o.Memory.RetryAt) || o.requestPending() {
		return Plan{}, false
	}
	p := Plan{Action: Rest, Recheck: o.until(o.Memory.RetryAt)}
	if t := o.Memory.Trouble; t != nil && o.refusesDeletion() {
		blocked := o.blockedOrOrphan(o.orLeave(t.Message))
		blocked.Recheck = sooner(blocked.Recheck, p.Recheck)
		return blocked, true
	}
	if o.Memory.Trouble != nil {
		p.Trouble = blocked(o.orLeave(o.Memory.Trouble.Message))
	}
	return p, true
}

// refusesDeletion tells whether the Hub goes on answering that it will not delete the webhook. A single refusal may be
// about the moment: a deletion may long have waited for a Hub that was down.
func (o *Observed) refusesDeletion() bool {
	reason := o.Memory.Trouble.Reason
	return (reason == v1alpha1.ReasonForbidden || reason == v1alpha1.ReasonDeletionBlocked) &&
		o.Memory.TroubleTime >= o.grace()
}

// unseenDeleting: an id that somebody wrote into status is no reason to delete what was never looked at.
func unseenDeleting(o *Observed) (Plan, bool) {
	return Plan{Action: Rest, Hold: true, Recheck: unseenRecheck},
		o.ID != "" && o.Remote.Presence == Unseen && (o.Unproved || o.Hub.ListedAt.IsZero())
}

func deleteWebhook(o *Observed) (Plan, bool) {
	return Plan{Action: Delete, WebhookID: o.ID}, o.ID != ""
}

func deleteOwn(o *Observed) (Plan, bool) {
	own := o.ownMatches(clockSkew)
	switch {
	case len(own) == 0:
		return o.deleteDoubtful()
	case len(own) == 1 || o.sweeps():
		return Plan{Action: DeleteDuplicate, WebhookID: own[0].ID}, true
	}
	ids := make([]string, len(own))
	for i := range own {
		ids[i] = own[i].ID
	}
	return o.blockedOrOrphan(fmt.Sprintf("one of these webhooks belongs to this resource, and it is not known which: "+
		"%s; delete it on the Hub, or set the annotation %s=%s",
		list(ids), v1alpha1.AnnotationForceOrphan, orphanUnknown)), true
}

// deleteDoubtful: a webhook that is like ours and belongs to nobody may still be what a registration of ours has made,
// though the Hub's clock has it a little older than the intent or a good deal younger, or says nothing.
func (o *Observed) deleteDoubtful() (Plan, bool) {
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
	return o.blockedOrOrphan(fmt.Sprintf("a registration was begun and its end is not known, and it may have made one "+
		"of these webhooks, though the Hub does not say that they were created at that time: %s; delete it "+
		"on the Hub, or set the annotation %s=%s", list(ids), v1alpha1.AnnotationForceOrphan, orphanUnknown)), true
}

func otherKeyDeleting(o *Observed) (Plan, bool) {
	return Plan{Action: Orphan}, o.intentOpen() && o.OtherKey
}

func releaseWithout(_ *Observed) (Plan, bool) { return Plan{Action: Release}, true }

// blockedOrOrphan waits for what blocks the deletion, until it has waited long enough.
func (o *Observed) blockedOrOrphan(message string) Plan {
	since := latest(o.Memory.KeyTroubleSince, o.Settings.ActingSince)
	giveUp := latest(o.Object.DeletionTimestamp.Add(o.Settings.OrphanAfter), since.Add(o.grace()))
	if o.Now.Before(giveUp) {
		return Plan{Action: Rest, Recheck: min(o.until(giveUp), keyRecheck), Trouble: blocked(message)}
	}
	return Plan{Action: Orphan, WebhookID: o.leftBehind()}
}

// leftBehind is the webhook that stays when nothing more is done: that of the resource or, while a registration is
// open, the only one that it seems to have made. It is empty when that is not known.
func (o *Observed) leftBehind() string {
	if own := o.ownMatches(clockSkew); o.intentOpen() && len(own) == 1 {
		return own[0].ID
	}
	return o.ID
}

// grace is for how long something must have blocked a deletion that was asked for long ago, while the operator or the
// Hub was away.
func (o *Observed) grace() time.Duration { return min(o.Settings.OrphanAfter, time.Minute) }

func blocked(message string) *Trouble {
	return &Trouble{
		Condition: v1alpha1.ConditionSynced, Reason: v1alpha1.ReasonDeletionBlocked, Event: true,
		Message: "the webhook cannot be deleted on the Hub yet: " + message,
	}
}

// orLeave adds the other way out to a message.
func (o *Observed) orLeave(message string) string {
	id := o.ID
	if id == "" {
		id = orphanUnknown
	}
	return fmt.Sprintf("%s; or set the annotation %s=%s to leave the webhook behind",
		message, v1alpha1.AnnotationForceOrphan, id)
}
