package simulator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"mime"
	"net/http"
	"time"

	"github.com/chatt2me/webhook-operator/internal/signing"
)

// The Hub runs a verification this long after it has answered the call that asked for it.
const minVerifyDelay, maxVerifyDelay = 50 * time.Millisecond, 2 * time.Second

// verify runs the handshake with the endpoint of r, before or after the answer as the variant says. It needs the lock,
// and gives it up while it waits for the endpoint.
func (c *Core) verify(r *record) {
	r.verification++
	turn := r.verification
	if c.variants.VerifyBeforeAnswer {
		c.shakeHands(r, turn)
		return
	}
	c.schedule(cmp.Or(time.Duration(c.variants.VerifyAfter), verifyDelay(r.ID, turn)), func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.shakeHands(r, turn)
	})
}

// verifyDelay spreads the verifications of webhooks, and is the same each time that a test runs.
func verifyDelay(id string, turn int) time.Duration {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s/%d", id, turn) // a hash takes everything
	return minVerifyDelay + time.Duration(h.Sum64()%uint64(maxVerifyDelay-minVerifyDelay))
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
