package connection

import (
	"context"
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

// lookWindow is how long a look counts as one of those that wait at the same time.
const lookWindow = 2 * time.Second

// errDeleted is the answer to a look that shows a webhook which we deleted a moment ago.
var errDeleted = &hub.Error{
	Operation: "getWebhook", Outcome: hub.NotApplied, Kind: hub.NotFound, Cause: "the webhook was deleted a moment ago",
}

// Create registers a webhook.
func (c *Connection) Create(ctx context.Context, s Subject, w hub.WebhookCreate) (*hub.WebhookWithSecret, error) {
	if !c.admit(s, Creation) {
		return nil, ErrWait
	}
	got, err := c.client.CreateWebhook(ctx, w)
	c.done(err, func(at time.Time) { c.inventory.wrote(got.Webhook, at) })
	return got, err
}

// Update changes a webhook.
func (c *Connection) Update(
	ctx context.Context, s Subject, id string, u hub.WebhookUpdate,
) (*hub.WebhookWithSecret, error) {
	if !c.admit(s, Repair) {
		return nil, ErrWait
	}
	got, err := c.client.UpdateWebhook(ctx, id, u)
	c.done(err, func(at time.Time) { c.inventory.wrote(got.Webhook, at) })
	c.doubt(id, err)
	return got, err
}

// RedefineSignature has a new signing secret made; the old one is dead from then on.
func (c *Connection) RedefineSignature(ctx context.Context, s Subject, id string) (hub.Secret, error) {
	if !c.admit(s, Repair) {
		return hub.Secret{}, ErrWait
	}
	secret, err := c.client.RedefineSignature(ctx, id)
	c.done(err, nil)
	c.doubt(id, err)
	return secret, err
}

// Delete deletes a webhook. One that is gone already is an error of kind hub.NotFound.
func (c *Connection) Delete(ctx context.Context, s Subject, id string) error {
	if !c.admit(s, Deletion) {
		return ErrWait
	}
	err := c.client.DeleteWebhook(ctx, id)
	c.done(err, func(at time.Time) { c.inventory.erased(id, at) })
	return err
}

// Get looks at one webhook.
func (c *Connection) Get(ctx context.Context, s Subject, id string, p Priority) (Sighting, error) {
	if !c.admit(s, p) {
		return Sighting{}, ErrWait
	}
	began := c.cfg.Now()
	got, err := c.client.GetWebhook(ctx, id)
	c.mu.Lock()
	news := c.record(err, c.cfg.Now())
	seen := Sighting{SeenAt: began}
	switch {
	case err == nil:
		news = append(news, c.inventory.saw(*got, began)...)
		known, ok := c.inventory.entries[got.ID]
		if seen = known.Sighting; !ok {
			seen, err = Sighting{SeenAt: began}, errDeleted
		}
	case hub.IsKind(err, hub.NotFound):
		news = append(news, c.inventory.missed(id, began)...)
	}
	c.mu.Unlock()
	c.wake(news)
	return seen, err
}

// Look looks at one webhook again: by itself while fewer looks are wanted than a listing has pages, and then ok says
// that the answer is here; else by one listing for all, and then the subject is woken when that is done.
func (c *Connection) Look(ctx context.Context, s Subject, id string) (seen Sighting, ok bool, err error) {
	c.mu.Lock()
	now := c.cfg.Now()
	for other, at := range c.looking {
		if now.After(at.Add(lookWindow)) {
			delete(c.looking, other)
		}
	}
	c.looking[id] = now
	alone := len(c.looking) < pages(c.inventory.listing.Count)
	c.mu.Unlock()
	if !alone {
		c.Want(s, now)
		return Sighting{}, false, nil
	}
	seen, err = c.Get(ctx, s, id, Repair)
	return seen, err == nil, err
}

// Find is the webhook as it was last seen.
func (c *Connection) Find(id string) (Sighting, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.inventory.entries[id]
	return e.Sighting, ok
}

// Matches are the webhooks with this natural key, oldest first.
func (c *Connection) Matches(key NaturalKey) []hub.Webhook {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.inventory.matches(key)
}

// Listing is what is known from listings.
func (c *Connection) Listing() Listing {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.inventory.listing
}

// State is whether calls can be made.
type State struct {
	Access Access
	// Cause is what went wrong when the Hub went down, in our own words.
	Cause string
	// Paused is true while the Hub has asked to wait.
	Paused bool
}

// State is whether calls can be made now.
func (c *Connection) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return State{
		Access: c.breaker.access, Cause: c.breaker.cause, Paused: c.cfg.Now().Before(c.breaker.pausedUntil),
	}
}

// Probe makes the next probe of a refused key or a Hub that is down come now.
func (c *Connection) Probe() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.breaker.access != Open {
		c.breaker.probeAt = c.cfg.Now()
		c.signal()
	}
}

// StepBudget gives turns to those who wait, and returns when to be called again; the zero time means when there is
// news.
func (c *Connection) StepBudget() time.Time {
	c.mu.Lock()
	now := c.cfg.Now()
	if c.breaker.stopped(now) {
		at := c.breaker.pausedUntil
		if c.breaker.access != Open {
			at = time.Time{}
		}
		c.mu.Unlock()
		return at
	}
	turns, next := c.budget.grant(now)
	c.mu.Unlock()
	for i, s := range turns {
		if s == polling {
			c.signal()
			turns = append(turns[:i:i], turns[i+1:]...)
			break
		}
	}
	c.wake(turns)
	return next
}

// admit takes a token for a call, or puts the subject in the queue.
func (c *Connection) admit(s Subject, p Priority) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.cfg.Now()
	if c.breaker.access != Open {
		return false // everyone is woken when it is open again
	}
	if c.breaker.stopped(now) {
		c.budget.enqueue(s, p, now)
		c.signal()
		return false
	}
	if c.budget.take(s, p, now) {
		return true
	}
	c.signal()
	return false
}

// done takes the end of a call that changes something.
func (c *Connection) done(err error, apply func(at time.Time)) {
	c.mu.Lock()
	now := c.cfg.Now()
	news := c.record(err, now)
	if err == nil && apply != nil {
		apply(now)
	}
	c.mu.Unlock()
	c.wake(news)
}

// doubt forgets a webhook that a call did not find, so that the next look asks for it.
func (c *Connection) doubt(id string, err error) {
	if !hub.IsKind(err, hub.NotFound) {
		return
	}
	c.mu.Lock()
	news := c.inventory.missed(id, c.cfg.Now())
	c.mu.Unlock()
	c.wake(news)
}

// record tells the breaker how a call ended, and returns whom that is news for.
func (c *Connection) record(err error, now time.Time) []Subject {
	changed, pause := c.breaker.record(err, now, c.cfg.Jitter)
	if pause > 0 {
		c.cfg.Metrics.Throttled(c.key, pause)
		c.budget.drain(c.breaker.pausedUntil)
	}
	if !changed {
		return nil
	}
	c.cfg.Metrics.Breaker(c.key, c.breaker.access != Open)
	c.signal()
	return c.everyone()
}

// pages is how many calls a listing of n webhooks costs, for each page repeats an entry of the one before.
func pages(n int) int {
	return max((n-1+hub.MaxPageLimit-2)/(hub.MaxPageLimit-1), 1)
}
