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
	value, ok := o.Local.Intent[annotation]
	return value, ok
}

// intentRemoved reports whether somebody has removed something that was written down of a registration that is open.
func (o *Observed) intentRemoved() bool {
	for annotation := range o.Local.Intent {
		if _, ok := o.Object.Annotations[annotation]; !ok {
			return true
		}
	}
	return false
}

// attempt is a registration that is written down.
type attempt struct {
	at time.Time
	// isGuess: what is written down cannot be when it was begun, and at is the earliest that it can be.
	isGuess bool
}

// first is the first registration that is written down, and whether one is. If its time cannot be read, or no clock
// shows it yet, the resource's creation is the earliest, as it is of one from before that, which was copied from
// another resource: nothing older can be ours.
func (o *Observed) first() (attempt, bool) {
	value, ok := o.Recorded(v1alpha1.AnnotationCreateStartedAt)
	if !ok {
		return attempt{}, false
	}
	created := o.Object.CreationTimestamp.Time
	at, ok := o.past(value)
	return attempt{at: latest(at, created), isGuess: !ok}, true
}

// past is the time that an annotation says, and whether it does and a clock may have shown it.
func (o *Observed) past(value string) (time.Time, bool) {
	at, err := time.Parse(time.RFC3339, value)
	if err != nil || at.After(o.Now.Add(clockSkew)) {
		return time.Time{}, false
	}
	return at, true
}

// intent is when the first registration was written down, and whether one was.
func (o *Observed) intent() (time.Time, bool) {
	first, ok := o.first()
	return first.at, ok
}

// intentOpen reports whether a webhook may have been registered that nobody knows the id of.
func (o *Observed) intentOpen() bool {
	_, ok := o.intent()
	return ok && o.ID == "" && !o.Local.IntentClosed
}

// retried is when a registration was repeated last whose first answer had been lost, and whether one was: not before
// the resource was created, which another one has done that it was copied from.
func (o *Observed) retried() (time.Time, bool) {
	value, _ := o.Recorded(v1alpha1.AnnotationCreateRetriedAt)
	at, ok := o.past(value)
	return at, ok && !at.Before(o.Object.CreationTimestamp.Time)
}

// sweeps reports whether a webhook too many may still come to light that a registration carried out late has made.
func (o *Observed) sweeps() bool {
	at, ok := o.retried()
	return ok && o.Now.Before(at.Add(sweepTime))
}

// mayHaveMade reports whether the registration may have made what the Hub created at a time.
func (a attempt) mayHaveMade(created time.Time, skew time.Duration) bool {
	return !created.Before(a.at.Add(-skew).Truncate(time.Second)) &&
		(a.isGuess || !created.After(a.at.Add(lateCommit)))
}

// mayHaveMade reports whether the first registration that is written down, or the last, may have made what the Hub
// created at a time. Before the last a listing has shown that nothing had come of the others.
func (o *Observed) mayHaveMade(created time.Time, skew time.Duration) bool {
	first, ok := o.first()
	if !ok {
		return false
	}
	retried, isRetried := o.retried()
	return first.mayHaveMade(created, skew) || isRetried && attempt{at: retried}.mayHaveMade(created, skew)
}

// MayHaveMade reports whether a registration that is recorded on a resource may have made what the Hub created at a
// time.
func MayHaveMade(object *v1alpha1.Chatt2Webhook, created, now time.Time) bool {
	o := Observed{Object: object, Now: now}
	return o.mayHaveMade(created, clockSkew)
}

// settled is when everything that may be under way without anybody knowing has been carried out or never will be.
func (o *Observed) settled() time.Time {
	// What is written down counts, too: the operator of another shard may have done that a moment ago.
	bar := latest(latest(o.Settings.ActingSince, o.Local.Unsettled), o.Attempted())
	return bar.Add(o.Settings.SettleTime)
}

// Attempted is when the last registration was begun that is written down, zero when none is. The time there is cut to
// the second, and this is not before it.
func (o *Observed) Attempted() time.Time {
	first, ok := o.first()
	if !ok {
		return time.Time{}
	}
	retried, _ := o.retried()
	return latest(first.at, retried).Add(time.Second)
}

// rotationSettled is when a redefinition that another process asked for has been carried out or never will be. That
// one may be of another shard and have begun the rotation a moment ago. A time to come that no clock shows counts for
// nothing, or it would be waited for.
func (o *Observed) rotationSettled(s *SigningSecret) time.Time {
	begun := s.RotationStartedAt
	if begun.After(o.Now.Add(clockSkew)) {
		return o.settled()
	}
	return latest(o.settled(), begun.Add(time.Second+o.Settings.SettleTime))
}

// ownMatches are the matches that a registration of ours may have made: they belong to nobody, and were created when
// that may have been carried out.
func (o *Observed) ownMatches(skew time.Duration) []hub.Webhook {
	var own []hub.Webhook
	for _, m := range o.Matches {
		if m.Owner == "" && o.mayHaveMade(m.Webhook.CreatedDate, skew) {
			own = append(own, m.Webhook)
		}
	}
	return own
}
