package plan

import (
	"time"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// longPause is how much longer a pause must go on to be told by whoever waits for its end. Shorter ones are not worth
// two writes for each of thousands of resources.
const longPause = 30 * time.Second

// paused has a plan that needs the Hub say so when the Hub asked to make no call for long. What only looks at a webhook
// that is as it should be is not told of.
func (p Plan) paused(o *Observed) Plan {
	if o.Hub.PausedUntil.Sub(o.Now) < longPause {
		return p
	}
	condition := v1alpha1.ConditionSynced
	switch p.Action {
	case AwaitListing:
		if p.Trouble != nil {
			return p // it says more
		}
	case BeginRotation, Redefine:
		condition = v1alpha1.ConditionSigningSecretReady
		p.Action = Rest
	case Create, Update, DeleteDuplicate, Delete:
		p.Action = Rest
	default:
		return p
	}
	// When it ends is not said: each further pause would be another message, and a write for each resource.
	const message = "the Hub asked to slow down; calls with this API key go on by themselves when the pause is over " +
		"that it asked for"
	p.Trouble = &Trouble{Condition: condition, Reason: v1alpha1.ReasonThrottled, Message: message}
	if !o.Object.DeletionTimestamp.IsZero() {
		p.Trouble = blocked(o.orLeave(message))
	}
	p.Hold, p.Recheck = false, sooner(p.Recheck, o.until(o.Hub.PausedUntil))
	return p
}
