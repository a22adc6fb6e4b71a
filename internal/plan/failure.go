package plan

import (
	"errors"
	"time"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
)

// Disposition is where a call that failed leads.
type Disposition int

const (
	// Retry: the call is made again after a while.
	Retry Disposition = iota
	// Settle: the outcome of the call is unknown; it settles, then the Hub is observed.
	Settle
	// Stall: the call is not retried until the user acts.
	Stall
	// AwaitProbe: it is not known yet whether this call alone was refused or every call with the key. It is made again
	// after a while, should it be this call alone.
	AwaitProbe
	// Reobserve: the world is not as it was thought to be.
	Reobserve
)

// FailedCall decides what a failed call to the Hub leads to, and what is reported of it.
func FailedCall(action Action, err error) (Disposition, *Problem) {
	condition := v1alpha1.ConditionSynced
	if action == Redefine {
		condition = v1alpha1.ConditionSigningSecretReady
	}
	e, ok := errors.AsType[*hub.Error](err)
	if !ok {
		// Of an error that is not the client's it is not known what the Hub did.
		e = &hub.Error{Kind: hub.Unavailable, Outcome: hub.Unknown}
	}
	switch {
	case e.Kind == hub.Invalid && (action == Delete || action == DeleteDuplicate):
		return Retry, pending(v1alpha1.ReasonDeletionBlocked, "the Hub refuses the deletion"+said(e)+"; "+TriedAgain)
	case e.Kind == hub.Invalid && (action == Redefine || hub.IsConflict(e)):
		// It is not about what spec says.
		return Retry, &Problem{
			Condition: condition, Reason: v1alpha1.ReasonForbidden, Event: true,
			Message: "the Hub does not allow this call now" + said(e) + "; " + TriedAgain,
		}
	case e.Kind == hub.Invalid:
		return Stall, &Problem{
			Condition: condition, Reason: v1alpha1.ReasonRejected, Stalled: true, Event: true,
			Message: rejectedMessage(e),
		}
	case e.Kind == hub.NotFound && action != Create:
		return Reobserve, nil
	case e.Kind == hub.Throttled:
		return Retry, &Problem{
			Condition: condition, Reason: v1alpha1.ReasonThrottled,
			Message: "rate limited by the Hub (429); the call is retried automatically when the Hub allows it",
		}
	case e.Kind == hub.Refused:
		return AwaitProbe, &Problem{
			Condition: condition, Reason: v1alpha1.ReasonForbidden, Event: true,
			Message: "the Hub accepts the API key but does not allow this call with it; look at what the key may do " +
				"and at the limits of the Application; " + TriedAgain,
		}
	}
	return unansweredCall(action, condition, e.Outcome)
}

// tryAtOnce says how the user has something tried at once, and TriedAgain that it is tried later, too.
const (
	tryAtOnce  = "at once when the annotation " + v1alpha1.AnnotationReconcileRequestedAt + " is set to a new value"
	TriedAgain = "it is tried again within some minutes, or " + tryAtOnce
)

// unansweredCall is about a call that the Hub did not answer, or with a fault of its own.
func unansweredCall(action Action, condition string, outcome hub.Outcome) (Disposition, *Problem) {
	disposition := Retry
	if outcome == hub.Unknown && action != Delete && action != DeleteDuplicate {
		disposition = Settle
	}
	t := &Problem{
		Condition: condition, Reason: v1alpha1.ReasonHubUnavailable, Unknown: true,
		Message: "the Hub did not carry out the last call, or its answer was lost; the call is repeated if need be",
	}
	if action == Create && disposition == Settle {
		t.Reason, t.Unknown = v1alpha1.ReasonCreateUnconfirmed, false
		t.Message = "the answer to a registration was lost; its outcome is looked up in the Hub's list of webhooks " +
			"before anything else is done"
	}
	return disposition, t
}

// RejectedTime is how soon a call that the Hub refused is made again though nothing was changed: what it refuses it may
// come to accept.
const RejectedTime = time.Hour

// said returns the Hub's message, for the end of a sentence.
func said(e *hub.Error) string {
	if e.Message == "" {
		return ""
	}
	return ": " + e.Message
}

func rejectedMessage(e *hub.Error) string {
	return "the Hub refused what spec says" + said(e) + "; correct it, or, if the Hub takes it by now: it is sent " +
		"again within the hour, or " + tryAtOnce
}

// BackOff is how long to wait after the n-th failure in a row, counted from 1.
func BackOff(n int) time.Duration {
	const first, most = time.Second, 5 * time.Minute
	return min(first<<min(max(n-1, 0), 20), most)
}
