package plan

import (
	"time"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

const (
	// verifyLag is longer than the Hub takes for a verification and than reads lag behind it. What was observed earlier
	// after a change does not say that the verification failed.
	verifyLag = 5 * time.Second
	// firstTrigger is how soon the Hub is made to verify again; each further time waits twice as long, up to
	// lastTrigger.
	firstTrigger, lastTrigger = time.Minute, time.Hour
	// verifyObserveGap is the least time between two observations that a trigger waits for.
	verifyObserveGap = 10 * time.Second
)

func isUnverified(o *Observed) bool {
	return o.Remote.Presence == Present && !o.Remote.Webhook.IsVerified
}

// verify waits until the connection observes that the Hub has verified the endpoint, and makes the Hub try again. It
// never does so before the Hub was observed since the last change: the verification may have succeeded meanwhile.
func verify(o *Observed) Plan {
	v := o.Verification()
	interval := triggerInterval(v.Triggers)
	lag := interval / 2
	if v.Undone || o.requestPending() {
		interval, lag = verifyLag, verifyLag
	}
	triggerAt := v.Since.Add(interval)
	switch p := (Plan{Action: Verify, WebhookID: o.ID, Nudge: v.Undone || v.Triggers%2 == 1}); {
	case o.Now.Before(triggerAt):
		p.Action, p.Recheck, p.Hold = Rest, o.until(triggerAt), o.requestPending()
		return p
	case o.Remote.SeenAt.Before(v.Since.Add(lag)):
		p.Action, p.Recheck = o.observe(verifyObserveGap)
		p.Hold = o.requestPending()
		return p
	default:
		return p
	}
}

// VerifyNow is for an endpoint whose verification was taken back, as was observed at a time: the Hub is made to verify
// it at once.
func VerifyNow(observed time.Time) Verification {
	return Verification{Since: observed.Add(-verifyLag), Undone: true}
}

// Triggered is for an endpoint that the Hub was made to verify again. What was taken back is tried for the first time
// then.
func (v Verification) Triggered(now time.Time) Verification {
	if v.Undone {
		return Verification{Since: now}
	}
	return Verification{Since: now, Triggers: v.Triggers + 1}
}

// Verification is where the attempts stand. After a restart they go on as slowly as the age of the webhook says, so
// that a restart is no reason to try them all at once; but for an endpoint that was verified until now, as status says.
func (o *Observed) Verification() Verification {
	v := o.Local.Verification
	if !v.Since.IsZero() {
		return v
	}
	if o.wasVerified() {
		return VerifyNow(o.Remote.SeenAt)
	}
	v.Since = o.Settings.ActingSince
	age := o.Now.Sub(o.Remote.Webhook.CreatedDate)
	for n, sum := 0, time.Duration(0); n < 7; n++ {
		if sum += triggerInterval(n); age < sum {
			break
		}
		v.Triggers++
	}
	return v
}

func triggerInterval(triggers int) time.Duration {
	return min(firstTrigger<<min(triggers, 10), lastTrigger)
}

// verifiedProblem is why the endpoint does not count as verified, nil when it does.
func verifiedProblem(o *Observed) *Problem {
	t := Problem{Condition: v1alpha1.ConditionVerified}
	switch {
	case o.ID == "":
		t.Reason, t.Unknown = v1alpha1.ReasonPending, true
		t.Message = "the endpoint is verified once the webhook is registered"
	case o.isVerified():
		return nil
	case o.Remote.Presence == Present && o.Verification().Triggers > 0:
		t.Reason, t.Event = v1alpha1.ReasonVerificationFailed, true
		t.Message = "the Hub has not verified the endpoint; retrying with back-off, or " + tryAtOnce + ": " + handshake
	default:
		t.Reason = v1alpha1.ReasonAwaitingVerification
		t.Message = "the Hub has not verified the endpoint yet: " + handshake
	}
	return &t
}

const handshake = "the endpoint must answer the Hub's POST that carries X-Validation-Token with status 200 and " +
	"exactly that token as the body"

// isVerified is the Hub's word as of the last look.
func (o *Observed) isVerified() bool {
	if o.Remote.Presence == Present {
		return o.Remote.Webhook.IsVerified
	}
	return o.wasVerified()
}

// wasVerified reports what was last observed of the webhook, which status may not say yet.
func (o *Observed) wasVerified() bool {
	s := &o.Object.Status
	if u := o.Unwritten; u != nil && u.WebhookID == o.ID {
		s = u
	}
	return s.IsVerified && s.WebhookID == o.ID
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
