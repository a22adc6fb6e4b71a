package hub

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Outcome is what is known about a call that changes something, once it has ended.
type Outcome int

const (
	// Unknown: the Hub may have carried the call out, or may still do so.
	Unknown Outcome = iota
	// Applied: the Hub carried the call out and its answer was read.
	Applied
	// NotApplied: the Hub did not carry the call out and will not.
	NotApplied
)

// Kind is what a failed call says about the world, for those who decide what to do next.
type Kind int

const (
	// Unavailable: no answer, or one that shows a fault on the way or at the Hub. It may pass.
	Unavailable Kind = iota
	// Refused: the Hub does not accept the API key (401, 403).
	Refused
	// NotFound: there is no such webhook for this API key (404).
	NotFound
	// Invalid: the Hub refuses what was sent (400, 405, 409, 413, 422), or it was not even sent.
	Invalid
	// Throttled: the Hub asks to slow down (429).
	Throttled
)

// Error is a failed call. Its text holds no value that was sent and no secret that was received. errors.Is tells
// whether it ended because its context did (context.Canceled, context.DeadlineExceeded).
type Error struct {
	// Operation is the operationId in openapi.yaml.
	Operation string
	Outcome   Outcome
	Kind      Kind
	// StatusCode is for logs and metrics only, 0 when there was no answer. Decide by Kind and Outcome.
	StatusCode int
	// RetryAfter is how long the Hub asked to wait, 0 when it did not say.
	RetryAfter time.Duration
	// Message is the Hub's message, bounded, in one line, without any value that was sent; empty when nothing of it
	// can be shown.
	Message string
	// Cause says in our own words what happened, such as "timed out".
	Cause string
}

// OutcomeOf is the outcome of a call that ended with err.
func OutcomeOf(err error) Outcome {
	if err == nil {
		return Applied
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Outcome
	}
	return Unknown
}

// IsKind reports whether err is a failed call of that kind.
func IsKind(err error, kind Kind) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Kind == kind
}

// Error says which call failed, how, and the Hub's message of it where that can be shown.
func (e *Error) Error() string {
	text := e.Operation + ": " + e.Cause
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// Is tells a call that its context ended from one that the network ended. The context's error itself is not kept.
func (e *Error) Is(target error) bool {
	return target == context.Canceled && e.Cause == causeCancelled ||
		target == context.DeadlineExceeded && e.Cause == causeTimedOut
}

// WithoutMessage is err without the Hub's message, for where that may repeat what an earlier call sent.
func WithoutMessage(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	silent := *e
	silent.Message = ""
	return &silent
}

// Withholding is err without the Hub's message where that holds one of these secrets or a piece of one, in any form.
func Withholding(err error, secrets ...Secret) error {
	if e, ok := errors.AsType[*Error](err); ok && newLeakDetector(e.Message).holdsAny(secrets) {
		return WithoutMessage(err)
	}
	return err
}

// IsConflict reports whether the Hub refused the call for what else was going on there (409), and may take it later.
func IsConflict(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.StatusCode == http.StatusConflict
}
