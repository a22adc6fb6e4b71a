package hub

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
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
// reads each by itself would have the whole of it scanned four times.
type sentWebhook struct {
	ID                     string        `json:"id"`
	ApplicationID          string        `json:"applicationId"`
	Active                 Field[bool]   `json:"active"`
	Label                  Field[string] `json:"label"`
	EventType              string        `json:"eventType"`
	Endpoint               string        `json:"endpoint"`
	AuthenticationProtocol Field[string] `json:"authenticationProtocol"`
	Scope                  Scope         `json:"scope"`
	RequiresSignature      Field[bool]   `json:"requiresSignature"`
	IsVerified             bool          `json:"isVerified"`
	VerifiedAt             lenientTime   `json:"verifiedAt"`
	NumberOfErrors         lenientInt    `json:"numberOfErrors"`
	CreatedDate            lenientTime   `json:"createdDate"`
	LastModifiedDate       lenientTime   `json:"lastModifiedDate"`
}

// webhook is what was read; one without proper ids is an error.
func (in *sentWebhook) webhook() (Webhook, error) {
	id, isID := canonicalUUID(in.ID)
	application, isApplicationID := canonicalUUID(in.ApplicationID)
	if !isID || !isApplicationID {
		return Webhook{}, errNoUUID
	}
	return Webhook{
		ID: id, ApplicationID: application, Active: in.Active, Label: in.Label, EventType: in.EventType,
		Endpoint: in.Endpoint, AuthenticationProtocol: in.AuthenticationProtocol, Scope: in.Scope,
		RequiresSignature: in.RequiresSignature, IsVerified: in.IsVerified, VerifiedAt: in.VerifiedAt.pointer(),
		NumberOfErrors: int64(in.NumberOfErrors), CreatedDate: in.CreatedDate.Time,
		LastModifiedDate: in.LastModifiedDate.pointer(),
	}, nil
}

// UnmarshalJSON reads a webhook; one without proper ids is an error.
func (w *Webhook) UnmarshalJSON(data []byte) error {
	var in sentWebhook
	err := json.Unmarshal(data, &in)
	if err == nil {
		*w, err = in.webhook()
	}
	return err
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

func (p *WebhookPage) parse(body []byte) (err error) {
	var sent []sentWebhook
	if sent, p.Total, p.Paged, err = parseList(body); err != nil {
		return err
	}
	p.Webhooks = make([]Webhook, len(sent))
	for i := range sent {
		if p.Webhooks[i], err = sent[i].webhook(); err != nil {
			return err
		}
	}
	return nil
}

// Of a body that is longer than large each entry must have at least as many bytes as smallestEntry: an id and its name
// have nearly as many.
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
	for d.More() {
		if err := d.Decode(&entry); err != nil || len(entry) < smallestEntry {
			return errNotJSON
		}
	}
	return nil
}

// parseList reads a page, or the bare array of an older deployment.
func parseList(body []byte) (items []sentWebhook, total int, paged bool, _ error) {
	if err := checkEntries(body); err != nil {
		return nil, 0, false, err
	}
	if isArray(body) {
		if err := into(&items)(body); err != nil {
			return nil, 0, false, err
		}
		return items, len(items), false, nil
	}
	var page struct {
		Data       *[]sentWebhook `json:"data"`
		Pagination *struct {
			Total *lenientInt `json:"total"`
		} `json:"pagination"`
	}
	if err := into(&page)(body); err != nil {
		return nil, 0, false, err
	}
	switch {
	case page.Data == nil:
		return nil, 0, false, errNoList
	case page.Pagination == nil || page.Pagination.Total == nil || *page.Pagination.Total < 0:
		return nil, 0, false, errNoPagination
	}
	return *page.Data, int(*page.Pagination.Total), true, nil
}

func isArray(body []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) }
