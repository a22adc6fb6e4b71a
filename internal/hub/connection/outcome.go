package connection

import (
	"errors"
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

// errDeleted is the answer to a look that shows a webhook which we deleted a moment ago.
var errDeleted = &hub.Error{
	Operation: "getWebhook", Outcome: hub.NotApplied, Kind: hub.NotFound, Cause: "the webhook was deleted a moment ago",
}

// done records the end of a call that changes something.
func (c *Connection) done(call call, err error, apply func(at time.Time)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended(call, err)
	if err == nil && apply != nil {
		apply(c.cfg.Now())
	}
}

// apply changes what is known.
func (c *Connection) apply(change func(at time.Time)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(c.cfg.Now())
}

// leave gives back the lane of a call, however that ended: a call that panics keeps none.
func (c *Connection) leave(call call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.budget.lane.leave(call.began, c.cfg.Now())
	if len(c.budget.queue) > 0 {
		c.kickBudget() // there is room for another one
	}
}

// looked records the answer to a look at one webhook, and returns the subjects for which it is news.
func (c *Connection) looked(call call, id string, got *hub.Webhook, err error) (Sighting, []Subject, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended(call, err)
	seen := Sighting{SeenAt: call.began}
	if hub.IsKind(err, hub.NotFound) {
		c.inventory.missed(id, call.began)
	}
	if err != nil {
		return seen, nil, err
	}
	news := c.inventory.saw(*got, call.began)
	if known, ok := c.inventory.entries[got.ID]; ok {
		return known.Sighting, news, nil
	}
	c.inventory.missed(id, call.began)
	return seen, news, errDeleted
}

// doubt records a webhook that a call did not find.
func (c *Connection) doubt(call call, id string, err error) {
	if hub.IsKind(err, hub.NotFound) {
		c.apply(func(time.Time) { c.inventory.missed(id, call.began) })
	}
}

// ended records the end of a call for one webhook: that it was refused, or failed, may be about this call alone.
func (c *Connection) ended(call call, err error) {
	now := c.cfg.Now()
	if hub.IsKind(err, hub.Refused) || hub.IsKind(err, hub.Unavailable) && c.breaker.failing(call.era) {
		c.breaker.suspect(call.era, now)
		kick(c.lister.kicked)
		return
	}
	if hub.IsKind(err, hub.Unavailable) && c.breaker.access == Open {
		return
	}
	c.record(call, err, now)
}

// record tells budget and breaker how a call ended, and everyone when calls can be made no more, or again.
func (c *Connection) record(call call, err error, now time.Time) {
	if e, ok := errors.AsType[*hub.Error](err); err == nil || ok && e.StatusCode > 0 && e.Kind != hub.Throttled {
		c.budget.pace.took()
	}
	wasShut, before := c.breaker.shut(), c.breaker.access
	changed, pause := c.breaker.record(call.era, err, now, c.cfg.Jitter)
	if pause > 0 {
		c.cfg.Metrics.Throttled(c.key, pause)
		c.budget.slowDown(now, c.breaker.pausedUntil)
	}
	if changed {
		if before != Open && c.breaker.access == Open {
			c.budget.comeBack(latest(now, c.breaker.pausedUntil))
		}
		c.cfg.Metrics.Breaker(c.key, c.breaker.access)
		c.ramp.start(c.everyone(), now)
	}
	if changed || wasShut != c.breaker.shut() {
		c.signal()
	}
}
