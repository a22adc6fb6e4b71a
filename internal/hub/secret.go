package hub

import (
	"fmt"
	"io"
	"log/slog"
	"unique"
)

// redacted is all that a Secret ever shows of itself.
const redacted = "[redacted]"

// Secret is a value that must not be seen: an API key, a signing secret or the value of a header. However it is
// printed or marshalled, it shows as redacted; Reveal is the only way to it. Two secrets are equal (==) when their
// values are. The zero Secret is the empty one.
type Secret struct {
	// A handle, not a string: fmt reads unexported fields by reflection without asking for their methods, and
	// behind a handle it finds an address only. (What follows pointers, as go-cmp's diff does, belongs in tests.)
	handle unique.Handle[string]
}

// NewSecret makes a Secret of value.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{handle: unique.Make(value)}
}

// Reveal is the value itself.
func (s Secret) Reveal() string {
	if s.IsZero() {
		return ""
	}
	return s.handle.Value()
}

// IsZero reports whether the value is empty.
func (s Secret) IsZero() bool { return s == Secret{} }

// Equal reports whether both have the same value. It is what go-cmp compares by.
func (s Secret) Equal(other Secret) bool { return s == other }

// String never shows the value.
func (s Secret) String() string { return redacted }

// GoString never shows the value.
func (s Secret) GoString() string { return redacted }

// GomegaString never shows the value, in a failed assertion either.
func (s Secret) GomegaString() string { return redacted }

// Format never shows the value, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText never shows the value.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON never shows the value.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalYAML never shows the value.
func (s Secret) MarshalYAML() (any, error) { return redacted, nil }

// LogValue never shows the value, to slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalLog never shows the value, to logr.
func (s Secret) MarshalLog() any { return redacted }
