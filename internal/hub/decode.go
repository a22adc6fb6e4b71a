package hub

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// What is wrong with an answer that does not parse. The texts follow "the Hub answered 200, but ".
var (
	errNotJSON      = errors.New("not with the JSON that was agreed")
	errNoUUID       = errors.New("an id in it is not a UUID")
	errOtherWebhook = errors.New("it is about another webhook")
	errNoSecret     = errors.New("without a signing secret")
	errNoList       = errors.New("without a list")
	errNoPagination = errors.New("without the size of the list")
)

// into reads a JSON body into out.
func into(out any) func(body []byte) error {
	return func(body []byte) error {
		err := json.Unmarshal(body, out)
		switch {
		case errors.Is(err, errNoUUID):
			return errNoUUID
		case err != nil:
			return errNotJSON
		}
		return nil
	}
}

// canonicalUUID is a UUID of 36 characters in lower case.
func canonicalUUID(text string) (string, bool) {
	text = strings.ToLower(text)
	return text, len(text) == 36 && uuid.Validate(text) == nil
}

// sentWebhook is a webhook as it is read: as tolerantly as is harmless. A listing is read into these, for a method that
// reads each by itself would have the whole of it scanned four times. Only what a webhook is recognised by has types
// that refuse a value: ID, Label, EventType and Endpoint. Those leave the field empty and read the rest.
type sentWebhook struct {
	ID                     string        `json:"id"`
	ApplicationID          lenientString `json:"applicationId"`
	Active                 Field[bool]   `json:"active"`
	Label                  *string       `json:"label"`
	EventType              string        `json:"eventType"`
	Endpoint               string        `json:"endpoint"`
	AuthenticationProtocol Field[string] `json:"authenticationProtocol"`
	Scope                  Scope         `json:"scope"`
	RequiresSignature      Field[bool]   `json:"requiresSignature"`
	IsVerified             Field[bool]   `json:"isVerified"`
	VerifiedAt             lenientTime   `json:"verifiedAt"`
	NumberOfErrors         lenientCount  `json:"numberOfErrors"`
	CreatedDate            lenientTime   `json:"createdDate"`
	LastModifiedDate       lenientTime   `json:"lastModifiedDate"`
}

// webhook returns what was read, with an empty id where that is none.
func (in *sentWebhook) webhook() Webhook {
	w := Webhook{
		Active: in.Active, EventType: in.EventType, Endpoint: in.Endpoint,
		AuthenticationProtocol: in.AuthenticationProtocol, Scope: in.Scope, RequiresSignature: in.RequiresSignature,
		IsVerified: in.IsVerified.Value, VerifiedAt: in.VerifiedAt.pointer(), NumberOfErrors: int64(in.NumberOfErrors),
		CreatedDate: in.CreatedDate.Time, LastModifiedDate: in.LastModifiedDate.pointer(),
	}
	if id, ok := canonicalUUID(in.ID); ok {
		w.ID = id
	}
	if id, ok := canonicalUUID(string(in.ApplicationID)); ok {
		w.ApplicationID = id
	}
	if in.Label != nil {
		w.Label = Field[string]{Known: true, Value: *in.Label}
	}
	return w
}

// read reads a webhook, and returns the first field that it is recognised by and that has another type.
func (in *sentWebhook) read(data []byte) (odd string, _ error) {
	err := json.Unmarshal(data, in)
	e, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok {
		return "", err
	}
	if in.Label != nil && *in.Label == "" {
		in.Label = nil // which the decoder makes of a label of another type
	}
	return cmp.Or(e.Field, "id"), nil
}

// UnmarshalJSON reads the webhook that a call is about. One without proper ids is an error: it may be something else.
func (w *Webhook) UnmarshalJSON(data []byte) error {
	var in sentWebhook
	if _, err := in.read(data); err != nil {
		return err
	}
	if *w = in.webhook(); w.ID == "" || w.ApplicationID == "" {
		return errNoUUID
	}
	return nil
}

// about holds an answer that was read to the webhook that was asked for: something on the way may mix answers up.
func (w *Webhook) about(id string, err error) error {
	if err == nil && w.ID != id {
		return errOtherWebhook
	}
	return err
}

// newSecret is a signing secret under any of the names it may have. What is no text counts as not there.
type newSecret struct {
	Secret          lenientString `json:"secret"`
	SigningSecret   lenientString `json:"signingSecret"`
	SignatureSecret lenientString `json:"signatureSecret"`
}

func (s newSecret) value() Secret {
	return NewSecret(string(cmp.Or(s.Secret, s.SigningSecret, s.SignatureSecret)))
}

func (w *WebhookWithSecret) parse(body []byte) error {
	if err := into(&w.Webhook)(body); err != nil {
		return err
	}
	var secret newSecret
	if err := into(&secret)(body); err != nil {
		return err
	}
	w.Secret = secret.value()
	return nil
}

