package plan

import (
	"slices"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
)

// Names of the fields that can differ.
const (
	FieldLabel                  = "label"
	FieldEndpoint               = "endpoint"
	FieldEventType              = "eventType"
	FieldAuthenticationProtocol = "authenticationProtocol"
	FieldScope                  = "scope"
	FieldRequiresSignature      = "requiresSignature"
	FieldHeaders                = "headers"
)

// Changes are the names of the fields that differ, in a fixed order.
type Changes []string

// Has tells whether a field is among the changes.
func (c Changes) Has(field string) bool { return slices.Contains(c, field) }

// Without is the changes less one field.
func (c Changes) Without(field string) Changes {
	return slices.DeleteFunc(slices.Clone(c), func(f string) bool { return f == field })
}

// Diff is what the Hub must be sent so that it holds what spec says, headers apart. A field that the Hub does not show
// is compared with what was last sent; signed is that of requiresSignature.
func Diff(spec *v1alpha1.Chatt2WebhookSpec, applied v1alpha1.AppliedStatus, signed bool, w *hub.Webhook) Changes {
	var c Changes
	differs := func(field string, is bool) {
		if is {
			c = append(c, field)
		}
	}
	label, scope := w.Label.Value, w.Scope.Value
	if !w.Label.Known {
		label = applied.Label
	}
	if !w.Scope.Known {
		scope = applied.Scope
	}
	isLabel := label == spec.Label || hub.NormalLabel(label) == hub.NormalLabel(spec.Label)
	differs(FieldLabel, !isLabel && (w.Label.Known || label != ""))
	differs(FieldEndpoint, w.Endpoint != "" && endpointDiffers(w.Endpoint, spec.Endpoint))
	differs(FieldEventType, w.EventType != "" && w.EventType != string(spec.EventType))
	differs(FieldAuthenticationProtocol, hub.IsNot(w.AuthenticationProtocol, string(Protocol(spec))))
	differs(FieldScope, scope != Value(spec.Scope))
	if w.RequiresSignature.Known {
		signed = w.RequiresSignature.Value
	}
	differs(FieldRequiresSignature, signed != spec.RequiresSignature)
	return c
}

// endpointDiffers reports whether the Hub must be sent the endpoint: it shows another URL, or the spelling that a
// verification sends first, see hub.Respell.
func endpointDiffers(shown, declared string) bool {
	return shown != declared &&
		(hub.NormalEndpoint(shown) != hub.NormalEndpoint(declared) || hub.IsRespelled(shown, declared))
}

// differences is what an update would send now: what differs less what the Hub ignored when it was last sent, unless
// the user asks for another attempt.
func (o *Observed) differences() Changes {
	if o.Remote.Presence != Present {
		return nil
	}
	c := o.plainDifferences()
	if !o.requestPending() {
		c = slices.DeleteFunc(c, o.ignores)
	}
	if o.ForeignSecret() && o.Object.Spec.RequiresSignature {
		// Signing is not turned on while there is no place for the secret.
		c = c.Without(FieldRequiresSignature)
	}
	if o.headersDiffer() && o.Headers.Trouble == nil {
		c = append(c, FieldHeaders)
	}
	return c
}

func (o *Observed) plainDifferences() Changes {
	return Diff(&o.Object.Spec, o.Applied, o.sentSignature(), &o.Remote.Webhook)
}

// sentSignature is what was last sent of requiresSignature. What this process does not remember the Secret tells, under
// its name or the former one: it is there when we have turned signing on, and marked before we turn it off. Where that
// leaves a doubt it is sent, for that changes nothing if it is so already: to turn signing off when status still says
// that there was a Secret, and of a webhook that we have sent nothing yet.
func (o *Observed) sentSignature() bool {
	if sent := o.Memory.RequiresSignature; sent != nil {
		return *sent
	}
	turnsOn, recorded := o.Object.Spec.RequiresSignature, &o.Object.Status
	of := func(s *SigningSecret) bool {
		return s.Exists && s.WebhookID == o.ID && (!turnsOn || !s.RotationOpen)
	}
	return of(&o.Signing) && !o.ForeignSecret() || o.FormerSecret != nil && of(o.FormerSecret) ||
		!turnsOn && (recorded.SigningSecret != nil && recorded.WebhookID == o.ID || o.Applied.HeadersHash == "")
}

// headersDiffer tells whether the headers were not sent as they are now.
func (o *Observed) headersDiffer() bool { return o.Applied.HeadersHash != o.Headers.Hash }

// Protocol is the authentication protocol that spec declares, the default where it says none.
func Protocol(spec *v1alpha1.Chatt2WebhookSpec) v1alpha1.AuthenticationProtocol {
	if spec.AuthenticationProtocol == "" {
		return v1alpha1.NoAuthentication
	}
	return spec.AuthenticationProtocol
}

// Value is what p points to, the zero value for nil.
func Value[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}
