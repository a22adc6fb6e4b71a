package plan

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// need is a precondition that rules share.
type need struct {
	name string
	// missing returns how to wait for the precondition, and whether it is missing.
	missing func(*Observed) (wait, bool)
}

// wait is how a resource waits for a precondition.
type wait struct {
	// action is what is done meanwhile, Rest by default.
	action       Action
	listingAfter time.Time
	// problem is what is reported, nil for nothing.
	problem *Problem
	recheck time.Duration
	// hold keeps status as it is.
	hold bool
	// deletion is how it is reported while the resource is being deleted.
	deletion deletionWait
}

// deletionWait is how a missing precondition is reported while the resource is being deleted.
type deletionWait int

const (
	// blocks reports DeletionBlocked.
	blocks deletionWait = iota
	// blocksAndOrphans reports DeletionBlocked, and leaves the webhook behind after Settings.OrphanAfter.
	blocksAndOrphans
	// passes reports the problem as it is: the wait is short.
	passes
)

// The preconditions of rules. Each list extends the one before: a rule needs all that the rules before it could need.
var (
	needsKey            = []need{keyUsable}
	needsKeyForRotation = []need{keyUsable, notPausedForSecret}
	needsHub            = append(slices.Clone(needsKey), hubAccepts)
	needsPresence       = append(slices.Clone(needsHub), presenceKnown)
	needsOutcome        = append(slices.Clone(needsPresence), observationFresh, outcomeKnown)
	needsListing        = append(slices.Clone(needsOutcome), listed)
	needsRetry          = append(slices.Clone(needsListing), retryDue)
	needsAcceptedSpec   = append(slices.Clone(needsRetry), specAccepted)
	// needsCall: a call to the Hub that changes something.
	needsCall            = append(slices.Clone(needsAcceptedSpec), notPaused)
	needsSettledRotation = append(slices.Clone(needsAcceptedSpec), rotationSettled)
	needsRotation        = append(slices.Clone(needsSettledRotation), notPausedForSecret)
	// needsDeletion: a DELETE.
	needsDeletion        = append(slices.Clone(needsRetry), notPaused)
	needsDeletionOutcome = append(slices.Clone(needsPresence), retryDue, outcomeKnown, notPaused)
)

// keyRecheck is how soon a missing Secret is read again when its arrival is not watched.
const keyRecheck = time.Minute

// keyUsable: the Secret with the API key exists and holds a key.
var keyUsable = need{"API key usable", func(o *Observed) (wait, bool) {
	return wait{problem: o.Key.Problem, recheck: keyRecheck, deletion: blocksAndOrphans}, o.Key.Problem != nil
}}

// hubAccepts: the Hub answers, and accepts the API key.
var hubAccepts = need{"Hub accepts calls", func(o *Observed) (wait, bool) {
	if o.Hub.Refused {
		return wait{problem: refusedProblem(o), deletion: blocksAndOrphans}, true
	}
	return wait{problem: downProblem(o.Hub.Cause)}, o.Hub.Down
}}

// unseenRecheck is how soon a webhook is observed again of which nothing is known yet.
const unseenRecheck = 5 * time.Second

// presenceKnown: it is known whether the webhook exists. A webhook that the API key of another Application does not
// show may exist.
var presenceKnown = need{"presence of the webhook known", func(o *Observed) (wait, bool) {
	switch {
	case o.ID == "":
		return wait{}, false
	case o.Remote.Presence == Unseen && o.isDeleting() && !o.mustBeSeen():
		return wait{}, false
	case o.Remote.Presence == Unseen:
		w := wait{hold: true, recheck: min(o.Settings.PollInterval, unseenRecheck)}
		return w.unlistable(o), true
	case o.Remote.Presence == Absent && o.mayBeOtherApplication():
		return wait{
			problem:  stalled(v1alpha1.ReasonApplicationChanged, applicationChangedMessage(o)),
			deletion: blocksAndOrphans,
		}, true
	}
	return wait{}, false
}}

// mustBeSeen reports whether a webhook must have been observed before it is deleted: an id that a user wrote into
// status is no reason to delete a webhook.
func (o *Observed) mustBeSeen() bool {
	return o.Unproved || o.Hub.ListedAt.IsZero() || o.mayBeOtherApplication()
}

// observeGap is the least time between two observations that a call of unknown outcome or a user's request asks for.
const observeGap = 2 * time.Second

