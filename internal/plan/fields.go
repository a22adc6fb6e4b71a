package plan

import (
	"slices"
	"strconv"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
)

// Names of the fields that can differ, as the Hub spells them.
const (
	FieldLabel                  = "label"
	FieldEndpoint               = "endpoint"
	FieldEventType              = "eventType"
	FieldAuthenticationProtocol = "authenticationProtocol"
	FieldScope                  = "scope"
	FieldRequiresSignature      = "requiresSignature"
	// FieldHeaders is never shown, and compared by its hash.
	FieldHeaders = "headers"
)

// field is a field that spec declares and the Hub is sent.
type field struct {
	name string
	// declared returns what spec says, and send puts it into the body of a call.
	declared func(*v1alpha1.Chatt2WebhookSpec) string
	send     func(*hub.WebhookFields, string)
	// shown returns what the Hub shows, and whether it shows the field.
	shown func(*hub.Webhook) (string, bool)
	// remembered returns what was last sent of a field that the Hub does not show, and whether that is known; nil for a
	// field that every Hub shows. remember records it.
	remembered func(*Sent) (string, bool)
	remember   func(*v1alpha1.AppliedStatus, string)
	// differs reports whether the Hub must be sent the declared value; nil compares the bytes.
	differs func(shown, declared string) bool
	// normal returns the form in which the Hub may store a value; nil for the value itself.
	normal func(string) string
}

// Sent is what the Hub was last sent of the fields that it may not show.
type Sent struct {
	Applied           v1alpha1.AppliedStatus
	RequiresSignature bool
}

// fields are compared and sent in this order.
var fields = []field{
	{
		name:     FieldLabel,
		declared: func(s *v1alpha1.Chatt2WebhookSpec) string { return s.Label },
		send:     func(f *hub.WebhookFields, v string) { f.Label = &v },
		shown:    func(w *hub.Webhook) (string, bool) { return w.Label.Value, w.Label.Known },
		// The label of an adopted webhook that the Hub does not show is not known.
		remembered: func(s *Sent) (string, bool) { return s.Applied.Label, s.Applied.Label != "" },
		remember:   func(a *v1alpha1.AppliedStatus, v string) { a.Label = v },
		differs:    func(shown, declared string) bool { return hub.NormalLabel(shown) != hub.NormalLabel(declared) },
		normal:     hub.NormalLabel,
	},
	{
		name:     FieldEndpoint,
		declared: func(s *v1alpha1.Chatt2WebhookSpec) string { return s.Endpoint },
		send:     func(f *hub.WebhookFields, v string) { f.Endpoint = &v },
		shown:    func(w *hub.Webhook) (string, bool) { return w.Endpoint, w.Endpoint != "" },
		differs:  endpointDiffers,
		normal:   hub.NormalEndpoint,
	},
	{
		name:     FieldEventType,
		declared: func(s *v1alpha1.Chatt2WebhookSpec) string { return string(s.EventType) },
		send:     func(f *hub.WebhookFields, v string) { f.EventType = &v },
		shown:    func(w *hub.Webhook) (string, bool) { return w.EventType, w.EventType != "" },
	},
	{
		name:     FieldAuthenticationProtocol,
		declared: func(s *v1alpha1.Chatt2WebhookSpec) string { return string(Protocol(s)) },
		send:     func(f *hub.WebhookFields, v string) { f.AuthenticationProtocol = &v },
		shown: func(w *hub.Webhook) (string, bool) {
			return w.AuthenticationProtocol.Value, w.AuthenticationProtocol.Known
		},
	},
	{
		name:       FieldScope,
		declared:   func(s *v1alpha1.Chatt2WebhookSpec) string { return Value(s.Scope) },
		send:       func(f *hub.WebhookFields, v string) { f.Scope = &v },
		shown:      func(w *hub.Webhook) (string, bool) { return w.Scope.Value, w.Scope.Known },
		remembered: func(s *Sent) (string, bool) { return s.Applied.Scope, true },
		remember:   func(a *v1alpha1.AppliedStatus, v string) { a.Scope = v },
	},
	{
		name:     FieldRequiresSignature,
		declared: func(s *v1alpha1.Chatt2WebhookSpec) string { return strconv.FormatBool(s.RequiresSignature) },
		send:     func(f *hub.WebhookFields, v string) { f.RequiresSignature = new(v == "true") },
		shown: func(w *hub.Webhook) (string, bool) {
			return strconv.FormatBool(w.RequiresSignature.Value), w.RequiresSignature.Known
		},
		remembered: func(s *Sent) (string, bool) { return strconv.FormatBool(s.RequiresSignature), true },
	},
}

