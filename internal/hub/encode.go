package hub

import (
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// wireHeader is a header as it goes out, its value in the open. It lives as long as one encoding.
type wireHeader struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// wireFields is WebhookFields in JSON.
type wireFields struct {
	Label                  *string       `json:"label,omitempty"`
	Endpoint               *string       `json:"endpoint,omitempty"`
	EventType              *string       `json:"eventType,omitempty"`
	AuthenticationProtocol *string       `json:"authenticationProtocol,omitempty"`
	Scope                  *nullable     `json:"scope,omitempty"`
	Headers                *[]wireHeader `json:"headers,omitempty"`
	RequiresSignature      *bool         `json:"requiresSignature,omitempty"`
}

// nullable is a text that is null when it is empty.
type nullable string

// MarshalJSON implements json.Marshaler.
func (n nullable) MarshalJSON() ([]byte, error) {
	if n == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(n))
}

func encodeFields(in WebhookFields) ([]byte, error) {
	if in == (WebhookFields{}) {
		return nil, errors.New("no field was given")
	}
	out := wireFields{
		Label: in.Label, Endpoint: in.Endpoint, EventType: in.EventType,
		AuthenticationProtocol: in.AuthenticationProtocol, Scope: (*nullable)(in.Scope),
		RequiresSignature: in.RequiresSignature,
	}
	if in.Headers != nil {
		headers, err := revealHeaders(*in.Headers)
		if err != nil {
			return nil, err
		}
		out.Headers = &headers
	}
	return encode(out)
}

// revealHeaders refuses what JSON would replace silently.
func revealHeaders(headers []Header) ([]wireHeader, error) {
	out := make([]wireHeader, 0, len(headers))
	for _, header := range headers {
		value := header.Value.Reveal()
		if !utf8.ValidString(value) {
			return nil, errors.New("the value of a header is not UTF-8")
		}
		out = append(out, wireHeader{Key: header.Key, Value: value})
	}
	return out, nil
}

// encode never shows the text of an error, which may hold a value.
func encode(value any) ([]byte, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return nil, errors.New("the body could not be encoded")
	}
	return body, nil
}
