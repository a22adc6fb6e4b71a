package plan

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The order is part of the design: a rule that moves changes what wins.
func TestTheOrderOfTheRules(t *testing.T) {
	alive, dying := Rules()
	if diff := cmp.Diff([]string{
		"a secret that is held in memory is stored before anything else",
		"a resource that may have a webhook carries the finalizer and the intent",
		"a previous secret goes when its time is over",
		"a suspended resource is left alone",
		"without an API key nothing can be done",
		"a secret counts as dead once another resource has the webhook",
		"what was registered besides the webhook of an older resource is deleted",
		"what an older resource declares is not declared twice",
		"a webhook that belongs to a resource that declares another one is left to it",
		"a webhook that belongs to another resource is not touched",
		"a key that is refused is not used",
		"a Hub that is down is not called",
		"a webhook that the user gave up is forgotten",
		"a resource that has one webhook does not adopt another",
		"nothing is decided about a webhook that was not seen yet",
		"a webhook that may belong to another Application is not replaced",
		"a webhook that was deleted on the Hub is forgotten",
		"a call of unknown outcome settles, then the Hub is looked at",
		"a user's request is answered with a fresh look",
		"an intent without a webhook waits for a listing that would show it",
		"the webhook that a lost answer was about is adopted",
		"an older resource is waited for when it is known what was registered before",
		"the webhook that spec names is adopted, or it is said why not",
		"nothing is registered before the Hub was listed",
		"a webhook like the one declared is adopted, or it is said why not",
		"a call that failed is not repeated at once",
		"a second webhook that a lost answer made is deleted",
		"what was written down of a registration that the Hub refused is taken back",
		"what the Hub refused is not sent again soon",
		"what may have been registered with another API key is told and given up",
		"a signing Secret that is not ours is told before anything is lost",
		"headers whose sources are not there are waited for",
		"nothing is registered that cannot be recorded",
		"a webhook that is not there is registered",
		"a rotation is written down, and one of before settles, before signing is turned on or off",
		"nobody is told Ready when the secret stored may die",
		"what differs on the Hub is put right",
		"the Secret of a webhook that is not signed is deleted",
		"a Secret under a new name takes the secret along",
		"a Secret under its old name is deleted",
		"a rotation that was begun is brought to its end",
		"a secret that is lost is made anew",
		"a rotation that was requested begins",
		"a rotation that is due begins",
		"the Secret carries the metadata that spec says",
		"an endpoint that is not verified is tried again",
		"the next date is waited for",
	}, alive); diff != "" {
		t.Errorf("for a resource that lives (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"a resource that the operator does not hold goes",
		"a resource whose webhook was deleted goes",
		"a webhook that the user gave up is left behind",
		"a webhook that is to be retained is left behind",
		"a resource that never had a webhook goes",
		"a webhook that belongs to another resource is left to it",
		"without a usable API key the deletion waits, and not for ever",
		"a Hub that is down is waited for",
		"a webhook that may belong to another Application is waited for, and not for ever",
		"a call that failed is not repeated at once",
		"a second webhook that a lost answer made is deleted",
		"nothing is deleted before the Hub was listed",
		"the webhook is deleted",
		"an intent without a webhook waits for a listing that would show it",
		"the webhook that a lost answer was about is deleted",
		"what may have been registered with another API key is left behind",
		"a resource without a webhook goes",
	}, dying); diff != "" {
		t.Errorf("for a resource that is being deleted (-want +got):\n%s", diff)
	}
}