// value returns what the Hub has as far as is known, and whether that is known.
func (f *field) value(sent *Sent, w *hub.Webhook) (string, bool) {
	value, ok := f.shown(w)
	if !ok && f.remembered != nil {
		return f.remembered(sent)
	}
	return value, ok
}

// isDifferent reports whether the Hub must be sent what spec says.
func (f *field) isDifferent(spec *v1alpha1.Chatt2WebhookSpec, sent *Sent, w *hub.Webhook) bool {
	value, ok := f.value(sent, w)
	declared := f.declared(spec)
	return ok && value != declared && (f.differs == nil || f.differs(value, declared))
}

// endpointDiffers reports whether the Hub must be sent the endpoint: it shows another URL, or the spelling that a
// verification sends first, see hub.Respell.
func endpointDiffers(shown, declared string) bool {
	return hub.NormalEndpoint(shown) != hub.NormalEndpoint(declared) || hub.IsRespelled(shown, declared)
}

// Changes are the names of fields, in a fixed order.
type Changes []string

// Has reports whether a field is among the changes.
func (c Changes) Has(field string) bool { return slices.Contains(c, field) }

// Without returns the changes less one field.
func (c Changes) Without(field string) Changes {
	return slices.DeleteFunc(slices.Clone(c), func(f string) bool { return f == field })
}

// Diff returns the fields that the Hub must be sent so that it holds what spec says, headers apart. A field that the
// Hub does not show is compared with what was last sent.
func Diff(spec *v1alpha1.Chatt2WebhookSpec, sent Sent, w *hub.Webhook) Changes {
	var c Changes
	for i := range fields {
		if fields[i].isDifferent(spec, &sent, w) {
			c = append(c, fields[i].name)
		}
	}
	return c
}

// UpdateBody returns the body of an update of these fields.
func UpdateBody(spec *v1alpha1.Chatt2WebhookSpec, headers []hub.Header, changes Changes) hub.WebhookFields {
	var body hub.WebhookFields
	for i := range fields {
		if changes.Has(fields[i].name) {
			fields[i].send(&body, fields[i].declared(spec))
		}
	}
	if changes.Has(FieldHeaders) {
		body.Headers = &headers
	}
	return body
}

// CreateBody returns the body of a registration. A scope or headers that spec does not declare are left out.
func CreateBody(spec *v1alpha1.Chatt2WebhookSpec, headers []hub.Header) hub.WebhookFields {
	changes := make(Changes, 0, len(fields)+1)
	for i := range fields {
		changes = append(changes, fields[i].name)
	}
	if spec.Scope == nil {
		changes = changes.Without(FieldScope)
	}
	if len(headers) > 0 {
		changes = append(changes, FieldHeaders)
	}
	return UpdateBody(spec, headers, changes)
}

// Remember records what the Hub has taken of fields that it may not show.
func Remember(applied *v1alpha1.AppliedStatus, spec *v1alpha1.Chatt2WebhookSpec, taken Changes) {
	for i := range fields {
		if f := &fields[i]; f.remember != nil && taken.Has(f.name) {
			f.remember(applied, f.declared(spec))
		}
	}
}

// Protocol returns the authentication protocol that spec declares, the default where it says none.
func Protocol(spec *v1alpha1.Chatt2WebhookSpec) v1alpha1.AuthenticationProtocol {
	if spec.AuthenticationProtocol == "" {
		return v1alpha1.NoAuthentication
	}
	return spec.AuthenticationProtocol
}

// Value returns what p points to, the zero value for nil.
func Value[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}
