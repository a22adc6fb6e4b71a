package plan

import (
	"time"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
)

const (
	// clockSkew is how far the Hub's clock may be behind ours.
	clockSkew = time.Minute
	// wrongClock is how far a wrong clock of the Hub may be behind ours.
	wrongClock = time.Hour
	// lateCommit is how long after it was sent a registration whose answer was lost may be carried out: no proxy holds
	// a call for longer. A webhook that was created later is another client's.
	lateCommit = time.Hour
	// sweepTime is for how long duplicates of a late registration are deleted: a listing may show one long after.
	sweepTime = 24 * time.Hour
)

// Recorded returns what an annotation records of the registrations that were begun. What a user has removed counts
// while the outcome of a registration is unknown.
func (o *Observed) Recorded(annotation string) (string, bool) {
	if value, ok := o.Object.Annotations[annotation]; ok {
		return value, true
	}
	value, ok := o.Local.Intent[annotation]
	return value, ok
}

// intentRemoved reports whether a user has removed an annotation of a registration whose outcome is unknown.
func (o *Observed) intentRemoved() bool {
	for annotation := range o.Local.Intent {
		if _, ok := o.Object.Annotations[annotation]; !ok {
			return true
		}
	}
	return false
}

// attempt is a recorded registration.
type attempt struct {
	at time.Time
	// isGuess: the recorded time is impossible, and at is the earliest possible one.
	isGuess bool
}

// first returns the first recorded registration, and whether one is recorded. If its time cannot be parsed, is in the
// future, or before the resource's creation, as in a copy of another resource, the creation is the earliest: nothing
// older can be ours.
func (o *Observed) first() (attempt, bool) {
	value, ok := o.Recorded(v1alpha1.AnnotationCreateStartedAt)
	if !ok {
		return attempt{}, false
	}
	created := o.Object.CreationTimestamp.Time
	at, ok := o.past(value)
	return attempt{at: latest(at, created), isGuess: !ok}, true
}

// past parses the time in an annotation, and reports whether it is one, and not in the future.
func (o *Observed) past(value string) (time.Time, bool) {
	at, err := time.Parse(time.RFC3339, value)
	if err != nil || at.After(o.Now.Add(clockSkew)) {
		return time.Time{}, false
	}
	return at, true
}

// intent returns when the first registration was recorded, and whether one was.
func (o *Observed) intent() (time.Time, bool) {
	first, ok := o.first()
	return first.at, ok
}

// intentOpen reports whether a webhook may have been registered whose id is unknown.
func (o *Observed) intentOpen() bool {
	_, ok := o.intent()
	return ok && o.ID == "" && !o.Local.IntentClosed
}

// retried returns when a registration whose answer was lost was last repeated, and whether one was. A time before the
// resource's creation was copied from another resource.
func (o *Observed) retried() (time.Time, bool) {
	value, _ := o.Recorded(v1alpha1.AnnotationCreateRetriedAt)
	at, ok := o.past(value)
	return at, ok && !at.Before(o.Object.CreationTimestamp.Time)
}

// sweeps reports whether a duplicate of a registration that was carried out late may still appear.
func (o *Observed) sweeps() bool {
	at, ok := o.retried()
	return ok && o.Now.Before(at.Add(sweepTime))
}

// mayHaveMade reports whether the registration may have made a webhook that the Hub created at that time.
func (a attempt) mayHaveMade(created time.Time, skew time.Duration) bool {
	return !created.Before(a.at.Add(-skew).Truncate(time.Second)) &&
		(a.isGuess || !created.After(a.at.Add(lateCommit)))
}

// mayHaveMade reports whether the first recorded registration, or the last, may have made a webhook that the Hub
// created at that time. Before the last, a listing has shown that the others had made none.
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

// settled returns when every call of unknown outcome has been carried out or never will be.
func (o *Observed) settled() time.Time {
	// Recorded registrations count, too: the operator of another shard may have sent one a moment ago.
	bar := latest(latest(o.Settings.ActingSince, o.Local.Unsettled), o.Attempted())
	return bar.Add(o.Settings.SettleTime)
}

// Attempted returns when the last recorded registration was begun, rounded up to the second; zero when none is
// recorded.
func (o *Observed) Attempted() time.Time {
	first, ok := o.first()
	if !ok {
		return time.Time{}
	}
	retried, _ := o.retried()
	return latest(first.at, retried).Add(time.Second)
}

// rotationSettled returns when a redefinition that another process sent has been carried out or never will be. That
// process may be of another shard and have begun the rotation a moment ago. A time in the future is ignored, or it
// would be waited for.
func (o *Observed) rotationSettled(s *SigningSecret) time.Time {
	begun := s.RotationStartedAt
	if begun.After(o.Now.Add(clockSkew)) {
		return o.settled()
	}
	return latest(o.settled(), begun.Add(time.Second+o.Settings.SettleTime))
}

// ownMatches returns the matches that a registration of the resource may have made: no resource has them, and they were
// created when it may have been carried out.
func (o *Observed) ownMatches(skew time.Duration) []hub.Webhook {
	var own []hub.Webhook
	for _, m := range o.Matches {
		if m.Owner == "" && o.mayHaveMade(m.Webhook.CreatedDate, skew) {
			own = append(own, m.Webhook)
		}
	}
	return own
}