func parseNewSecret(body []byte) (Secret, error) {
	var secret newSecret
	if err := into(&secret)(body); err != nil {
		return Secret{}, err
	}
	if secret.value().IsZero() {
		return Secret{}, errNoSecret
	}
	return secret.value(), nil
}

// parse reads the page that begins at offset. show makes a text of the Hub one that can be shown.
func (p *WebhookPage) parse(body []byte, offset int, show func(text string) string) (err error) {
	var sent []sentWebhook
	var odd map[int]string
	if sent, odd, p.Total, p.Paged, err = parseList(body); err != nil {
		return err
	}
	p.Webhooks = make([]Webhook, len(sent))
	for i := range sent {
		p.Webhooks[i] = sent[i].webhook()
		if w := &p.Webhooks[i]; w.ID == "" || odd[i] != "" {
			p.unreadable(i, offset, cmp.Or(odd[i], "id"), show(w.Label.Value))
		}
	}
	return nil
}

// unreadable notes that a field of an entry could not be read.
func (p *WebhookPage) unreadable(i, offset int, field, label string) {
	if p.Unreadable == nil {
		p.Unreadable = map[int]string{}
	}
	w := &p.Webhooks[i]
	entry := fmt.Sprintf("entry %d of the list", offset+i+1)
	switch {
	case w.ID != "":
		entry = "the webhook " + w.ID
	case label != "":
		w.ID, entry = entry, fmt.Sprintf("the webhook labelled %q", label)
	default:
		w.ID = entry
	}
	p.Unreadable[i] = fmt.Sprintf("the field %s of %s", field, entry)
}

// FirstUnreadable says which entry could not be read, the first one if there are several; empty if there is none.
func (p *WebhookPage) FirstUnreadable() string {
	if len(p.Unreadable) == 0 {
		return ""
	}
	return p.Unreadable[slices.Min(slices.Collect(maps.Keys(p.Unreadable)))]
}

// Of a body that is longer than large the entries must have at least as many bytes as smallestEntry, on average: an id
// and its name have nearly as many.
const (
	large         = 64 << 10
	smallestEntry = 64
)

// checkEntries refuses a long list whose entries hold nothing: read into memory each takes hundreds of bytes, be it two
// bytes long, and millions of them come in a body of a few megabytes.
func checkEntries(body []byte) error {
	if len(body) <= large {
		return nil
	}
	list := json.RawMessage(body)
	if !isArray(body) {
		var page struct {
			Data json.RawMessage `json:"data"`
		}
		if err := into(&page)(body); err != nil {
			return err
		}
		list = page.Data
	}
	d := json.NewDecoder(bytes.NewReader(list))
	if open, err := d.Token(); err != nil || open != json.Delim('[') {
		return errNoList
	}
	var entry json.RawMessage
	for n := 1; d.More(); n++ {
		if err := d.Decode(&entry); err != nil || n*smallestEntry > len(body) {
			return errNotJSON
		}
	}
	return nil
}

// pageOf is a page whose list is read as T.
type pageOf[T any] struct {
	Data       *T `json:"data"`
	Pagination *struct {
		Total *lenientInt `json:"total"`
	} `json:"pagination"`
}

// parseList reads a page, or the bare array of an older deployment. odd names a field that could not be read, by index.
func parseList(body []byte) (items []sentWebhook, odd map[int]string, total int, paged bool, _ error) {
	if err := checkEntries(body); err != nil {
		return nil, nil, 0, false, err
	}
	if isArray(body) {
		err := json.Unmarshal(body, &items)
		if err != nil {
			items, odd, err = readEntries(body)
		}
		return items, odd, len(items), false, err
	}
	var page pageOf[[]sentWebhook]
	if json.Unmarshal(body, &page) != nil {
		var raw pageOf[json.RawMessage]
		if err := into(&raw)(body); err != nil {
			return nil, nil, 0, false, err
		}
		if page.Data, page.Pagination = nil, raw.Pagination; raw.Data != nil && isArray(*raw.Data) {
			var err error
			if items, odd, err = readEntries(*raw.Data); err != nil {
				return nil, nil, 0, false, err
			}
			page.Data = &items
		}
	}
	switch {
	case page.Data == nil:
		return nil, nil, 0, false, errNoList
	case page.Pagination == nil || page.Pagination.Total == nil || *page.Pagination.Total < 0:
		return nil, nil, 0, false, errNoPagination
	}
	return *page.Data, odd, int(*page.Pagination.Total), true, nil
}

// readEntries reads each webhook of an array by itself, for one of them is odd.
func readEntries(list []byte) (items []sentWebhook, odd map[int]string, _ error) {
	var entries []json.RawMessage
	if json.Unmarshal(list, &entries) != nil {
		return nil, nil, errNotJSON
	}
	items, odd = make([]sentWebhook, len(entries)), map[int]string{}
	for i, entry := range entries {
		var err error
		if odd[i], err = items[i].read(entry); err != nil {
			return nil, nil, errNotJSON
		}
	}
	return items, odd, nil
}

func isArray(body []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) }
