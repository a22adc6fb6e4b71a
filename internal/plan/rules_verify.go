package plan

import (
	"time"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

const (
	// firstLook is how soon after a change the Hub is looked at for verification; each further look waits twice as
	// long, up to lastLook, from where on the ordinary poll is often enough.
	firstLook, lastLook = 2 * time.Second, time.Minute
	// firstTrigger is how soon the Hub is made to verify again; each further time waits twice as long, up to
	// lastTrigger.
	firstTrigger, lastTrigger = time.Minute, time.Hour
)

func verify(o *Observed) (Plan, bool) {
	if o.Remote.Presence != Present || o.Remote.Webhook.IsVerified {
		return Plan{}, false
	}
	v := o.Verification()
	p := Plan{WebhookID: o.ID, Nudge: v.Triggers%2 == 1}
	triggerAt := latest(v.Since, v.TriggeredAt).Add(triggerInterval(v.Triggers))
	if o.requestPending() || o.lostVerification() || !o.Now.Before(triggerAt) {
		p.Action = Verify
		return p, true
	}
	interval := firstLook << min(v.Looks, 10)
	lookAt := latest(v.Since, v.LookedAt).Add(interval)
	if interval < min(lastLook, o.Settings.PollInterval) {
		if !o.Now.Before(lookAt) {
			p.Action = Look
			return p, true
		}
		triggerAt = earliest(triggerAt, lookAt)
	}
	p.Action, p.Recheck = Rest, o.until(triggerAt)
	return p, true
}

// VerifyNow is for an endpoint that the Hub is to be made to verify at once.
func VerifyNow(now time.Time) Verification { return Verification{Since: now.Add(-firstTrigger)} }

// Verification is where the attempts stand. After a restart they go on as slowly as the age of the webhook says, so
// that a restart is no reason to try them all at once.
func (o *Observed) Verification() Verification {
	v := o.Memory.Verification
	if !v.Since.IsZero() {
		return v
	}
	if o.lostVerification() {
		v.Since = o.Now
		return v
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

// lostVerification tells whether the endpoint was verified until now, and nobody waits for that yet. Then the Hub is
// made to try at once, however old the webhook is.
func (o *Observed) lostVerification() bool {
	s := &o.Object.Status
	return o.Memory.Verification.Since.IsZero() && s.IsVerified && s.WebhookID == o.ID
}

func triggerInterval(triggers int) time.Duration {
	return min(firstTrigger<<min(triggers, 10), lastTrigger)
}

// verifiedTrouble is why the endpoint does not count as verified, nil when it does.
func verifiedTrouble(o *Observed) *Trouble {
	t := Trouble{Condition: v1alpha1.ConditionVerified}
	switch {
	case o.ID == "":
		t.Reason, t.Unknown = v1alpha1.ReasonPending, true
		t.Message = "the endpoint is verified once the webhook is registered"
	case o.isVerified():
		return nil
	case o.Remote.Presence == Present && o.Verification().Triggers > 0:
		t.Reason, t.Event = v1alpha1.ReasonVerificationFailed, true
		t.Message = "the Hub did not verify the endpoint and is made to try again, ever less often: " + handshake
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
	return o.Object.Status.IsVerified && o.Object.Status.WebhookID == o.ID
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
