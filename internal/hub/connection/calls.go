package connection

import (
	"context"
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

// Create registers a webhook.
func (c *Connection) Create(ctx context.Context, s Subject, w hub.WebhookFields) (*hub.WebhookWithSecret, error) {
	call, ok := c.admit(s, Creation)
	if !ok {
		return nil, ErrWait
	}
	defer c.leave(call)
	got, err := c.client.CreateWebhook(ctx, w)
	c.done(call, err, func(at time.Time) { c.wrote(got.Webhook, at) })
	return got, err
}

// Update changes a webhook.
func (c *Connection) Update(
	ctx context.Context, s Subject, id string, u hub.WebhookFields,
) (*hub.WebhookWithSecret, error) {
	call, ok := c.admit(s, Repair)
	if !ok {
		return nil, ErrWait
	}
	defer c.leave(call)
	got, err := c.client.UpdateWebhook(ctx, id, u)
	c.done(call, err, func(at time.Time) { c.wrote(got.Webhook, at) })
	c.doubt(call, id, err)
	return got, err
}

// wrote records the answer to a write of ours.
func (c *Connection) wrote(w hub.Webhook, at time.Time) {
	c.inventory.wrote(w, at)
	c.observations.wrote(&w, at)
}

// RedefineSignature has a new signing secret made; the old one is stale from then on.
func (c *Connection) RedefineSignature(ctx context.Context, s Subject, id string) (hub.Secret, error) {
	call, ok := c.admit(s, Repair)
	if !ok {
		return hub.Secret{}, ErrWait
	}
	defer c.leave(call)
	secret, err := c.client.RedefineSignature(ctx, id)
	c.done(call, err, nil)
	c.doubt(call, id, err)
	return secret, err
}

// Delete deletes a webhook. One that is gone already is an error of kind hub.NotFound.
func (c *Connection) Delete(ctx context.Context, s Subject, id string) error {
	call, ok := c.admit(s, Deletion)
	if !ok {
		return ErrWait
	}
	defer c.leave(call)
	err := c.client.DeleteWebhook(ctx, id)
	erase := func(at time.Time) { c.inventory.erased(id, at) }
	c.done(call, err, erase)
	if hub.IsKind(err, hub.NotFound) {
		c.apply(erase) // or who deletes it would find it again, and delete it again
	}
	return err
}

// Get reads one webhook.
func (c *Connection) Get(ctx context.Context, s Subject, id string, p Priority) (Sighting, error) {
	call, ok := c.admit(s, p)
	if !ok {
		return Sighting{}, ErrWait
	}
	defer c.leave(call)
	got, err := c.client.GetWebhook(ctx, id)
	seen, news, err := c.looked(call, id, got, err)
	c.wake(news, Usual)
	return seen, err
}

// Look observes one webhook again: by itself while few calls were made to observe, and then ok says that the answer is
// here; else by a page of the list for many, and then the subject is woken when that was read.
func (c *Connection) Look(ctx context.Context, s Subject, id string) (seen Sighting, ok bool, err error) {
	if !c.looksAlone(s, id) {
		return Sighting{}, false, nil
	}
	seen, err = c.Get(ctx, s, id, Repair)
	return seen, err == nil, err
}

// looksAlone reports whether a webhook is observed by itself; if not, the subject waits for a page.
func (c *Connection) looksAlone(s Subject, id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.cfg.Now()
	_, known := c.inventory.entries[id]
	listed := known && c.inventory.paged && pages(c.inventory.total) > 1
	switch o := &c.observations; {
	case pages(c.inventory.total) > 1 && o.alone(now):
		return true
	case listed:
		o.want(s, id, now)
	case c.lister.want(s, now):
		kick(c.lister.kicked)
	}
	return false
}

// Find is the webhook as it was last seen, unless a call has not found it since.
func (c *Connection) Find(id string) (Sighting, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.inventory.entries[id]
	return e.Sighting, ok && !c.inventory.inDoubt(id)
}

// Missing returns when a call that has not found the webhook began, if there was one, and whether it is sure that it is
// gone: a complete listing does not show it either. To ask again in each step would take the turns that its deletion
// waits for.
func (c *Connection) Missing(id string) (began time.Time, sure, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	began, ok = c.inventory.missing[id]
	return began, ok && !c.inventory.inDoubt(id) && !c.inventory.listing.BeganAt.IsZero(), ok
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
	listing := c.inventory.listing
	if s := c.lister.scan; s != nil && s.read > 0 && listing.BeganAt.IsZero() {
		listing.Pages, listing.Read = pages(s.total), s.read
	}
	return listing
}

// State is whether calls can be made.
type State struct {
	Access Access
	// Cause is what went wrong when the Hub went down, in our own words.
	Cause string
	// PausedUntil is when calls go on, for the Hub asked to wait; in the past, or zero, when they may be made.
	PausedUntil time.Time
}

// State is whether calls can be made now.
func (c *Connection) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return State{Access: c.breaker.access, Cause: c.breaker.cause, PausedUntil: c.breaker.pausedUntil}
}

// Probe makes the next probe of a refused key or a Hub that is down come soon.
func (c *Connection) Probe() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.breaker.access != Open {
		c.breaker.ask(c.cfg.Now())
		c.signal()
	}
}

// pages is how many calls a listing of n webhooks costs, for each page repeats an entry of the one before.
func pages(n int) int {
	return max((n-1+hub.MaxPageLimit-2)/(hub.MaxPageLimit-1), 1)
}
