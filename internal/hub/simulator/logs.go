package simulator

import (
	"slices"
	"time"
)

// Log is one attempt to deliver an event.
type Log struct {
	ID        string
	WebhookID string
	// StatusCode is 0 when the endpoint did not answer.
	StatusCode   int
	ResponseBody string
	Succeeded    bool
	SendAt       time.Time
	CreatedDate  time.Time
	MessageID    string
	Webhook      LogWebhook
}

// LogWebhook is the webhook as it was at the attempt.
type LogWebhook struct {
	ID        string `json:"id"`
	Endpoint  string `json:"endpoint"`
	EventType string `json:"eventType"`
}

// deliveryLog keeps the body too, for a retry.
type deliveryLog struct {
	Log
	body []byte
}

// Retried is the result of one retry. Success says only that the Hub tried.
type Retried struct {
	WebhookLogID string
	Success      bool
	// NewLogID names the log that says how it went; empty without Success.
	NewLogID string
}

// Logs is one page of the attempts of a webhook, newest first; wanted chooses among them.
func (c *Core) Logs(applicationID, id string, page Page, wanted func(Log) bool) ([]Log, Pagination, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, err := c.owned(applicationID, id)
	if err != nil {
		return nil, Pagination{}, err
	}
	var all []Log
	for _, l := range slices.Backward(r.logs) {
		if wanted(l.Log) {
			all = append(all, l.Log)
		}
	}
	part, pagination := cut(all, page, c.variants.MaxLimit)
	return part, pagination, nil
}

// Retry delivers the event of one log again, to where the webhook points now.
func (c *Core) Retry(applicationID, id, logID string) (Retried, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, err := c.owned(applicationID, id)
	if err != nil {
		return Retried{}, err
	}
	if r.log(logID) == nil {
		return Retried{}, notFound("webhook log")
	}
	return c.retry(r, logID), nil
}

// RetryAll delivers the events of several logs again; one that does not exist has no success.
func (c *Core) RetryAll(applicationID, id string, logIDs []string) ([]Retried, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, err := c.owned(applicationID, id)
	if err != nil {
		return nil, err
	}
	results := make([]Retried, 0, len(logIDs))
	for _, logID := range logIDs {
		results = append(results, c.retry(r, logID))
	}
	return results, nil
}

// retry needs the lock, and gives it up while it waits for the endpoint.
func (c *Core) retry(r *record, logID string) Retried {
	result := Retried{WebhookLogID: logID}
	old := r.log(logID)
	if old == nil {
		return result
	}
	if l := c.deliver(r, old.body, old.MessageID); l != nil {
		result.Success, result.NewLogID = true, l.ID
	}
	return result
}

func (r *record) log(id string) *deliveryLog {
	for _, l := range r.logs {
		if l.ID == id {
			return l
		}
	}
	return nil
}
