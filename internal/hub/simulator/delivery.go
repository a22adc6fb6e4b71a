package simulator

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/chatt2me/webhook-operator/internal/signing"
)

// event is what the Hub reads of an event's body.
type event struct {
	EventType string `json:"eventType"`
	MessageID string `json:"messageId"`
}

// SendEvent delivers body, an event as JSON, to every active webhook of the Application (an id or name) that wants
// its type, one after the other, oldest first. The logs say how it went.
func (c *Core) SendEvent(applicationRef string, body []byte) ([]Log, error) {
	var e event
	if err := json.Unmarshal(body, &e); err != nil || !slices.Contains(eventTypes, e.EventType) {
		return nil, invalid("an event is a JSON object whose eventType is Message or MessageStatus")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.find(applicationRef)
	if a == nil {
		return nil, notFound("application")
	}
	logs := []Log{}
	// The list is copied, for the lock is given up during a delivery.
	for _, r := range slices.Clone(c.records) {
		if r.ApplicationID != a.id || r.deleted() || !r.Active || r.EventType != e.EventType {
			continue
		}
		if l := c.deliver(r, body, e.MessageID); l != nil {
			logs = append(logs, l.Log)
		}
	}
	return logs, nil
}

// deliver posts body to the endpoint of r, signed with the secret of this moment, and logs it. It needs the lock, and
// gives it up while it waits for the endpoint. It gives nil when the Hub is closed or the webhook went meanwhile.
func (c *Core) deliver(r *record, body []byte, messageID string) *deliveryLog {
	if !c.begin() {
		return nil
	}
	defer c.calls.Done()
	sent := c.now().UTC()
	call := EndpointCall{URL: r.Endpoint, Header: endpointHeader(r.headers), Body: body}
	if r.RequiresSignature {
		call.Header.Set(signing.SignatureHeader, signing.Sign(r.secret, sent, body))
	}
	eventType := r.EventType

	c.mu.Unlock()
	answer, err := c.endpoint.Post(c.ctx, call)
	c.mu.Lock()

	if r.deleted() {
		return nil
	}
	l := &deliveryLog{body: body, Log: Log{
		ID: c.newID(), WebhookID: r.ID, SendAt: sent, CreatedDate: sent, MessageID: messageID,
		Webhook: LogWebhook{ID: r.ID, Endpoint: call.URL, EventType: eventType},
	}}
	if err == nil {
		l.StatusCode, l.ResponseBody = answer.StatusCode, string(answer.Body)
	}
	l.Succeeded = err == nil && answer.StatusCode == http.StatusOK
	r.logs = append(r.logs, l)
	c.count(r, l.Succeeded, c.now().UTC())
	return l
}

// count keeps numberOfErrors, and active where the variant says so. It needs the lock.
func (c *Core) count(r *record, succeeded bool, now time.Time) {
	switch {
	case !succeeded:
		r.NumberOfErrors++
	case c.variants.ErrorsResetOnSuccess:
		r.NumberOfErrors = 0
	default:
		return
	}
	if limit := c.variants.DeactivateAfterErrors; limit > 0 && r.NumberOfErrors >= limit {
		r.Active = false
	}
	r.save(now)
}