// observationFresh: the Hub was observed since the last call of unknown outcome has settled, and since the user's
// request.
var observationFresh = need{"observation fresh", func(o *Observed) (wait, bool) {
	if o.isDeleting() {
		return wait{}, false
	}
	bar := o.Local.Unsettled.Add(o.Settings.SettleTime)
	if o.ID != "" && !o.Local.Unsettled.IsZero() && o.Remote.SeenAt.Before(bar) {
		w := wait{problem: cmp.Or(o.Local.Problem, updating())} // spec may have changed since the call
		if w.recheck = o.until(bar); !o.Now.Before(bar) {
			w.action, w.recheck = o.observe(observeGap)
		}
		return w, true
	}
	switch asked := o.Local.Requested; {
	case !o.requestPending():
		return wait{}, false
	case o.ID != "":
		w := wait{hold: true}
		w.action, w.recheck = o.observe(observeGap)
		return w, o.Remote.SeenAt.Before(asked)
	default:
		w := wait{action: AwaitListing, listingAfter: asked, hold: true}
		return w.unlistable(o).paused(o), o.Hub.ListedAt.Before(asked)
	}
}}

// observe returns the action that has the webhook observed, but not more often than after a gap: an observation may
// still show the past.
func (o *Observed) observe(gap time.Duration) (Action, time.Duration) {
	if next := o.Local.ObservedAt.Add(gap); o.Now.Before(next) {
		return Rest, o.until(next)
	}
	return Observe, 0
}

// outcomeKnown: a listing was read that shows the outcome of the last registration.
var outcomeKnown = need{"outcome of the registration known", func(o *Observed) (wait, bool) {
	w := wait{
		action: AwaitListing, listingAfter: o.settled(),
		recheck: o.until(latest(o.settled(), o.Now).Add(o.Settings.PollInterval)),
		problem: pending(v1alpha1.ReasonCreateUnconfirmed, "the outcome of a registration is unknown; it is "+
			"looked up in the Hub's list of webhooks before anything else is done"),
		deletion: passes,
	}
	return w.unlistable(o), o.isOutcomeUnknown()
}}

func (o *Observed) isOutcomeUnknown() bool {
	return o.intentOpen() && o.Hub.ListedAt.Before(o.settled())
}

// listed: the Hub was listed since the resource was first seen. What was registered by hand just before the resource
// was applied must be seen. Where that would cost many calls for each resource, a listing may be that many seconds
// older.
var listed = need{"webhooks listed", func(o *Observed) (wait, bool) {
	isVacuous := o.ID != "" || o.isDeleting() || o.Object.Spec.Adoption.WebhookID != nil
	after := o.Local.SeenAt.Add(-time.Duration(max(o.Hub.ListingCalls-1, 0)) * time.Second)
	if isVacuous || !o.Hub.ListedAt.IsZero() && !o.Hub.ListedAt.Before(after) {
		return wait{}, false
	}
	w := wait{action: AwaitListing, listingAfter: after, hold: true, recheck: o.Settings.PollInterval}
	return w.firstListing(o).unlistable(o).paused(o), true
}}

// longListing is how long a resource waits for the first listing before that is reported.
const longListing = 30 * time.Second

// firstListing reports the first listing where it takes long, and its progress in quarters: each further message is a
// write for each resource.
func (w wait) firstListing(o *Observed) wait {
	if o.Hub.Pages < 2 {
		return w
	}
	if at := o.Local.SeenAt.Add(longListing); o.Now.Before(at) {
		w.recheck = min(w.recheck, o.until(at))
		return w
	}
	quarters := []string{"less than a quarter", "a quarter", "half", "three quarters"}
	read := quarters[min(4*o.Hub.PagesRead/o.Hub.Pages, 3)]
	w.hold, w.problem = false, pending(v1alpha1.ReasonPending, fmt.Sprintf("listing the Application's webhooks on the "+
		"Hub before anything is registered: %s of %d pages is read; this takes as long as the Hub's rate limit, or "+
		"--hub-qps, makes it", read, o.Hub.Pages))
	w.problem.Unknown = true
	return w
}

