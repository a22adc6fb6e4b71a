package plan

import (
	"slices"
	"time"
)

// Action is the one thing to do next.
type Action string

// The actions.
const (
	// Rest: nothing is to be done until something changes or Recheck has passed.
	Rest Action = "Rest"
	// AwaitListing: wait for a listing that begins at ListingAfter or later.
	AwaitListing Action = "AwaitListing"
	// Look: look at the webhook again.
	Look Action = "Look"
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
	// LetGo: leave the webhook WebhookID to the other resource that has it, too.
	LetGo Action = "LetGo"
	// Yield: delete the webhook WebhookID, which the resource has registered though an older one had registered the
	// same, Other.
	Yield Action = "Yield"
	// Update: send Changes.
	Update Action = "Update"
	// Verify: send the endpoint again, so that the Hub tries to verify it.
	Verify Action = "Verify"
	// TellRotation: have status say that a rotation is under way.
	TellRotation Action = "TellRotation"
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
	// Rule is the name of the rule that made the plan.
	Rule   string
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
	// Trouble is what stands in the way, nil when nothing does.
	Trouble *Trouble
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

// ruleFunc makes a plan, or says that it is not about this observation.
type ruleFunc func(*Observed) (Plan, bool)

// Rule is a sentence about when to do what.
type Rule struct {
	// Name is the sentence in short.
	Name   string
	decide ruleFunc
}

// Decide takes the first rule that has something to say.
func Decide(o *Observed) Plan {
	rules := living
	if !o.Object.DeletionTimestamp.IsZero() {
		rules = deleting
	}
	for _, rule := range rules {
		if p, ok := rule.decide(o); ok && !p.isDeferred(o) {
			p.Rule = rule.Name
			return p.unlistable(o).paused(o).complete(o)
		}
	}
	return Plan{Rule: "all is well", Action: Rest}
}

// secretActions are the actions that write the signing Secret, or that lead to a write that must not fail.
var secretActions = []Action{
	BeginRotation, Redefine, StoreSecret, PruneSecret, MoveSecret, DeleteFormerSecret, DeleteSecret,
	UpdateSecretMetadata,
}

// isDeferred reports whether the plan waits for the back-off of the signing Secret, unless the user asks for an
// attempt. The rules that follow are applied meanwhile: spec may be changed, and the endpoint may have to be verified.
func (p Plan) isDeferred(o *Observed) bool {
	return slices.Contains(secretActions, p.Action) && o.secretBacksOff() && !p.isRequested(o)
}

// wantsSecretWrite reports whether a rule would have the signing Secret written, back-off or not.
func (o *Observed) wantsSecretWrite() bool {
	return slices.ContainsFunc(living, func(rule Rule) bool {
		p, ok := rule.decide(o)
		return ok && slices.Contains(secretActions, p.Action)
	})
}

// isRequested reports whether carrying out the plan may answer the user's request to look again.
func (p Plan) isRequested(o *Observed) bool {
	acts := !p.Hold && p.Action != Look && p.Action != AwaitListing || p.Action == DeleteDuplicate
	return o.requestPending() && acts && !o.Object.Spec.Suspend
}

// complete adds what holds whichever rule decided.
func (p Plan) complete(o *Observed) Plan {
	if p.Action == Rest && !p.Hold && o.Object.DeletionTimestamp.IsZero() && !o.Object.Spec.Suspend {
		dates, _ := nextDate(o)
		p.Recheck = sooner(p.Recheck, dates.Recheck)
	}
	if p.Action == Rest && o.Object.DeletionTimestamp.IsZero() {
		if expires := o.Signing.PreviousExpiresAt; o.Signing.HasPrevious && o.Now.Before(expires) {
			p.Recheck = sooner(p.Recheck, o.until(expires))
		}
		p.Recheck = sooner(p.Recheck, max(0, o.Key.ProtectAt.Sub(o.Now)))
		p.Recheck = sooner(p.Recheck, max(0, o.Memory.SecretRetryAt.Sub(o.Now)))
		if o.restsOnSecrets() {
			p.Recheck = sooner(p.Recheck, o.Settings.SecretRecheck)
		}
		if o.Unclaimed {
			p.Recheck = sooner(p.Recheck, claimRecheck)
		}
	}
	p.Serves = p.isRequested(o)
	return p
}

// Served tells whether the user's request to look again is answered once the plan was carried out: when it failed, or
// when nothing comes after it. A change that succeeded may leave the endpoint to be verified.
func (p Plan) Served(failed bool) bool {
	return p.Serves && (failed || p.Action == Rest || p.Action == Verify)
}

// Rules are the names of the rules in their order, for resources that live and for those that are being deleted.
func Rules() (alive, dying []string) {
	for _, r := range living {
		alive = append(alive, r.Name)
	}
	for _, r := range deleting {
		dying = append(dying, r.Name)
	}
	return alive, dying
}

// living is the order of the rules for a resource that lives: first what must not be lost, then whether anything may
// be done, then whether the webhook is there, then whether it is right, then whether it is signed and verified.
var living = []Rule{
	{"a secret that is held in memory is stored before anything else", storeHeld},
	{"a resource that may have a webhook carries the finalizer and the intent", restoreMetadata},
	{"a previous secret goes when its time is over", pruneSecret},
	{"a suspended resource is left alone", suspended},
	{"without an API key nothing can be done", keyTrouble},
	{"a secret counts as dead once another resource has the webhook", doubtSecret},
	{"what was registered besides the webhook of an older resource is deleted", yield},
	{"what an older resource declares is not declared twice", elder},
	{"a webhook that belongs to a resource that declares another one is left to it", leftToAnother},
	{"a webhook that belongs to another resource is not touched", ownedByAnother},
	{"a key that is refused is not used", refused},
	{"a Hub that is down is not called", down},
	{"a webhook that the user gave up is forgotten", forceOrphan},
	{"a resource that has one webhook does not adopt another", otherAdopted},
	{"nothing is decided about a webhook that was not seen yet", unseen},
	{"a webhook that may belong to another Application is not replaced", applicationChanged},
	{"a webhook that was deleted on the Hub is forgotten", remotelyDeleted},
	{"a call of unknown outcome settles, then the Hub is looked at", unsettled},
	{"a user's request is answered with a fresh look", requested},
	{"an intent without a webhook waits for a listing that would show it", openIntent},
	{"the webhook that a lost answer was about is adopted", adoptOwn},
	{"an older resource is waited for when it is known what was registered before", elderAtLast},
	{"the webhook that spec names is adopted, or it is said why not", adoptByID},
	{"nothing is registered before the Hub was listed", unlisted},
	{"a webhook like the one declared is adopted, or it is said why not", adoptMatch},
	{"a call that failed is not repeated at once", backOff},
	{"a second webhook that a lost answer made is deleted", duplicate},
	{"what was written down of a registration that the Hub refused is taken back", withdrawIntent},
	{"what the Hub refused is not sent again soon", rejected},
	{"what may have been registered with another API key is told and given up", otherKey},
	{"a signing Secret that is not ours is told before anything is lost", secretConflict},
	{"headers whose sources are not there are waited for", headerTroubleBeforeCreate},
	{"nothing is registered that cannot be recorded", unrecordable},
	{"a webhook that is not there is registered", create},
	{"a rotation is written down, and one of before settles, before signing is turned on or off", beforeSigning},
	{"nobody is told Ready when the secret stored may die", tellRotation},
	{"what differs on the Hub is put right", update},
	{"the Secret of a webhook that is not signed is deleted", deleteSecret},
	{"a Secret under a new name takes the secret along", moveSecret},
	{"a Secret under its old name is deleted", deleteFormer},
	{"a rotation that was begun is brought to its end", finishRotation},
	{"a secret that is lost is made anew", lostSecret},
	{"a rotation that was requested begins", requestedRotation},
	{"a rotation that is due begins", dueRotation},
	{"the Secret carries the metadata that spec says", secretMetadata},
	{"an endpoint that is not verified is tried again", verify},
	{"the next date is waited for", nextDate},
}

// deleting is the order of the rules for a resource that is being deleted.
var deleting = []Rule{
	{"a resource that the operator does not hold goes", notHeld},
	{"a resource whose webhook was deleted goes", deleted},
	{"a webhook that the user gave up is left behind", forceOrphanDeleting},
	{"a webhook that is to be retained is left behind", retain},
	{"a resource that never had a webhook goes", neverRegistered},
	{"a webhook that belongs to another resource is left to it", ownedByAnotherDeleting},
	{"without a usable API key the deletion waits, and not for ever", keyTroubleDeleting},
	{"a Hub that is down is waited for", downDeleting},
	{"a webhook that may belong to another Application is waited for, and not for ever", applicationChangedDeleting},
	{"a call that failed is not repeated at once", backOffDeleting},
	{"a second webhook that a lost answer made is deleted", duplicate},
	{"nothing is deleted before the Hub was listed", unseenDeleting},
	{"the webhook is deleted", deleteWebhook},
	{"an intent without a webhook waits for a listing that would show it", openIntent},
	{"the webhook that a lost answer was about is deleted", deleteOwn},
	{"what may have been registered with another API key is left behind", otherKeyDeleting},
	{"a resource without a webhook goes", releaseWithout},
}
