package simulator

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Variants is how a deployment of the Hub behaves where its documentation is silent or contradictory. The zero value
// is what is documented or most likely. All of them can be changed while the Hub runs.
type Variants struct {
	// BareLists answers a list as a bare array, without pagination.
	BareLists bool `json:"bareLists,omitempty"`
	// NewestFirst lists webhooks newest first instead of oldest first.
	NewestFirst bool `json:"newestFirst,omitempty"`
	// MaxLimit is the most entries that a page holds whatever limit was asked for; 0 keeps to the asked one.
	MaxLimit int `json:"maxLimit,omitempty"`
	// OmitFields are left out of every answer that holds a webhook, such as label and requiresSignature.
	OmitFields []string `json:"omitFields,omitempty"`
	// Fields are put into every answer that holds a webhook: unknown ones, or known ones with another value.
	Fields map[string]any `json:"fields,omitempty"`
	// FieldsOf are put into every answer that holds a webhook with that label, on top of Fields.
	FieldsOf map[string]map[string]any `json:"fieldsOf,omitempty"`
	// LogFields are put into every answer that holds a delivery log.
	LogFields map[string]any `json:"logFields,omitempty"`
	// LabelUpdate is what a PATCH that carries the label does.
	LabelUpdate LabelUpdate `json:"labelUpdate,omitempty"`
	// NormalizeEndpoint stores an endpoint as a URL parser writes it: host in lower case, no default port, a path of at
	// least / and without dot segments.
	NormalizeEndpoint bool `json:"normalizeEndpoint,omitempty"`
	// NormalizeLabel stores a label without white space at its ends, and with one space for each run of it inside.
	NormalizeLabel bool `json:"normalizeLabel,omitempty"`
	// CreateAnswersOK answers a creation with 200 instead of 201.
	CreateAnswersOK bool `json:"createAnswersOK,omitempty"`
	// OmitSecret leaves the secret out of the answer to the create or PATCH that turned signing on.
	OmitSecret bool `json:"omitSecret,omitempty"`
	// SecretField is the name of the secret in the answer to a create or PATCH; empty means secret.
	SecretField string `json:"secretField,omitempty"`
	// VerifyAfter runs verification this long after the answer; 0 takes 50ms to 2s, which differs between webhooks.
	VerifyAfter Duration `json:"verifyAfter,omitempty"`
	// VerifyBeforeAnswer runs verification before the answer, which then says how it went.
	VerifyBeforeAnswer bool `json:"verifyBeforeAnswer,omitempty"`
	// VerifyChangedOnly passes over a PATCH that carries the endpoint unchanged, instead of verifying again.
	VerifyChangedOnly bool `json:"verifyChangedOnly,omitempty"`
	// HeadersResetVerified makes a PATCH of headers set isVerified to false, without a new verification.
	HeadersResetVerified bool `json:"headersResetVerified,omitempty"`
	// ErrorBody is the shape of the body of an error.
	ErrorBody ErrorBody `json:"errorBody,omitempty"`
	// ReadLag is how far lists and GETs of webhooks lag behind writes.
	ReadLag Duration `json:"readLag,omitempty"`
	// FailedStatus is the status of the log of a failed delivery; empty means Failed, the other known one is Error.
	FailedStatus string `json:"failedStatus,omitempty"`
	// UnansweredNull gives null instead of 0 as the statusCode of a delivery that nobody answered.
	UnansweredNull bool `json:"unansweredNull,omitempty"`
	// ErrorsResetOnSuccess sets numberOfErrors to 0 when a delivery succeeds.
	ErrorsResetOnSuccess bool `json:"errorsResetOnSuccess,omitempty"`
	// DeactivateAfterErrors sets active to false once numberOfErrors has reached it; 0 never does.
	DeactivateAfterErrors int `json:"deactivateAfterErrors,omitempty"`
}

// LabelUpdate is what a PATCH that carries the label does.
type LabelUpdate string

const (
	// LabelApplied takes the new label.
	LabelApplied LabelUpdate = ""
	// LabelIgnored takes everything but the label and says nothing.
	LabelIgnored LabelUpdate = "Ignored"
	// LabelRefused answers 400 and takes nothing.
	LabelRefused LabelUpdate = "Refused"
)

// ErrorBody is the shape of the body of an error.
type ErrorBody string

const (
	// ErrorString has message as a string.
	ErrorString ErrorBody = ""
	// ErrorArray has message as an array of strings.
	ErrorArray ErrorBody = "Array"
	// ErrorNoMessage has no message.
	ErrorNoMessage ErrorBody = "Missing"
	// ErrorHTML is a page of HTML.
	ErrorHTML ErrorBody = "HTML"
)

// Duration is a time.Duration written as text, such as 1500ms.
type Duration time.Duration

// MarshalText writes it as Go does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}

// Set changes one variant by its JSON name. The value is JSON, or plain text for a variant that is text.
func (v *Variants) Set(name, value string) error {
	raw := json.RawMessage(value)
	if !json.Valid(raw) {
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		raw = text
	}
	patch, err := json.Marshal(map[string]json.RawMessage{name: raw})
	if err != nil {
		return err
	}
	return v.Merge(patch)
}

// Merge changes the variants that patch, a JSON object, names, and leaves the others. An unknown name or value is an
// error and changes nothing.
func (v *Variants) Merge(patch []byte) error {
	next := v.clone()
	decoder := json.NewDecoder(strings.NewReader(string(patch)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&next); err != nil {
		return fmt.Errorf("reading variants: %w", err)
	}
	if !slices.Contains([]LabelUpdate{LabelApplied, LabelIgnored, LabelRefused}, next.LabelUpdate) {
		return fmt.Errorf("labelUpdate %q is none of Ignored, Refused and empty", next.LabelUpdate)
	}
	if !slices.Contains([]ErrorBody{ErrorString, ErrorArray, ErrorNoMessage, ErrorHTML}, next.ErrorBody) {
		return fmt.Errorf("errorBody %q is none of Array, Missing, HTML and empty", next.ErrorBody)
	}
	*v = next
	return nil
}

func (v Variants) clone() Variants {
	v.OmitFields = slices.Clone(v.OmitFields)
	v.Fields = maps.Clone(v.Fields)
	v.FieldsOf = maps.Clone(v.FieldsOf)
	v.LogFields = maps.Clone(v.LogFields)
	return v
}
