package simulator

import (
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Request is what the Hub remembers of one call. It holds no API key, secret or header value.
type Request struct {
	Number     int       `json:"number"`
	ReceivedAt time.Time `json:"receivedAt"`
	// Committed says that the call changed something, at CommittedAt, be it answered or not.
	Committed   bool      `json:"committed"`
	CommittedAt time.Time `json:"committedAt,omitzero"`
	// AnsweredAt is when the answer began; zero when there was none.
	AnsweredAt time.Time `json:"answeredAt,omitzero"`
	// Operation is the operationId of openapi.yaml; empty for a path or method that is not there.
	Operation string `json:"operation"`
	Method    string `json:"method"`
	Path      string `json:"path"`
	RawQuery  string `json:"rawQuery,omitempty"`
	// Application and Key are names; both are empty for a key that nobody has.
	Application string `json:"application,omitempty"`
	Key         string `json:"key,omitempty"`
	// WebhookID is the webhook asked for, or the one that was made.
	WebhookID string `json:"webhookId,omitempty"`
	UserAgent string `json:"userAgent,omitempty"`
	// Status is 0 when there was no answer.
	Status      int       `json:"status"`
	Fault       FaultKind `json:"fault,omitempty"`
	OffContract string    `json:"offContract,omitempty"`
	// Body is the JSON that was sent, with every header value and unknown value replaced.
	Body map[string]any `json:"body,omitempty"`
}

// Filter chooses among requests.
type Filter func(Request) bool

// ByOperation chooses the requests of one operationId.
func ByOperation(id string) Filter { return func(r Request) bool { return r.Operation == id } }

// ByApplication chooses the requests of the Application of that name.
func ByApplication(name string) Filter { return func(r Request) bool { return r.Application == name } }

// ByWebhook chooses the requests about one webhook.
func ByWebhook(id string) Filter { return func(r Request) bool { return r.WebhookID == id } }

// Since chooses the requests received at t or later.
func Since(t time.Time) Filter { return func(r Request) bool { return !r.ReceivedAt.Before(t) } }

// Committed chooses the requests that changed something.
func Committed(r Request) bool { return r.Committed }

// Mutating chooses the requests that ask for a change, be it carried out or not.
func Mutating(r Request) bool { return r.Operation != "" && r.Method != http.MethodGet }

// maxRequests bounds the log; the oldest half goes when it is full.
const maxRequests = 200_000

type requestLog struct {
	mu     sync.Mutex
	number int
	all    []*Request
}

func (l *requestLog) add(r Request) *Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.all) == maxRequests {
		l.all = slices.Delete(l.all, 0, maxRequests/2)
	}
	l.number++
	r.Number = l.number
	l.all = append(l.all, &r)
	return &r
}

func (l *requestLog) update(r *Request, f func(*Request)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(r)
}

func (l *requestLog) read(r *Request) Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return *r
}

func (l *requestLog) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = nil
}

// Requests are those that every filter chooses, in the order in which they came.
func (s *Simulator) Requests(filters ...Filter) []Request {
	s.requests.mu.Lock()
	defer s.requests.mu.Unlock()
	chosen := []Request{}
	for _, r := range s.requests.all {
		if !slices.ContainsFunc(filters, func(f Filter) bool { return !f(*r) }) {
			chosen = append(chosen, *r)
		}
	}
	return chosen
}

// Count is how many requests of an operationId came.
func (s *Simulator) Count(operation string) int { return len(s.Requests(ByOperation(operation))) }

// Mutations are the requests that ask for a change, be it carried out or not.
func (s *Simulator) Mutations() []Request { return s.Requests(Mutating) }

// ClearRequests forgets the requests so far.
func (s *Simulator) ClearRequests() { s.requests.clear() }

const redacted = "REDACTED"

// plain are the fields of a body whose values may be shown.
var plain = []string{
	"label", "endpoint", "eventType", "authenticationProtocol", "scope", "requiresSignature", "webhookLogIds",
}

// redact gives the body of a request without header values and without what the API does not know.
func redact(body []byte) map[string]any {
	var object map[string]any
	if json.Unmarshal(body, &object) != nil {
		return nil
	}
	for name, value := range object {
		switch {
		case name == "headers":
			object[name] = redactHeaders(value)
		case !slices.Contains(plain, name):
			object[name] = redacted
		}
	}
	return object
}

func redactHeaders(value any) any {
	list, ok := value.([]any)
	if !ok {
		return redacted
	}
	shown := make([]any, 0, len(list))
	for _, entry := range list {
		header, _ := entry.(map[string]any)
		shown = append(shown, map[string]any{"key": header["key"], "value": redacted})
	}
	return shown
}
