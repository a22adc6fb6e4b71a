package plan

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The order is part of the design: a rule that moves changes which one decides.
func TestTheOrderOfTheRules(t *testing.T) {
	if diff := cmp.Diff([]string{
		"a resource without the operator's finalizer is left alone",
		"a secret that could not be stored is stored",
		"removed finalizers and create intents are restored",
		"an expired previous secret is removed",
		"a suspended resource is left alone",
		"the secret of a webhook that another resource has is marked stale",
		"the webhook of an unconfirmed registration is adopted",
		"of two webhooks registered at once the younger resource deletes its own",
		"a webhook that another resource claims is left to it",
		"a webhook that the user gives up is left behind",
		"a retained webhook is left behind",
		"a resource that has no webhook is released",
		"a resource that has a webhook does not adopt another",
		"a webhook that was deleted on the Hub is forgotten",
		"an existing webhook is adopted",
		"the intent of a rejected registration is withdrawn",
		"a duplicate of a lost answer is deleted",
		"the webhook is deleted",
		"the webhook of an unconfirmed registration is deleted",
		"a registration with another API key is given up",
		"what keeps a registration from starting is reported",
		"a webhook that does not exist is registered",
		"a rotation is recorded before signing is turned on or off",
		"a rotation is reported before the Hub makes a secret",
		"what differs on the Hub is updated",
		"a Secret that is not used is moved or deleted",
		"the signing secret is rotated",
		"the metadata of the Secret is updated",
		"an endpoint that is not verified is verified again",
		"a webhook in sync is left alone",
	}, Rules()); diff != "" {
		t.Errorf("the rules (-want +got):\n%s", diff)
	}
}
