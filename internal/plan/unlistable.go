package plan

import (
	"fmt"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// unlistable reports why a plan waits for a listing that does not become whole: the Hub shows an entry that cannot be
// read, which may be the very webhook that is looked for.
func (p Plan) unlistable(o *Observed) Plan {
	waitsForListing := p.Action == AwaitListing || p.Hold && o.held() && o.ID != "" && o.Remote.Presence == Unseen
	if o.Hub.Unreadable == "" || !waitsForListing {
		return p
	}
	message := fmt.Sprintf("the Hub's list of webhooks cannot be read in full (%s); correct or delete that webhook on "+
		"the Hub; until then nothing is registered or adopted with this API key", o.Hub.Unreadable)
	p.Trouble, p.Hold = pending(v1alpha1.ReasonHubUnavailable, message), false
	p.Trouble.Unknown = true
	if !o.Object.DeletionTimestamp.IsZero() {
		p.Trouble = blocked(o.orLeave(message))
	}
	return p
}