// unlistable reports a listing that cannot become complete: the Hub shows an entry that cannot be read, which may be
// the webhook that is waited for.
func (w wait) unlistable(o *Observed) wait {
	if o.Hub.Unreadable == "" {
		return w
	}
	w.problem = pending(v1alpha1.ReasonHubUnavailable, fmt.Sprintf("the Hub's list of webhooks cannot be read in full "+
		"(%s); correct or delete that webhook on the Hub; until then nothing is registered or adopted with this "+
		"API key", o.Hub.Unreadable))
	w.problem.Unknown, w.hold, w.deletion = true, false, blocks
	return w
}

// retryDue: no call has failed a moment ago.
var retryDue = need{"retry due", func(o *Observed) (wait, bool) {
	w := wait{problem: o.Local.Problem, recheck: o.until(o.Local.RetryAt)}
	if w.problem != nil && o.isDeleting() && o.refusesDeletion() {
		w.deletion = blocksAndOrphans
	}
	return w, o.Now.Before(o.Local.RetryAt) && !o.requestPending()
}}

// specAccepted: the Hub has not rejected what spec says, or long ago.
var specAccepted = need{"spec accepted by the Hub", func(o *Observed) (wait, bool) {
	return wait{problem: o.Local.Rejected, recheck: o.until(o.Local.RejectedUntil)},
		o.Local.Rejected != nil && !o.requestPending() && o.Now.Before(o.Local.RejectedUntil)
}}

// rotationSettled: a redefinition by another process cannot be carried out any more. It would make a secret stale that
// is stored before, and nothing but the Secret shows it.
var rotationSettled = need{"rotation of another process settled", func(o *Observed) (wait, bool) {
	s := &o.Signing
	if f := o.FormerSecret; f != nil && o.isUnsigned() {
		s = f
	}
	return wait{recheck: o.until(o.rotationSettled(s))}, o.isRotationUnsettled(s)
}}

func (o *Observed) isRotationUnsettled(s *SigningSecret) bool {
	return s.RotationOpen && !o.Local.RotationOwn && o.Now.Before(o.rotationSettled(s))
}

// longPause is how much longer a pause must go on to be reported by a resource that waits for its end. Shorter ones are
// not worth two writes for each of thousands of resources.
const longPause = 30 * time.Second

// notPaused and notPausedForSecret: the Hub has not asked for a long pause. A short one delays the call only.
var (
	notPaused = need{"calls not paused", func(o *Observed) (wait, bool) {
		isNoCall := o.isDeleting() && o.ID == "" && len(o.deletable()) == 0
		return o.pause(v1alpha1.ConditionSynced), o.isPaused() && !isNoCall
	}}
	notPausedForSecret = need{"calls not paused", func(o *Observed) (wait, bool) {
		isDeferred := o.secretBacksOff() && !o.requestPending()
		return o.pause(v1alpha1.ConditionSigningSecretReady), o.isPaused() && !isDeferred
	}}
)

func (o *Observed) isPaused() bool { return o.Hub.PausedUntil.Sub(o.Now) >= longPause }

// pause does not report when the pause ends: each further pause would be another message, and a write for each
// resource.
func (o *Observed) pause(condition string) wait {
	return wait{recheck: o.until(o.Hub.PausedUntil), problem: &Problem{
		Condition: condition, Reason: v1alpha1.ReasonThrottled,
		Message: "rate limited by the Hub (429); calls with this API key resume automatically",
	}}
}

// paused reports a long pause on a resource that waits for a listing and has nothing else to report.
func (w wait) paused(o *Observed) wait {
	if w.problem == nil && o.isPaused() {
		p := o.pause(v1alpha1.ConditionSynced)
		w.problem, w.hold, w.recheck = p.problem, false, sooner(w.recheck, p.recheck)
	}
	return w
}

// await returns the plan to wait for a precondition.
func (o *Observed) await(w wait) Plan {
	p := Plan{
		Action: cmp.Or(w.action, Rest), ListingAfter: w.listingAfter, Problem: w.problem,
		Recheck: w.recheck, Hold: w.hold,
	}
	if p.Action == Observe {
		p.WebhookID = o.ID
	}
	if !o.isDeleting() || w.problem == nil || w.deletion == passes {
		return p
	}
	message := o.orLeave(w.problem.Message)
	if w.deletion == blocks {
		p.Problem = blocked(message)
		return p
	}
	b := o.blockedOrOrphan(message)
	if b.Action == Rest {
		b.Recheck = sooner(b.Recheck, w.recheck)
	}
	return b
}
