package plan

import "slices"

// rule says when to do what. If one of its preconditions is missing, the plan is to wait for that precondition.
type rule struct {
	name  string
	state State
	// phase is the part of the resource's lifecycle in which the rule is considered.
	phase phase
	when  func(*Observed) bool
	// needs are the preconditions, in the order in which a missing one is reported.
	needs []need
	then  func(*Observed) Plan
}

// phase is a part of the lifecycle of a resource.
type phase int

const (
	always phase = iota
	untilDeletion
	inDeletion
)

// rules are considered in this order: first what must not be lost, then whether the webhook is the resource's, then
// whether it exists, then whether it is as declared, signed and verified.
var rules = []rule{
	{
		"a resource without the operator's finalizer is left alone",
		Deleting, inDeletion, notHeld, nil, reportFinalizers,
	},
	{
		"a secret that could not be stored is stored",
		Rotating, untilDeletion, holdsSecret, nil, storeHeld,
	},
	{
		"removed finalizers and create intents are restored",
		Restoring, untilDeletion, lacksMetadata, nil, restoreMetadata,
	},
	{
		"an expired previous secret is removed",
		Rotating, untilDeletion, previousExpired, nil, pruneSecret,
	},
	{
		"a suspended resource is left alone",
		Suspended, untilDeletion, isSuspended, nil, reportSuspended,
	},
	{
		"the secret of a webhook that another resource has is marked stale",
		Rotating, untilDeletion, secretTaken, needsKeyForRotation, markStale,
	},
	{
		"the webhook of an unconfirmed registration is adopted",
		AwaitingConfirmation, untilDeletion, mayHaveRegistered, needsOutcome, adoptOwn,
	},
	{
		"of two webhooks registered at once the younger resource deletes its own",
		Conflicted, untilDeletion, registeredTwice, needsKey, deleteYounger,
	},
	{
		"a webhook that another resource claims is left to it",
		Conflicted, untilDeletion, isClaimed, needsKey, leaveToClaimant,
	},
	{
		"a webhook that the user gives up is left behind",
		Orphaned, always, isGivenUp, nil, giveUp,
	},
	{
		"a retained webhook is left behind",
		Deleting, inDeletion, isRetained, nil, retain,
	},
	{
		"a resource that has no webhook is released",
		Deleting, inDeletion, hasNone, nil, release,
	},
	{
		"a resource that has a webhook does not adopt another",
		Conflicted, untilDeletion, wantsAnother, needsHub, reportOwn,
	},
	{
		"a webhook that was deleted on the Hub is forgotten",
		RemotelyDeleted, untilDeletion, isDeletedRemotely, needsPresence, forgetDeleted,
	},
	{
		"an existing webhook is adopted",
		Unregistered, untilDeletion, mayAdopt, needsListing, adopt,
	},
	{
		"the intent of a rejected registration is withdrawn",
		Unregistered, untilDeletion, isIntentRejected, needsRetry, withdrawIntent,
	},
	{
		"a duplicate of a lost answer is deleted",
		Duplicated, always, hasDuplicate, needsDeletion, deleteDuplicate,
	},
	{
		"the webhook is deleted",
		Deleting, inDeletion, hasWebhook, needsDeletion, deleteWebhook,
	},
	{
		"the webhook of an unconfirmed registration is deleted",
		Deleting, inDeletion, hasNoWebhook, needsDeletionOutcome, deleteOwn,
	},
	{
		"a registration with another API key is given up",
		AwaitingConfirmation, untilDeletion, isOfOtherKey, needsAcceptedSpec, forgetOtherKey,
	},
	{
		"what keeps a registration from starting is reported",
		Unregistered, untilDeletion, cannotRegister, needsAcceptedSpec, reportObstacle,
	},
	{
		"a webhook that does not exist is registered",
		Unregistered, untilDeletion, hasNoWebhook, needsCall, create,
	},
	{
		"a rotation is recorded before signing is turned on or off",
		Rotating, untilDeletion, mustRecordRotation, needsRotation, recordRotation,
	},
	{
		"a rotation is reported before the Hub makes a secret",
		Rotating, untilDeletion, isRotationUnreported, needsAcceptedSpec, reportRotation,
	},
	{
		"what differs on the Hub is updated",
		Drifted, untilDeletion, isDrifted, needsCall, update,
	},
	{
		"a Secret that is not used is moved or deleted",
		SecretMisplaced, untilDeletion, isSecretMisplaced, needsSettledRotation, moveOrDeleteSecret,
	},
	{
		"the signing secret is rotated",
		Rotating, untilDeletion, mustRotate, needsRotation, rotate,
	},
	{
		"the metadata of the Secret is updated",
		SecretMisplaced, untilDeletion, isSecretOutdated, needsAcceptedSpec, updateSecretMetadata,
	},
	{
		"an endpoint that is not verified is verified again",
		AwaitingVerification, untilDeletion, isUnverified, needsAcceptedSpec, verify,
	},
	{
		"a webhook in sync is left alone",
		InSync, untilDeletion, isAnything, needsAcceptedSpec, rest,
	},
}

