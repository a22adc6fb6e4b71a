package simulator

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// FaultKind is what goes wrong with a call.
type FaultKind string

const (
	// DropBeforeCommit closes the connection; nothing was carried out.
	DropBeforeCommit FaultKind = "DropBeforeCommit"
	// DropAfterCommit carries the call out and closes the connection without an answer.
	DropAfterCommit FaultKind = "DropAfterCommit"
	// LateCommit closes the connection and carries the call out after Delay, or at ReleaseLate.
	LateCommit FaultKind = "LateCommit"
	// TooManyRequests answers 429, with RetryAfter or RetryAfterDate where set; nothing was carried out.
	TooManyRequests FaultKind = "TooManyRequests"
	// ErrorBeforeCommit answers Status (500 by default); nothing was carried out.
	ErrorBeforeCommit FaultKind = "ErrorBeforeCommit"
	// ErrorAfterCommit carries the call out and answers Status (500 by default).
	ErrorAfterCommit FaultKind = "ErrorAfterCommit"
	// BadGateway answers Status (502 by default) with a proxy's page of HTML; nothing was carried out.
	BadGateway FaultKind = "BadGateway"
	// Slow carries the call out and answers after Delay.
	Slow FaultKind = "Slow"
	// SlowBytes carries the call out and answers one byte at a time, with Delay between two.
	SlowBytes FaultKind = "SlowBytes"
	// Truncated carries the call out and closes the connection in the middle of the answer.
	Truncated FaultKind = "Truncated"
	// InvalidJSON carries the call out; the answer is no JSON although it says so.
	InvalidJSON FaultKind = "InvalidJSON"
	// EmptyBody carries the call out; the answer has the right status and no body.
	EmptyBody FaultKind = "EmptyBody"
	// Redirect answers Status (307 by default) with Location; nothing was carried out.
	Redirect FaultKind = "Redirect"
	// Refused answers Status (401 by default, 403 being the other one); nothing was carried out.
	Refused FaultKind = "Refused"
	// Echo answers 400 with a message that repeats the API key, headers and body sent; nothing was carried out.
	Echo FaultKind = "Echo"
	// Huge carries the call out and answers with a body of Size bytes (64 MiB by default).
	Huge FaultKind = "Huge"
)

var faultKinds = []FaultKind{
	DropBeforeCommit, DropAfterCommit, LateCommit, TooManyRequests, ErrorBeforeCommit, ErrorAfterCommit, BadGateway,
	Slow, SlowBytes, Truncated, InvalidJSON, EmptyBody, Redirect, Refused, Echo, Huge,
}

// Match chooses calls. A field that is empty chooses all.
type Match struct {
	Method string `json:"method,omitempty"`
	// Operation is an operationId of openapi.yaml.
	Operation string `json:"operation,omitempty"`
	// Path is the beginning of the path.
	Path string `json:"path,omitempty"`
	// Application is an id or a name, Key the name of an API key.
	Application string `json:"application,omitempty"`
	Key         string `json:"key,omitempty"`
	WebhookID   string `json:"webhookId,omitempty"`
}

// Fault is what goes wrong, with which calls and how often.
type Fault struct {
	Kind  FaultKind `json:"kind"`
	Match Match     `json:"match,omitzero"`
	// Skip lets this many matching calls pass first.
	Skip int `json:"skip,omitempty"`
	// Times is how many matching calls it spoils; 0 is every one until it is cleared.
	Times int `json:"times,omitempty"`
	// Delay means what the kind says; any other kind waits that long first.
	Delay Duration `json:"delay,omitempty"`
	// Hold keeps a connection that the kind would close open until the client gives up.
	Hold   bool `json:"hold,omitempty"`
	Status int  `json:"status,omitempty"`
	// RetryAfter is the value of Retry-After, whatever it is.
	RetryAfter string `json:"retryAfter,omitempty"`
	// RetryAfterDate makes Retry-After the HTTP date that far from now.
	RetryAfterDate Duration `json:"retryAfterDate,omitempty"`
	Location       string   `json:"location,omitempty"`
	Size           int64    `json:"size,omitempty"`
}

// AddFault puts f behind the faults that are there. A call meets the first that matches it and is not used up.
// The error says what is wrong with f.
func (s *Simulator) AddFault(f Fault) error {
	if !slices.Contains(faultKinds, f.Kind) {
		return invalid(fmt.Sprintf("fault kind %.40q is unknown", f.Kind))
	}
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		return invalid("a fault's status must be from 200 to 599")
	}
	s.faults.add(f)
	return nil
}

// Faults are those that are not used up, in order.
func (s *Simulator) Faults() []Fault {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	all := []Fault{}
	for _, f := range s.faults.all {
		all = append(all, *f)
	}
	return all
}

// ClearFaults ends all faults. Late calls stay late.
func (s *Simulator) ClearFaults() { s.faults.clear() }

type faultQueue struct {
	mu  sync.Mutex
	all []*Fault
}

func (q *faultQueue) add(f Fault) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.all = append(q.all, &f)
}

func (q *faultQueue) clear() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.all = nil
}

// take gives the fault that c meets, and uses it up.
func (q *faultQueue) take(c *call) (Fault, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, f := range q.all {
		if !f.Match.fits(c) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		taken := *f
		switch f.Times {
		case 0:
		case 1:
			q.all = slices.Delete(q.all, i, i+1)
		default:
			f.Times--
		}
		return taken, true
	}
	return Fault{}, false
}

func (m Match) fits(c *call) bool {
	is := func(wanted string, values ...string) bool { return wanted == "" || slices.Contains(values, wanted) }
	return is(strings.ToUpper(m.Method), c.entry.Method) && is(m.Operation, c.operation.id) &&
		strings.HasPrefix(c.entry.Path, m.Path) && is(m.Application, c.application.ID, c.application.Name) &&
		is(m.Key, c.keyName) && is(m.WebhookID, c.webhookID)
}

// dateIn is an HTTP date.
func (s *Simulator) dateIn(d Duration) string {
	return s.now().Add(durationOf(d)).UTC().Format(http.TimeFormat)
}
