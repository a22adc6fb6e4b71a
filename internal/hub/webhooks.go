package hub

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

// WebhookWithSecret is a webhook as the call that wrote it answered.
type WebhookWithSecret struct {
	Webhook
	// Secret is the signing secret, shown this once if the call turned signing on; empty where the answer had none.
	Secret Secret
}

// CreateWebhook registers a webhook. It is not safe to repeat: each time it is applied there is one more.
func (c *Client) CreateWebhook(ctx context.Context, in WebhookFields) (*WebhookWithSecret, error) {
	const operation = "createWebhook"
	body, err := encodeFields(in)
	if err != nil {
		return nil, notSent(operation, err.Error())
	}
	out := &WebhookWithSecret{}
	return answer(out, c.do(ctx, call{
		operation: operation, method: http.MethodPost, body: body, limit: maxAnswer,
		sent: valuesOf(in), parse: out.parse,
	}))
}

// ListWebhooks is one page of the API key's webhooks.
func (c *Client) ListWebhooks(ctx context.Context, page Page) (*WebhookPage, error) {
	const operation = "listWebhooks"
	query, ok := page.query()
	if !ok {
		return nil, notSent(operation, badPage)
	}
	out := &WebhookPage{}
	show := func(text string) string { return sentValues{}.with(c.apiKey).message("text/plain", []byte(text)) }
	return answer(out, c.do(ctx, call{
		operation: operation, method: http.MethodGet, query: query, limit: maxPage,
		parse: func(body []byte) error { return out.parse(body, page.Offset, show) },
	}))
}

// GetWebhook is one webhook.
func (c *Client) GetWebhook(ctx context.Context, id string) (*Webhook, error) {
	const operation = "getWebhook"
	id, ok := canonicalUUID(id)
	if !ok {
		return nil, notSent(operation, badWebhookID)
	}
	out := &Webhook{}
	return answer(out, c.do(ctx, call{
		operation: operation, method: http.MethodGet, path: []string{id}, limit: maxAnswer,
		parse: func(body []byte) error { return out.about(id, into(out)(body)) },
	}))
}

// UpdateWebhook changes what in names and leaves the rest.
func (c *Client) UpdateWebhook(ctx context.Context, id string, in WebhookFields) (*WebhookWithSecret, error) {
	const operation = "updateWebhook"
	id, ok := canonicalUUID(id)
	if !ok {
		return nil, notSent(operation, badWebhookID)
	}
	body, err := encodeFields(in)
	if err != nil {
		return nil, notSent(operation, err.Error())
	}
	out := &WebhookWithSecret{}
	return answer(out, c.do(ctx, call{
		operation: operation, method: http.MethodPatch, path: []string{id}, body: body, limit: maxAnswer,
		sent: valuesOf(in), parse: func(body []byte) error { return out.about(id, out.parse(body)) },
	}))
}

// DeleteWebhook removes a webhook. One that is not there is an error of the kind NotFound.
func (c *Client) DeleteWebhook(ctx context.Context, id string) error {
	const operation = "deleteWebhook"
	id, ok := canonicalUUID(id)
	if !ok {
		return notSent(operation, badWebhookID)
	}
	return c.do(ctx, call{operation: operation, method: http.MethodDelete, path: []string{id}})
}

// RedefineSignature replaces the signing secret at once and returns the new one, which is shown nowhere else, ever.
func (c *Client) RedefineSignature(ctx context.Context, id string) (Secret, error) {
	const operation = "redefineSignature"
	id, ok := canonicalUUID(id)
	if !ok {
		return Secret{}, notSent(operation, badWebhookID)
	}
	var out Secret
	err := c.do(ctx, call{
		operation: operation, method: http.MethodPost, path: []string{id, "redefine-signature"}, limit: maxAnswer,
		parse: func(body []byte) (err error) {
			out, err = parseNewSecret(body)
			return err
		},
	})
	return out, err
}

const (
	badPage      = "an offset must be 0 or more and a limit at most 50"
	badWebhookID = "the webhook id is not a UUID"
)

// query leaves out a limit of 0, for which the Hub has a default.
func (p Page) query() (url.Values, bool) {
	if p.Offset < 0 || p.Limit < 0 || p.Limit > MaxPageLimit {
		return nil, false
	}
	query := url.Values{"offset": {strconv.Itoa(p.Offset)}}
	if p.Limit > 0 {
		query.Set("limit", strconv.Itoa(p.Limit))
	}
	return query, true
}

// answer returns out only if there was no error.
func answer[T any](out *T, err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	return out, nil
}
