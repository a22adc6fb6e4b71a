package hub

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/google/uuid"
)

// What is wrong with an answer that does not parse. The texts follow "the Hub answered 200, but ".
var (
	errNotJSON      = errors.New("not with the JSON that was agreed")
	errNoUUID       = errors.New("an id in it is not a UUID")
	errNoSecret     = errors.New("without a signing secret")
	errNoList       = errors.New("without a list")
	errNoPagination = errors.New("without the size of the list")
	errNoSuccess    = errors.New("without saying whether it tried")
)

// into reads a JSON body into out.
func into(out any) func(body []byte) error {
	return func(body []byte) error {
		err := json.Unmarshal(body, out)
		for _, ours := range []error{errNoUUID, errNoSuccess} {
			if errors.Is(err, ours) {
				return ours
			}
		}
		if err != nil {
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

// UnmarshalJSON reads a log as tolerantly as is harmless.
func (l *WebhookLog) UnmarshalJSON(data []byte) error {
	type plain WebhookLog
	in := struct {
		*plain
		StatusCode  lenientInt  `json:"statusCode"`
		SendAt      lenientTime `json:"sendAt"`
		CreatedDate lenientTime `json:"createdDate"`
	}{plain: (*plain)(l)}
	*l = WebhookLog{}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	if l.ID == "" {
		return errNoUUID
	}
	l.ID, l.WebhookID = strings.ToLower(l.ID), strings.ToLower(l.WebhookID)
	l.StatusCode = int(in.StatusCode)
	l.SendAt, l.CreatedDate = in.SendAt.pointer(), in.CreatedDate.pointer()
	return nil
}

// UnmarshalJSON takes a missing success as an error: nothing would be known then.
func (r *RetryResult) UnmarshalJSON(data []byte) error {
	type plain RetryResult
	in := struct {
		*plain
		Success *bool `json:"success"`
	}{plain: (*plain)(r)}
	*r = RetryResult{}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	if in.Success == nil {
		return errNoSuccess
	}
	r.Success = *in.Success
	r.WebhookLogID, r.NewLogID = strings.ToLower(r.WebhookLogID), strings.ToLower(r.NewLogID)
	return nil
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
	p.Webhooks, p.Total, p.Paged, err = parseList(body, func(d *json.Decoder) (Webhook, error) {
		in, err := decode[sentWebhook](d)
		if err != nil {
			return Webhook{}, err
		}
		return in.webhook()
	})
	return err
}

func (p *WebhookLogPage) parse(body []byte) (err error) {
	p.Logs, p.Total, p.Paged, err = parseList(body, decode[WebhookLog])
	return err
}

// parseList reads a page, or the bare array of an older deployment, which is everything there is.
func parseList[T any](body []byte, read func(*json.Decoder) (T, error)) (items []T, total int, paged bool, _ error) {
	if isArray(body) {
		items, err := parseArray(body, read)
		return items, len(items), false, err
	}
	var page struct {
		Data       json.RawMessage `json:"data"`
		Pagination *struct {
			Total *lenientInt `json:"total"`
		} `json:"pagination"`
	}
	if err := into(&page)(body); err != nil {
		return nil, 0, false, err
	}
	if page.Data == nil || string(page.Data) == "null" {
		return nil, 0, false, errNoList
	}
	if page.Pagination == nil || page.Pagination.Total == nil || *page.Pagination.Total < 0 {
		return nil, 0, false, errNoPagination
	}
	items, err := parseArray(page.Data, read)
	return items, int(*page.Pagination.Total), true, err
}

// parseArray reads the entries one by one and ends at the first that is wrong: millions of empty ones in a body that is
// not too long would take gigabytes.
func parseArray[T any](data []byte, read func(*json.Decoder) (T, error)) ([]T, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	if open, err := d.Token(); err != nil || open != json.Delim('[') {
		return nil, errNotJSON
	}
	items := []T{}
	for d.More() {
		item, err := read(d)
		switch {
		case errors.Is(err, errNoUUID), errors.Is(err, errNoSuccess):
			return nil, err
		case err != nil:
			return nil, errNotJSON
		}
		items = append(items, item)
	}
	if _, err := d.Token(); err != nil {
		return nil, errNotJSON
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errNotJSON
	}
	return items, nil
}

func decode[T any](d *json.Decoder) (item T, err error) {
	err = d.Decode(&item)
	return item, err
}

func parseRetryResults(body []byte) ([]RetryResult, error) {
	if isArray(body) {
		return parseArray(body, decode[RetryResult])
	}
	var answer struct {
		Results json.RawMessage `json:"results"`
	}
	if err := into(&answer)(body); err != nil {
		return nil, err
	}
	if answer.Results == nil || string(answer.Results) == "null" {
		return nil, errNoList
	}
	return parseArray(answer.Results, decode[RetryResult])
}

func isArray(body []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) }
