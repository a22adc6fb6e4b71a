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
	// Observe: read the webhook from the Hub.
	Observe Action = "Observe"
	// RestoreMetadata: restore the finalizer, and the annotations of a registration whose outcome is unknown.
	RestoreMetadata Action = "RestoreMetadata"
	// Create: record the intent, register the webhook, store its secret.
	Create Action = "Create"
	// WithdrawIntent: remove the annotations of a registration.
	WithdrawIntent Action = "WithdrawIntent"
	// Adopt: record the existing webhook WebhookID as the resource's.
	Adopt Action = "Adopt"
	// Forget: the webhook is not the resource's any more; register another one.
	Forget Action = "Forget"
	// Yield: leave the webhook WebhookID to the other resource that has it, too.
	Yield Action = "Yield"
	// DeleteYounger: delete the webhook WebhookID, which the resource has registered though an older resource had
	// registered the same, Other.
	DeleteYounger Action = "DeleteYounger"
	// Update: send Changes.
	Update Action = "Update"
	// Verify: send the endpoint again, so that the Hub verifies it.
	Verify Action = "Verify"
	// ReportRotation: write to status that a rotation is in progress.
	ReportRotation Action = "ReportRotation"
	// BeginRotation: record on the Secret that the stored secret may be stale from now on.
	BeginRotation Action = "BeginRotation"
	// Redefine: have the Hub make a new secret, and store it.
	Redefine Action = "Redefine"
	// StoreSecret: store the secret that is held in memory.
	StoreSecret Action = "StoreSecret"
	// PruneSecret: remove the previous secret.
	PruneSecret Action = "PruneSecret"
	// MoveSecret: copy the secret to the Secret that spec names now.
	MoveSecret Action = "MoveSecret"
	// DeleteFormerSecret: delete the Secret that spec named before.
	DeleteFormerSecret Action = "DeleteFormerSecret"
	// DeleteSecret: delete the Secret, as nothing is signed any more.
	DeleteSecret Action = "DeleteSecret"
	// UpdateSecretMetadata: write the labels and annotations from spec to the Secret.
	UpdateSecretMetadata Action = "UpdateSecretMetadata"
	// DeleteDuplicate: delete the webhook WebhookID, which a registration made whose answer was lost.
	DeleteDuplicate Action = "DeleteDuplicate"
	// Delete: delete the webhook WebhookID, and release the resource.
	Delete Action = "Delete"
	// Release: remove the finalizer of the resource.
	Release Action = "Release"
	// Orphan: remove the finalizer, and report that the webhook stays on the Hub.
	Orphan Action = "Orphan"
)

// Plan is what to do, and what to report.
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
	// Changes are the fields that an Update sends.
	Changes Changes
	// Drift: the update corrects what was changed on the Hub.
	Drift bool
	// Nudge: a Verify changes the spelling of the endpoint first, as the Hub may ignore one that does not change.
	Nudge bool
	// Discard: the Hub never signed with the stored secret, and it is not kept as the previous one.
	Discard bool
	// Trigger is why a rotation begins.
	Trigger string
	// Retried: a Create repeats a registration that may have been carried out.
	Retried bool
	// Unconfirmed: a Release leaves behind what a registration of unknown outcome may have made.
	Unconfirmed bool
	// ListingAfter is when the listing must begin that AwaitListing waits for.
	ListingAfter time.Time
	// Recheck is the delay after which the resource is reconciled at the latest, 0 for when something changes.
	Recheck time.Duration
	// Problem is what stands in the way, nil when nothing does.
	Problem *Problem
	// Serves: it may answer the user's request to reconcile, see Served.
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