// Decide returns the plan of the first rule that applies. Rules that write the signing Secret are passed over while it
// backs off: spec may change meanwhile, and the endpoint may have to be verified.
func Decide(o *Observed) Plan {
	for i := range rules {
		r := &rules[i]
		if !r.applies(o) {
			continue
		}
		if p := r.plan(o); !p.isDeferred(o) {
			return p.complete(o)
		}
	}
	return Plan{Rule: "nothing applies", State: InSync, Action: Rest}
}

func (r *rule) applies(o *Observed) bool {
	return (r.phase == always || (r.phase == inDeletion) == o.isDeleting()) && r.when(o)
}

func (r *rule) plan(o *Observed) Plan {
	var p Plan
	need, w, isMissing := r.missing(o)
	if isMissing {
		p = o.await(w)
	} else {
		p = r.then(o)
	}
	p.Rule, p.State, p.Need = r.name, r.state, need
	return p
}

// missing returns the first precondition that is missing.
func (r *rule) missing(o *Observed) (string, wait, bool) {
	for _, n := range r.needs {
		if w, isMissing := n.missing(o); isMissing {
			return n.name, w, true
		}
	}
	return "", wait{}, false
}

// secretActions are the actions that write the signing Secret, or that lead to a write that must not fail.
var secretActions = []Action{
	BeginRotation, Redefine, StoreSecret, PruneSecret, MoveSecret, DeleteFormerSecret, DeleteSecret,
	UpdateSecretMetadata,
}

// isDeferred reports whether the plan waits for the back-off of the signing Secret, unless the user asks for an
// attempt.
func (p Plan) isDeferred(o *Observed) bool {
	return slices.Contains(secretActions, p.Action) && o.secretBacksOff() && !p.isRequested(o)
}

// wantsSecretWrite reports whether a rule would have the signing Secret written, back-off or not.
func (o *Observed) wantsSecretWrite() bool {
	return slices.ContainsFunc(rules, func(r rule) bool {
		return r.phase != inDeletion && r.when(o) && slices.Contains(secretActions, r.then(o).Action)
	})
}

// isRequested reports whether carrying out the plan may answer the user's request to reconcile.
func (p Plan) isRequested(o *Observed) bool {
	acts := !p.Hold && p.Action != Observe && p.Action != AwaitListing || p.Action == DeleteDuplicate
	return o.requestPending() && acts && !o.Object.Spec.Suspend
}

// complete adds what holds whichever rule decided: the next date at which something is due.
func (p Plan) complete(o *Observed) Plan {
	if p.Action == Rest && !o.isDeleting() {
		if !p.Hold && !o.Object.Spec.Suspend {
			p.Recheck = sooner(p.Recheck, o.nextDate())
		}
		if expires := o.Signing.PreviousExpiresAt; o.Signing.HasPrevious && o.Now.Before(expires) {
			p.Recheck = sooner(p.Recheck, o.until(expires))
		}
		p.Recheck = sooner(p.Recheck, max(0, o.Key.ProtectAt.Sub(o.Now)))
		p.Recheck = sooner(p.Recheck, max(0, o.Local.SecretRetryAt.Sub(o.Now)))
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

// Served reports whether the user's request to reconcile is answered once the plan was carried out: when it failed, or
// when nothing comes after it. A change that succeeded may leave the endpoint to be verified.
func (p Plan) Served(failed bool) bool {
	return p.Serves && (failed || p.Action == Rest || p.Action == Verify)
}

// Rules returns the names of the rules in their order.
func Rules() []string {
	names := make([]string, len(rules))
	for i := range rules {
		names[i] = rules[i].name
	}
	return names
}
