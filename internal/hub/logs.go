package hub

import (
	"context"
	"net/http"
)

// ListWebhookLogs is one page of a webhook's delivery logs, newest first. A status that is not empty selects.
func (c *Client) ListWebhookLogs(ctx context.Context, id string, page Page, status string) (*WebhookLogPage, error) {
	const operation = "listWebhookLogs"
	id, ok := canonicalUUID(id)
	if !ok {
		return nil, notSent(operation, badWebhookID)
	}
	query, ok := page.query()
	if !ok {
		return nil, notSent(operation, badPage)
	}
	if status != "" {
		query.Set("status", status)
	}
	out := &WebhookLogPage{}
	return answer(out, c.do(ctx, call{
		operation: operation, method: http.MethodGet, path: []string{id, "webhook-log"}, query: query,
		limit: maxPage, parse: out.parse,
	}))
}

// RetryWebhookLog makes the Hub deliver once more. It is not safe to repeat: each time it is applied the endpoint
// gets the event again.
func (c *Client) RetryWebhookLog(ctx context.Context, id, logID string) (*RetryResult, error) {
	const operation = "retryWebhookLog"
	id, ok := canonicalUUID(id)
	if !ok {
		return nil, notSent(operation, badWebhookID)
	}
	logID, ok = canonicalUUID(logID)
	if !ok {
		return nil, notSent(operation, badLogID)
	}
	out := &RetryResult{}
	return answer(out, c.do(ctx, call{
		operation: operation, method: http.MethodPost, path: []string{id, "webhook-log", logID, "retry"},
		limit: maxAnswer,
		parse: func(body []byte) error {
			err := into(out)(body)
			out.WebhookLogID = logID
			return err
		},
	}))
}

// RetryWebhookLogs makes the Hub deliver many events once more, with one result for each.
func (c *Client) RetryWebhookLogs(ctx context.Context, id string, logIDs []string) ([]RetryResult, error) {
	const operation = "retryWebhookLogs"
	id, ok := canonicalUUID(id)
	if !ok {
		return nil, notSent(operation, badWebhookID)
	}
	if len(logIDs) == 0 {
		return nil, notSent(operation, "no log ids are given")
	}
	canonical := make([]string, len(logIDs))
	for i, logID := range logIDs {
		if canonical[i], ok = canonicalUUID(logID); !ok {
			return nil, notSent(operation, badLogID)
		}
	}
	body, err := encode(map[string][]string{"webhookLogIds": canonical})
	if err != nil {
		return nil, notSent(operation, err.Error())
	}
	var out []RetryResult
	err = c.do(ctx, call{
		operation: operation, method: http.MethodPost, path: []string{id, "webhook-log", "retry"}, body: body,
		limit: maxPage,
		parse: func(body []byte) (err error) {
			out, err = parseRetryResults(body)
			return err
		},
	})
	return out, err
}
