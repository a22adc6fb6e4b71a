package simulator

import (
	"net/http"
	"strings"
)

// RefusalError is a call that the Hub does not carry out.
type RefusalError struct {
	// Status is the HTTP status code.
	Status int
	// Messages says what is wrong, one entry each.
	Messages []string
}

// Error gives the messages in one line.
func (r *RefusalError) Error() string { return strings.Join(r.Messages, "; ") }

func invalid(messages ...string) *RefusalError {
	return &RefusalError{Status: http.StatusBadRequest, Messages: messages}
}

func notFound(what string) *RefusalError {
	return &RefusalError{Status: http.StatusNotFound, Messages: []string{what + " not found"}}
}
