package connection

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

// errDeleted is the answer to a look that shows a webhook which we deleted a moment ago.
var errDeleted = &hub.Error{
	Operation: "getWebhook", Outcome: hub.NotApplied, Kind: hub.NotFound, Cause: "the webhook was deleted a moment ago",
}

// Create registers a webhook.
func (c *Connection) Create(ctx context.Context, s Subject, w hub.WebhookCreate) (*hub.WebhookWithSecret, error) {
	began, ok := c.admit(s, Creation)
	if !ok {
		return nil, ErrWait
	}
	got, err := c.client.CreateWebhook(ctx, w)
	c.done(began, err, func(at time.Time) { c.inventory.wrote(got.Webhook, at) })
	return got, err
}

// Update changes a webhook.
func (c *Connection) Update(
	ctx context.Context, s Subject, id string, u hub.WebhookUpdate,
) (*hub.WebhookWithSecret, error) {
	began, ok := c.admit(s, Repair)
	if !ok {
		return nil, ErrWait
	}
	got, err := c.client.UpdateWebhook(ctx, id, u)
	c.done(began, err, func(at time.Time) { c.inventory.wrote(got.Webhook, at) })
	c.doubt(id, err)
	return got, err
}

// RedefineSignature has a new signing secret made; the old one is dead from then on.
func (c *Connection) RedefineSignature(ctx context.Context, s Subject, id string) (hub.Secret, error) {
	began, ok := c.admit(s, Repair)
	if !ok {
		return hub.Secret{}, ErrWait
	}
	secret, err := c.client.RedefineSignature(ctx, id)
	c.done(began, err, nil)
	c.doubt(id, err)
	return secret, err
}

// Delete deletes a webhook. One that is gone already is an error of kind hub.NotFound.
func (c *Connection) Delete(ctx context.Context, s Subject, id string) error {
	began, ok := c.admit(s, Deletion)
	if !ok {
		return ErrWait
	}
	err := c.client.DeleteWebhook(ctx, id)
	c.done(began, err, func(at time.Time) { c.inventory.erased(id, at) })
	return err
}

// Get looks at one webhook.
func (c *Connection) Get(ctx context.Context, s Subject, id string, p Priority) (Sighting, error) {
	began, ok := c.admit(s, p)
	if !ok {
		return Sighting{}, ErrWait
	}
	got, err := c.client.GetWebhook(ctx, id)
	c.mu.Lock()
	var news []Subject
	c.ended(began, err)
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
	c.wake(news, Usual)
	return seen, err
}

// Look looks at one webhook again: by itself while fewer looks are wanted than a listing has pages, and then ok says
// that the answer is here; else by one listing for all, and then the subject is woken when that is done.
func (c *Connection) Look(ctx context.Context, s Subject, id string) (seen Sighting, ok bool, err error) {
	c.mu.Lock()
	now := c.cfg.Now()
	alone := c.looks.with(id, now) < pages(c.inventory.listing.Count)
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

// Turn takes a turn for a call of this priority that s is about to make. Without one it tells so, and s is woken when
// it has one.
func (c *Connection) Turn(s Subject, p Priority) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.turn(s, p, c.cfg.Now(), c.budget.reserve)
}

// StepBudget gives turns to those who wait, and returns when to be called again; the zero time means when there is
// news.
func (c *Connection) StepBudget() time.Time {
	c.mu.Lock()
	now := c.cfg.Now()
	wave, next := c.ramp.wave(now)
	var turns []Subject
	switch {
	case c.breaker.shut():
	case c.breaker.stopped(now):
		next = sooner(next, c.breaker.pausedUntil)
	default:
		var token time.Time
		turns, token = c.budget.grant(now)
		next = sooner(next, token)
	}
	c.mu.Unlock()
	if i := slices.Index(turns, polling); i >= 0 {
		kick(c.lister.kicked)
		turns = slices.Delete(turns, i, i+1)
	}
	c.wake(turns, Turn)
	c.wake(wave, Usual)
	return next
}

// sooner is the earlier of two times, of which the zero time is none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// admit takes a token and a lane for a call, or puts the subject in the queue.
func (c *Connection) admit(s Subject, p Priority) (began time.Time, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.cfg.Now()
	return now, c.turn(s, p, now, c.budget.take)
}

// turn takes what a call needs, or puts the subject in the queue. It needs the lock.
func (c *Connection) turn(
	s Subject, p Priority, now time.Time, take func(Subject, Priority, time.Time) bool,
) bool {
	if c.breaker.access != Open {
		return false // everyone is woken when it is open again
	}
	if c.breaker.stopped(now) {
		c.budget.enqueue(s, p, now)
	} else if take(s, p, now) {
		return true
	}
	c.kickBudget()
	return false
}

// done takes the end of a call that changes something.
func (c *Connection) done(began time.Time, err error, apply func(at time.Time)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended(began, err)
	if err == nil && apply != nil {
		apply(c.cfg.Now())
	}
}

// doubt forgets a webhook that a call did not find, so that the next look asks for it.
func (c *Connection) doubt(id string, err error) {
	if !hub.IsKind(err, hub.NotFound) {
		return
	}
	c.mu.Lock()
	news := c.inventory.missed(id, c.cfg.Now())
	c.mu.Unlock()
	c.wake(news, Usual)
}

// ended takes the end of a call for one webhook: that it was refused may be about the webhook alone.
func (c *Connection) ended(began time.Time, err error) {
	now := c.cfg.Now()
	c.budget.lane.leave(began, now)
	if len(c.budget.queue) > 0 {
		c.kickBudget() // there is room for another one
	}
	if hub.IsKind(err, hub.Refused) {
		c.breaker.suspect(now)
		kick(c.lister.kicked)
		return
	}
	c.record(err, now)
}

// record tells budget and breaker how a call ended, and everyone when calls can be made no more, or again.
func (c *Connection) record(err error, now time.Time) {
	if e, ok := errors.AsType[*hub.Error](err); err == nil || ok && e.StatusCode > 0 && e.Kind != hub.Throttled {
		c.budget.pace.took()
	}
	wasShut, before := c.breaker.shut(), c.breaker.access
	changed, pause := c.breaker.record(err, now, c.cfg.Jitter)
	if pause > 0 {
		c.cfg.Metrics.Throttled(c.key, pause)
		c.budget.slowDown(now, c.breaker.pausedUntil)
	}
	if changed {
		if before != Open && c.breaker.access == Open {
			c.budget.comeBack(latest(now, c.breaker.pausedUntil))
		}
		c.cfg.Metrics.Breaker(c.key, c.breaker.access != Open)
		c.ramp.start(c.everyone(), now)
	}
	if changed || wasShut != c.breaker.shut() {
		c.signal()
	}
}

// pages is how many calls a listing of n webhooks costs, for each page repeats an entry of the one before.
func pages(n int) int {
	return max((n-1+hub.MaxPageLimit-2)/(hub.MaxPageLimit-1), 1)
}
