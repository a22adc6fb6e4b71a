package plan

import (
	"time"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
)

const (
	// clockSkew is how much earlier than ours the Hub's clock may be when it says when a webhook was created.
	clockSkew = time.Minute
	// wrongClock is how much earlier than ours a clock of the Hub may be that is wrong.
	wrongClock = time.Hour
	// lateCommit is for how long a registration whose answer was lost is thought capable of being carried out late: no
	// proxy holds a call for longer. What was made later is somebody else's.
	lateCommit = time.Hour
	// sweepTime is for how long what was carried out late is looked for: a listing may show it long after.
	sweepTime = 24 * time.Hour
)

// Recorded is what an annotation says of the registrations that were begun. What somebody has removed counts on while
// one is open.
func (o *Observed) Recorded(annotation string) (string, bool) {
	if value, ok := o.Object.Annotations[annotation]; ok {
		return value, true
	}
	value, ok := o.Memory.Intent[annotation]
	return value, ok
}

// intentRemoved tells whether somebody has removed something that was written down of a registration that is open.
func (o *Observed) intentRemoved() bool {
	for annotation := range o.Memory.Intent {
		if _, ok := o.Object.Annotations[annotation]; !ok {
			return true
		}
	}
	return false
}

// intent is when the registration was written down, and whether it was. A time that cannot be, or cannot be read,
// counts as that of the resource's creation, as does one before it, which was copied from another resource: nothing
// older can be ours.
func (o *Observed) intent() (time.Time, bool) {
	value, ok := o.Recorded(v1alpha1.AnnotationCreateStartedAt)
	if !ok {
		return time.Time{}, false
	}
	at, err := time.Parse(time.RFC3339, value)
	if err != nil || at.After(o.Now.Add(clockSkew)) || at.Before(o.Object.CreationTimestamp.Time) {
		return o.Object.CreationTimestamp.Time, true
	}
	return at, true
}

// intentOpen tells whether a webhook may have been registered that nobody knows the id of.
func (o *Observed) intentOpen() bool {
	_, ok := o.intent()
	return ok && o.ID == "" && !o.Memory.IntentClosed
}

// retried is when a registration was repeated last whose first answer had been lost, and whether one was. A time to come
// that no clock shows counts for nothing.
func (o *Observed) retried() (time.Time, bool) {
	value, _ := o.Recorded(v1alpha1.AnnotationCreateRetriedAt)
	at, err := time.Parse(time.RFC3339, value)
	return at, err == nil && !at.After(o.Now.Add(clockSkew))
}

// sweeps tells whether a webhook too many may still come to light that a registration carried out late has made.
func (o *Observed) sweeps() bool {
	at, ok := o.retried()
	return ok && o.Now.Before(at.Add(sweepTime))
}

// tooLate is when nothing is carried out any more of the last registration that was begun.
func (o *Observed) tooLate() time.Time {
	last, _ := o.intent()
	if at, ok := o.retried(); ok {
		last = latest(last, at)
	}
	return last.Add(lateCommit)
}

// settled is when everything that may be under way without anybody knowing has been carried out or never will be.
func (o *Observed) settled() time.Time {
	// The intent counts, too: the operator of another shard may have written it a moment ago.
	intent, _ := o.intent()
	return latest(latest(o.Settings.ActingSince, o.Memory.Unsettled), intent).Add(o.Settings.SettleTime)
}

// rotationSettled is when a redefinition that another process asked for has been carried out or never will be. That
// one may be of another shard and have begun the rotation a moment ago. A time to come that no clock shows counts for
// nothing, or it would be waited for.
func (o *Observed) rotationSettled() time.Time {
	begun := o.Signing.RotationStartedAt
	if begun.After(o.Now.Add(clockSkew)) {
		return o.settled()
	}
	return latest(o.settled(), begun.Add(o.Settings.SettleTime))
}

// ownMatches are the matches that a registration of ours may have made: they belong to nobody, are no older than the
// intent, and were made before it was too late for that.
func (o *Observed) ownMatches(skew time.Duration) []hub.Webhook {
	at, ok := o.intent()
	if !ok {
		return nil
	}
	earliest, latest := at.Add(-skew).Truncate(time.Second), o.tooLate()
	var own []hub.Webhook
	for _, m := range o.Matches {
		created := m.Webhook.CreatedDate
		if m.Owner == "" && !created.Before(earliest) && !created.After(latest) {
			own = append(own, m.Webhook)
		}
	}
	return own
}
