package hub

import (
	"fmt"
	"io"
	"net/http"
)

func succeeded(statusCode int) bool { return statusCode >= 200 && statusCode <= 299 }

// classify says what an answer other than a 2xx means. Of a code that is not listed it is unknown what the Hub did.
func classify(statusCode int) (Outcome, Kind) {
	switch statusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return NotApplied, Refused
	case http.StatusNotFound:
		return NotApplied, NotFound
	case http.StatusTooManyRequests:
		return NotApplied, Throttled
	case http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusConflict,
		http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return NotApplied, Invalid
	default:
		return Unknown, Unavailable
	}
}

// answered says in our own words which status the Hub answered with.
func answered(statusCode int) string {
	if statusCode >= 300 && statusCode <= 399 {
		return fmt.Sprintf("the Hub answered %d, a redirect, which is not followed", statusCode)
	}
	return fmt.Sprintf("the Hub answered %d", statusCode)
}

// answeredError is the error for an answer other than a 2xx.
func (c *Client) answeredError(in call, resp *http.Response) *Error {
	outcome, kind := classify(resp.StatusCode)
	// The status is sufficient: a body that is cut off or too long costs the message at most.
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorAnswer))
	return &Error{
		Operation: in.operation, Outcome: outcome, Kind: kind, StatusCode: resp.StatusCode,
		RetryAfter: retryAfter(resp.Header, c.now()),
		Message:    in.sent.with(c.apiKey).message(resp.Header.Get("Content-Type"), body),
		Cause:      answered(resp.StatusCode),
	}
}

// failed is the error for a call that got no answer, or a 2xx that could not be read.
func (c *Client) failed(in call, outcome Outcome, statusCode int, cause string) *Error {
	return &Error{Operation: in.operation, Outcome: outcome, Kind: Unavailable, StatusCode: statusCode, Cause: cause}
}

// notSent is the error for a call that was not even begun, because of what was asked.
func notSent(operation, cause string) *Error {
	return &Error{Operation: operation, Outcome: NotApplied, Kind: Invalid, Cause: cause}
}
