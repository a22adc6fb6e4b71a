package simulator

import (
	"encoding/json"
	"mime"
	"net/http"
	"time"

	"github.com/chatt2me/webhook-operator/internal/signing"
)

// verify starts the handshake with the endpoint of r, now or later as the variant says. It needs the lock, and gives
// it up while it waits for the endpoint.
func (c *Core) verify(r *record) {
	r.verification++
	turn := r.verification
	if later := time.Duration(c.variants.VerifyAfter); later > 0 {
		c.schedule(later, func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.shakeHands(r, turn)
		})
		return
	}
	c.shakeHands(r, turn)
}

// shakeHands needs the lock, and gives it up while it waits for the endpoint.
func (c *Core) shakeHands(r *record, turn int) {
	if r.verification != turn || r.deleted() || !c.begin() {
		return
	}
	defer c.calls.Done()
	token := c.newSecret()
	call := EndpointCall{URL: r.Endpoint, Header: endpointHeader(r.headers)}
	call.Header.Set(signing.ValidationTokenHeader, token)

	c.mu.Unlock()
	answer, err := c.endpoint.Post(c.ctx, call)
	verified := err == nil && repeats(answer, token)
	c.mu.Lock()

	// A later change of the endpoint has a verification of its own.
	if r.verification == turn && !r.deleted() {
		now := c.now().UTC()
		r.setVerified(verified, now)
		r.save(now)
	}
}

// repeats says whether the endpoint answered 200 with exactly the token.
func repeats(answer EndpointAnswer, token string) bool {
	if answer.StatusCode != http.StatusOK {
		return false
	}
	if kind, _, _ := mime.ParseMediaType(answer.ContentType); kind == "application/json" {
		var text string
		return json.Unmarshal(answer.Body, &text) == nil && text == token
	}
	return string(answer.Body) == token
}
