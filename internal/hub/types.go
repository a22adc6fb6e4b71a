package hub

import (
	"bytes"
	"encoding/json"
	"time"
)

// Field is a field of an answer that some deployments of the Hub leave out: a field that is absent or null is
// unknown, not empty, and takes no part in matching or comparing.
type Field[T any] struct {
	// Known is whether the answer carried a value.
	Known bool
	// Value is the value, and the zero value while it is not known.
	Value T
}

// Is reports whether the field is known to have the value v.
func Is[T comparable](f Field[T], v T) bool { return f.Known && f.Value == v }

// IsNot reports whether the field is known to have another value than v.
func IsNot[T comparable](f Field[T], v T) bool { return f.Known && f.Value != v }

// UnmarshalJSON takes a value as known, and null or a value of another type as unknown.
func (f *Field[T]) UnmarshalJSON(data []byte) error {
	*f = Field[T]{}
	if bytes.Equal(bytes.TrimSpace(data), []byte("null")) {
		return nil
	}
	f.Known = true
	switch value := any(&f.Value).(type) {
	case *string:
		if text, ok := plainText(data); ok {
			*value = text
			return nil
		}
	case *bool:
		if *value = string(data) == "true"; *value || string(data) == "false" {
			return nil
		}
	}
	if json.Unmarshal(data, &f.Value) != nil {
		*f = Field[T]{}
	}
	return nil
}

// Webhook is a webhook as the Hub shows it. Headers and the signing secret are never part of it. Enumerations are
// strings, for the Hub may know values that we do not.
type Webhook struct {
	// ID is a UUID in lower case.
	ID string
	// ApplicationID is a UUID in lower case, and empty where an entry of a listing has none.
	ApplicationID string
	Active        Field[bool]
	Label         Field[string]
	// EventType and Endpoint are empty where the answer did not carry them as text, which no deployment is known to do.
	EventType              string
	Endpoint               string
	AuthenticationProtocol Field[string]
	// Scope is a pointer inside the field: absent is unknown, null is known to be nil.
	Scope             Scope
	RequiresSignature Field[bool]
	IsVerified        bool
	VerifiedAt        *time.Time
	NumberOfErrors    int64
	// CreatedDate is zero where the answer has none that can be read; the other times are nil then.
	CreatedDate      time.Time
	LastModifiedDate *time.Time
}

// Scope is a webhook's scope, where absent is unknown and null is known to be none.
type Scope struct {
	Known bool
	// Value is empty for no scope.
	Value string
}

// UnmarshalJSON takes null as known to be none, and a value of another type as unknown.
func (s *Scope) UnmarshalJSON(data []byte) error {
	if *s = (Scope{Known: true}); string(data) == "null" {
		return nil
	}
	if json.Unmarshal(data, &s.Value) != nil {
		*s = Scope{}
	}
	return nil
}

// Header is an HTTP header that the Hub sends with each delivery. Its value is never shown again.
type Header struct {
	Key   string
	Value Secret
}

// WebhookFields are the fields that createWebhook and updateWebhook are sent. A field that is nil is left out: an
// update leaves it as it is.
type WebhookFields struct {
	Label                  *string
	Endpoint               *string
	EventType              *string
	AuthenticationProtocol *string
	// Scope sets the scope; an empty one is sent as null.
	Scope *string
	// Headers replace the whole list; an empty list removes all.
	Headers           *[]Header
	RequiresSignature *bool
}

// Page is a window of a listing.
type Page struct {
	Offset, Limit int
}

// MaxPageLimit is the largest Limit of a Page that the Hub takes.
const MaxPageLimit = 50

// WebhookPage is one page of listWebhooks.
type WebhookPage struct {
	// Webhooks are the entries in their order.
	Webhooks []Webhook
	// Unreadable says, by index in Webhooks, of which entries the id, or what a webhook is recognised by (label,
	// endpoint, event type), could not be read. Nothing but the ID of such an entry means anything, and where the Hub's
	// id could not be read, that is a text of our own which differs from entry to entry.
	Unreadable map[int]string
	// Total is the number of webhooks of the Application at that moment.
	Total int
	// Paged is false where an older deployment answered with a bare array, which does not say whether there is more.
	Paged bool
}
