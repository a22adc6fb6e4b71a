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

type wireCreate struct {
	Label                  string       `json:"label"`
	Endpoint               string       `json:"endpoint"`
	EventType              string       `json:"eventType"`
	AuthenticationProtocol string       `json:"authenticationProtocol"`
	Scope                  *string      `json:"scope,omitempty"`
	Headers                []wireHeader `json:"headers,omitempty"`
	RequiresSignature      bool         `json:"requiresSignature"`
}

func encodeCreate(in WebhookCreate) ([]byte, error) {
	headers, err := revealHeaders(in.Headers)
	if err != nil {
		return nil, err
	}
	return encode(wireCreate{
		Label: in.Label, Endpoint: in.Endpoint, EventType: in.EventType,
		AuthenticationProtocol: in.AuthenticationProtocol, Scope: in.Scope, Headers: headers,
		RequiresSignature: in.RequiresSignature,
	})
}

func encodeUpdate(in WebhookUpdate) ([]byte, error) {
	fields := map[string]any{}
	for name, value := range map[string]*string{
		"label": in.Label, "endpoint": in.Endpoint, "eventType": in.EventType,
		"authenticationProtocol": in.AuthenticationProtocol,
	} {
		if value != nil {
			fields[name] = *value
		}
	}
	if in.Scope != nil {
		fields["scope"] = in.Scope
		if *in.Scope == "" {
			fields["scope"] = nil
		}
	}
	if in.Headers != nil {
		headers, err := revealHeaders(*in.Headers)
		if err != nil {
			return nil, err
		}
		fields["headers"] = headers
	}
	if in.RequiresSignature != nil {
		fields["requiresSignature"] = *in.RequiresSignature
	}
	if len(fields) == 0 {
		return nil, errors.New("nothing to change was given")
	}
	return encode(fields)
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
