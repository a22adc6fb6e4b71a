package receiver

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/chatt2me/webhook-operator/internal/signing"
)

// Reason is why a call was refused.
type Reason string

const (
	// WrongMethod says: it was no POST.
	WrongMethod Reason = "WrongMethod"
	// WrongHeader says: a required header is absent or has another value.
	WrongHeader Reason = "WrongHeader"
	// TooLarge says: the body is above 1 MiB, or the token above 1 KiB.
	TooLarge Reason = "TooLarge"
	// Unreadable says: the body did not arrive whole.
	Unreadable Reason = "Unreadable"
	// NotJSON says: the body is no JSON object.
	NotJSON Reason = "NotJSON"
	// NoSecret says: there is no signing secret to check with.
	NoSecret Reason = "NoSecret"
	// SignatureMissing says: the delivery is not signed.
	SignatureMissing Reason = "SignatureMissing"
	// SignatureMalformed says: the signature header cannot be read.
	SignatureMalformed Reason = "SignatureMalformed"
	// SignatureExpired says: the signature is too far from this clock.
	SignatureExpired Reason = "SignatureExpired"
	// SignatureMismatch says: neither secret gives this signature.
	SignatureMismatch Reason = "SignatureMismatch"
)

// status is what the Hub is told.
func (r Reason) status() int {
	switch r {
	case WrongMethod:
		return http.StatusMethodNotAllowed
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	case Unreadable, NotJSON:
		return http.StatusBadRequest
	case NoSecret:
		return http.StatusServiceUnavailable
	default:
		return http.StatusUnauthorized
	}
}

// reasonOf turns an error of signing.Verify into a reason; nil has none.
func reasonOf(err error) Reason {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, signing.ErrNoSecret):
		return NoSecret
	case errors.Is(err, signing.ErrMissing):
		return SignatureMissing
	case errors.Is(err, signing.ErrExpired):
		return SignatureExpired
	case errors.Is(err, signing.ErrMismatch):
		return SignatureMismatch
	default:
		return SignatureMalformed
	}
}

// event is what is shown of a delivery.
type event struct {
	EventType string `json:"eventType,omitempty"`
	MessageID string `json:"messageId,omitempty"`
}

func readEvent(body []byte) (e event, readable bool) {
	err := json.Unmarshal(body, &e)
	e.EventType = e.EventType[:min(len(e.EventType), maxShown)]
	e.MessageID = e.MessageID[:min(len(e.MessageID), maxShown)]
	return e, err == nil
}

// line is one line of output; its fields are stable.
type line struct {
	Time   string `json:"time"`
	Result string `json:"result"`
	Reason Reason `json:"reason,omitempty"`
	event
}

func (r *Receiver) refuse(w http.ResponseWriter, reason Reason, e event) {
	r.record(line{Result: "refused", Reason: reason, event: e}, func(s *Stats) { s.Refused[string(reason)]++ })
	http.Error(w, string(reason), reason.status())
}

// record counts and tells, before the answer goes out, so that whoever has the answer finds it counted.
func (r *Receiver) record(l line, count func(*Stats)) {
	l.Time = r.now().UTC().Format(time.RFC3339Nano)
	r.mu.Lock()
	defer r.mu.Unlock()
	count(&r.stats)
	if err := json.NewEncoder(r.out).Encode(l); err != nil {
		return // deliveries go on when nobody reads the output
	}
}
