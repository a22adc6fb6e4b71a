package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Header is a custom header that the Hub sends to the endpoint.
type Header struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Change is the body of a create or PATCH: what is nil stays as it is.
type Change struct {
	Label                  *string
	Endpoint               *string
	EventType              *string
	AuthenticationProtocol *string
	// Scope points to nil for an explicit null.
	Scope             **string
	Headers           *[]Header
	RequiresSignature *bool

	// What no API call sets, only the Hub itself and a user of its dashboard.
	Active         *bool
	IsVerified     *bool
	NumberOfErrors *int
}

var (
	eventTypes = []string{"Message", "MessageStatus"}
	protocols  = []string{
		"NoAuthentication", "Oauth20", "PasswordAuthentication", "AWSSignatureV4", "JWT", "JWTExchange",
	}
)

// apiFields and dashboardFields say where each field of a body goes.
func (ch *Change) apiFields() map[string]any {
	return map[string]any{
		"label": &ch.Label, "endpoint": &ch.Endpoint, "eventType": &ch.EventType,
		"authenticationProtocol": &ch.AuthenticationProtocol, "headers": &ch.Headers,
		"requiresSignature": &ch.RequiresSignature, "scope": &ch.Scope,
	}
}

func (ch *Change) dashboardFields() map[string]any {
	fields := ch.apiFields()
	fields["active"], fields["isVerified"], fields["numberOfErrors"] = &ch.Active, &ch.IsVerified, &ch.NumberOfErrors
	return fields
}

// DecodeChange reads the body of a create or PATCH as strictly as the Hub does. The error is a *RefusalError.
func DecodeChange(body []byte) (Change, error) {
	var change Change
	err := decodeFields(body, change.apiFields())
	return change, err
}

func decodeFields(body []byte, fields map[string]any) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(body, &raw); err != nil || raw == nil {
		return invalid("the body must be a JSON object")
	}
	var wrong []string
	for name, value := range raw {
		target, known := fields[name]
		if !known {
			wrong = append(wrong, fmt.Sprintf("property %.40q should not exist", name))
			continue
		}
		null := bytes.Equal(value, []byte("null"))
		if scope, ok := target.(***string); ok && null {
			*scope = new(*string)
			continue
		}
		if null || json.Unmarshal(value, target) != nil {
			wrong = append(wrong, name+" has the wrong type")
		}
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return invalid(wrong...)
	}
	return nil
}

// checkCreate says what is wrong with a creation.
func (ch Change) checkCreate() error {
	var missing []string
	for _, required := range []struct {
		name  string
		value *string
	}{
		{"label", ch.Label},
		{"endpoint", ch.Endpoint},
		{"eventType", ch.EventType},
		{"authenticationProtocol", ch.AuthenticationProtocol},
	} {
		if required.value == nil {
			missing = append(missing, required.name+" is required")
		}
	}
	return refuse(append(missing, ch.wrong()...))
}

// checkUpdate says what is wrong with a PATCH.
func (ch Change) checkUpdate() error {
	if ch == (Change{}) {
		return invalid("at least one property is required")
	}
	return refuse(ch.wrong())
}

func refuse(messages []string) error {
	if len(messages) == 0 {
		return nil
	}
	return invalid(messages...)
}

// wrong lists what is wrong with the values that are there.
func (ch Change) wrong() []string {
	var wrong []string
	if ch.Label != nil && (*ch.Label == "" || len(*ch.Label) > 1024) {
		wrong = append(wrong, "label must have 1 to 1024 bytes")
	}
	if ch.Endpoint != nil && !isHTTPS(*ch.Endpoint) {
		wrong = append(wrong, "endpoint must be an HTTPS URL")
	}
	if ch.EventType != nil && !slices.Contains(eventTypes, *ch.EventType) {
		wrong = append(wrong, "eventType must be one of "+strings.Join(eventTypes, ", "))
	}
	if ch.AuthenticationProtocol != nil && !slices.Contains(protocols, *ch.AuthenticationProtocol) {
		wrong = append(wrong, "authenticationProtocol must be one of "+strings.Join(protocols, ", "))
	}
	if ch.Headers != nil {
		for i, header := range *ch.Headers {
			if !isToken(header.Key) || strings.ContainsAny(header.Value, "\r\n\x00") {
				wrong = append(wrong, fmt.Sprintf("headers.%d is not a header", i))
			}
		}
	}
	return wrong
}

func isHTTPS(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && u.Scheme == "https" && u.Hostname() != ""
}

// isToken says whether s is a token of RFC 9110.
func isToken(s string) bool {
	const special = "!#$%&'*+-.^_`|~"
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(special, r)
	}) < 0
}
