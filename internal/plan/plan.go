package plan

import "time"

// Action is the one thing to do next.
type Action string

// The actions.
const (
	// Rest: nothing is to be done until something changes or Recheck has passed.
	Rest Action = "Rest"
	// AwaitListing: wait for a listing that begins at ListingAfter or later.
	AwaitListing Action = "AwaitListing"
	// Observe: look at the webhook again.
	Observe Action = "Observe"
	// RestoreMetadata: put back the finalizer that the resource of a webhook must carry, and what was written down of a
	// registration that is open.
	RestoreMetadata Action = "RestoreMetadata"
	// Create: write the intent, register the webhook, store its secret.
	Create Action = "Create"
	// WithdrawIntent: remove what was written down of a registration.
	WithdrawIntent Action = "WithdrawIntent"
	// Adopt: take the webhook WebhookID for the resource.
	Adopt Action = "Adopt"
	// Forget: the webhook is not the resource's any more; register anew.
	Forget Action = "Forget"
	// Yield: leave the webhook WebhookID to the other resource that has it, too.
	Yield Action = "Yield"
	// DeleteYounger: delete the webhook WebhookID, which the resource has registered though an older one had registered
	// the same, Other.
	DeleteYounger Action = "DeleteYounger"
	// Update: send Changes.
	Update Action = "Update"
	// Verify: send the endpoint again, so that the Hub tries to verify it.
	Verify Action = "Verify"
	// ReportRotation: have status say that a rotation is under way.
	ReportRotation Action = "ReportRotation"
	// BeginRotation: write down that the secret stored may be dead from now on.
	BeginRotation Action = "BeginRotation"
	// Redefine: have a new secret made and store it.
	Redefine Action = "Redefine"
	// StoreSecret: store the secret that is held in memory.
	StoreSecret Action = "StoreSecret"
	// PruneSecret: remove the previous secret.
	PruneSecret Action = "PruneSecret"
	// MoveSecret: write the secret to the name that spec says now.
	MoveSecret Action = "MoveSecret"
	// DeleteFormerSecret: delete the Secret of the name that spec said before.
	DeleteFormerSecret Action = "DeleteFormerSecret"
	// DeleteSecret: delete the Secret, for nothing is signed any more.
	DeleteSecret Action = "DeleteSecret"
	// UpdateSecretMetadata: put the labels and annotations from spec on the Secret.
	UpdateSecretMetadata Action = "UpdateSecretMetadata"
	// DeleteDuplicate: delete the webhook WebhookID, which a registration made whose answer was lost.
	DeleteDuplicate Action = "DeleteDuplicate"
	// Delete: delete the webhook WebhookID, and release the resource.
	Delete Action = "Delete"
	// Release: let the resource go.
	Release Action = "Release"
	// Orphan: let the resource go, and tell that its webhook is left on the Hub.
	Orphan Action = "Orphan"
)

// Plan is what to do, and what to say of it.
type Plan struct {
	// Rule is the name of the rule that made the plan, and State the state that it is about.
	Rule  string
	State State
	// Need is the precondition of the rule that is missing, empty if none is.
	Need   string
	Action Action
	// WebhookID is the webhook that the action is about.
	WebhookID string
	// Other is the webhook that makes that one a duplicate.
	Other string
	// Changes is what an Update sends.
	Changes Changes
	// Drift: the change puts right what was changed on the Hub.
	Drift bool
	// Nudge: a Verify changes the spelling of the endpoint, for the Hub may not look at one that is the same.
	Nudge bool
	// Discard: the secret stored is not one that the Hub ever signed with, and is not kept as the previous one.
	Discard bool
	// Trigger is why a rotation begins.
	Trigger string
	// Retried: a Create repeats a registration that may have been carried out.
	Retried bool
	// Unconfirmed: a Release leaves behind what a registration may have made whose end is not known.
	Unconfirmed bool
	// ListingAfter is when the listing must begin that AwaitListing waits for.
	ListingAfter time.Time
	// Recheck is when to look at the resource again at the latest, 0 for when something changes.
	Recheck time.Duration
	// Problem is what stands in the way, nil when nothing does.
	Problem *Problem
	// Serves: it may answer the user's request to look again, see Served.
	Serves bool
	// Hold: nothing is known yet, status stays as it is.
	Hold bool
}

// The triggers of a rotation.
const (
	TriggerSchedule = "schedule"
	TriggerRequest  = "request"
	TriggerLoss     = "loss"
	TriggerRecovery = "recovery"
)
