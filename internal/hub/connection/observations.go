package connection

import (
	"context"
	"slices"
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

const (
	// firstObservation is how soon a webhook is observed that a write leaves unverified, or that a subject wants to
	// have observed; each further observation waits half as long as that is ago. From lastObservation on the poll is
	// often enough.
	firstObservation, lastObservation = 250 * time.Millisecond, time.Minute
	// observationShare and observationRate bound the calls for that: so many for each call that changes something and
	// for each webhook that subjects wanted to have observed and were shown, and so many a second. observationBurst is
	// how many can be made at once. While more than half of them are left, an observation that a subject wants is a
	// call of its own.
	observationShare, observationRate, observationBurst = 0.04, 0.2, 8
	// verifyTime is how long most verifications take at most. The fewer calls are left beyond one for each page that
	// shows what waits, the later the first observation comes: after verifyTime one observation is enough.
	verifyTime = 2 * time.Second
)

// observations are of the webhooks that a write of ours has left unverified, and of those that subjects want to have
// observed. The Hub verifies endpoints after its answer and sends no notification, so the former are read again until
// they are verified, with back-off: by a page of the list, for those that were registered together stand there
// together.
type observations struct {
	of map[string]*observation
	// credit is how many calls may be made for them at creditAt.
	credit   float64
	creditAt time.Time
	// pageLimit is how many webhooks the Hub shows in a page.
	pageLimit int
	// turn is the turn to read a page, among those of all keys.
	turn *pageTurn
	// kicked makes the loop look at them again.
	kicked chan struct{}
}

type observation struct {
	// since is when the webhook was written, or wanted first, next when it is to be read.
	since, next time.Time
	// unverified: a write has left the webhook so.
	unverified bool
	// wanted is since when subjects want to have the webhook observed.
	wanted map[Subject]time.Time
}

func newObservations(now time.Time) observations {
	return observations{
		of: map[string]*observation{}, credit: observationBurst, creditAt: now,
		pageLimit: hub.MaxPageLimit, kicked: make(chan struct{}, 1),
	}
}

// wrote records the answer to a write of ours, which counts as a call that changes something.
func (o *observations) wrote(w *hub.Webhook, at time.Time) {
	o.earn(observationShare)
	of := o.of[w.ID]
	switch {
	case of == nil && w.IsVerified:
		return
	case of == nil:
		of = &observation{}
		o.of[w.ID] = of
	}
	of.since, of.next, of.unverified = at, at.Add(firstObservation), !w.IsVerified
	o.drop(w.ID)
	kick(o.kicked)
}

// want has a webhook observed for a subject by a page that is read from now on.
func (o *observations) want(s Subject, id string, now time.Time) {
	of := o.of[id]
	if of == nil {
		of = &observation{since: now, next: now.Add(firstObservation)}
		o.of[id] = of
	}
	if _, waits := of.wanted[s]; waits {
		return
	}
	if of.wanted == nil {
		of.wanted = map[Subject]time.Time{}
	}
	of.wanted[s], of.next = now, earliest(of.next, now.Add(firstObservation))
	kick(o.kicked)
}

// forget drops that the subject wants to have a webhook observed.
func (o *observations) forget(s Subject, id string) {
	if of := o.of[id]; of != nil {
		delete(of.wanted, s)
		o.drop(id)
	}
}

// drop ends the observation of a webhook that is not to be read again.
func (o *observations) drop(id string) {
	if of := o.of[id]; of != nil && !of.unverified && len(of.wanted) == 0 {
		delete(o.of, id)
	}
}

// shown records that a page whose read began at a time shows a webhook, and returns the subjects that wanted that.
func (o *observations) shown(id string, began time.Time) []Subject {
	of := o.of[id]
	if of == nil {
		return nil
	}
	var served []Subject
	for s, at := range of.wanted {
		if !began.Before(at) {
			delete(of.wanted, s)
			served = append(served, s)
		}
	}
	o.earn(observationShare * float64(len(served)))
	o.drop(id)
	return served
}

// read records that a page was read for the webhook, or would have been. It is read again after a while.
func (o *observations) read(id string, now time.Time, wait, poll time.Duration) {
	of, ok := o.of[id]
	if !ok {
		return
	}
	if of.next = now.Add(wait); len(of.wanted) > 0 {
		of.next = now.Add(firstObservation)
	}
	of.unverified = of.unverified && now.Sub(of.since) < min(lastObservation, 2*poll)
	o.drop(id)
}

// alone reports whether to observe a webhook by a call of its own, and takes that call.
func (o *observations) alone(now time.Time) bool {
	o.refill(now)
	if o.credit <= observationBurst/2 {
		return false
	}
	o.credit--
	return true
}

// refill gives what there is to observe with as time passes.
func (o *observations) refill(now time.Time) {
	o.earn(now.Sub(o.creditAt).Seconds() * observationRate)
	o.creditAt = now
}

// earn adds calls to what is left.
func (o *observations) earn(calls float64) { o.credit = min(o.credit+calls, observationBurst) }

// wait is how long to wait after an observation of a webhook.
func (o *observations) wait(id string, now time.Time) time.Duration {
	if of, ok := o.of[id]; ok {
		return max(now.Sub(of.since)/2, firstObservation)
	}
	return firstObservation
}

// due returns the webhook to read now, the one that is due longest and of several the oldest, or else when there is
// one; the zero time means when there is news.
func (o *observations) due(now time.Time, older func(a, b string) bool) (id string, at time.Time) {
	o.refill(now)
	spare := o.credit - float64(len(o.of))/float64(o.pageLimit)
	minAge := min(time.Duration((1-spare/observationBurst)*float64(3*verifyTime)), verifyTime+firstObservation)
	for candidate, of := range o.of {
		next := of.next
		if len(of.wanted) == 0 {
			next = latest(next, of.since.Add(minAge))
		}
		if at.IsZero() || next.Before(at) || next.Equal(at) && older(candidate, id) {
			id, at = candidate, next
		}
	}
	switch {
	case at.After(now) || id == "":
		return "", at
	case o.credit < 1:
		wait := time.Duration((1 - o.credit) / observationRate * float64(time.Second))
		return "", now.Add(max(wait, time.Millisecond))
	}
	o.credit--
	return id, time.Time{}
}

// StepObservations reads what is due of the webhooks that wait for their verification, at most one page, and returns
// when to be called again; the zero time means when there is news. Only one goroutine may be in it at a time.
func (c *Connection) StepObservations(ctx context.Context) time.Time {
	c.mu.Lock()
	now := c.cfg.Now()
	o := &c.observations
	if len(c.subjects) == 0 {
		clear(o.of)
	}
	for id, of := range o.of {
		known, ok := c.inventory.entries[id]
		if !ok {
			c.leaveToListing(id)
		}
		of.unverified = of.unverified && ok && !known.Webhook.IsVerified
		o.drop(id)
	}
	switch {
	case c.breaker.shut():
		defer c.mu.Unlock()
		return time.Time{} // a signal tells when calls can be made again
	case now.Before(c.breaker.pausedUntil):
		defer c.mu.Unlock()
		return c.breaker.pausedUntil
	}
	if !o.turn.enter() {
		defer c.mu.Unlock()
		return time.Time{} // kicked when there is room
	}
	id, at := o.due(now, func(a, b string) bool {
		return c.inventory.entries[a].Webhook.CreatedDate.Before(c.inventory.entries[b].Webhook.CreatedDate)
	})
	if id == "" {
		defer c.mu.Unlock()
		o.turn.leave()
		return at
	}
	page, call := c.pageOf(id), call{now, c.breaker.era}
	c.budget.debit(now)
	c.mu.Unlock()

	got, err := c.readPage(ctx, o.turn, page, call)
	c.wake(c.observed(id, page, got, err, call), Awaited)
	return c.cfg.Now()
}

// observed records a page that was read for a webhook, and returns the subjects for which it is news.
func (c *Connection) observed(id string, asked hub.Page, got *hub.WebhookPage, err error, call call) []Subject {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, o := c.cfg.Now(), &c.observations
	c.record(call, listingOutage(err), now) // a page is a call for the whole key
	// All that the page shows wait alike, or each one would soon ask for a page of its own.
	wait, poll := o.wait(id, now), c.cfg.PollInterval
	if err != nil {
		o.read(id, now, wait, poll)
		return nil
	}
	news := c.shown(got, call.began)
	if n := len(got.Webhooks); got.Paged && n > 1 && n < asked.Limit && asked.Offset+n < got.Total {
		o.pageLimit = n
	}
	if !slices.ContainsFunc(got.Webhooks, func(w hub.Webhook) bool { return w.ID == id }) {
		// The list is not as it is known, so other pages would be the wrong ones as well.
		for other := range o.of {
			c.leaveToListing(other)
		}
	}
	o.read(id, now, wait, poll)
	for i := range got.Webhooks {
		o.read(got.Webhooks[i].ID, now, wait, poll)
	}
	return news
}

// leaveToListing has a listing observe a webhook for the subjects that want it.
func (c *Connection) leaveToListing(id string) {
	of := c.observations.of[id]
	if of == nil {
		return
	}
	for s, at := range of.wanted {
		if c.lister.want(s, at) {
			kick(c.lister.kicked)
		}
	}
	clear(of.wanted)
}

// shown takes what a page shows that was read for whatever reason, and returns the subjects for which it is news.
func (c *Connection) shown(page *hub.WebhookPage, began time.Time) []Subject {
	var news []Subject
	for i := range page.Webhooks {
		if _, unreadable := page.Unreadable[i]; unreadable {
			continue
		}
		news = append(news, c.inventory.saw(page.Webhooks[i], began)...)
		news = append(news, c.observations.shown(page.Webhooks[i].ID, began)...)
	}
	c.inventory.ordered(page)
	return news
}

// pageOf is the page of the list that should show the webhook and as many as possible that were written after it.
func (c *Connection) pageOf(id string) hub.Page {
	// The place may be some entries off, for others register and delete webhooks, too.
	const off = 2
	created, older := c.inventory.entries[id].Webhook.CreatedDate, 0
	for _, e := range c.inventory.entries {
		if e.Webhook.CreatedDate.Before(created) {
			older++
		}
	}
	n, limit := max(len(c.inventory.entries), c.inventory.total), c.observations.pageLimit
	first := min(older-off, n-limit)
	if c.inventory.newestFirst {
		first = n - 1 - older - (limit - 1) + off
	}
	if limit <= 2*off {
		first = older
		if c.inventory.newestFirst {
			first = n - 1 - older
		}
	}
	return hub.Page{Offset: max(first, 0), Limit: hub.MaxPageLimit}
}

func (c *Connection) runObservations(ctx context.Context) {
	defer c.observations.turn.leave()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-c.observations.kicked:
		}
		timer.Reset(c.until(c.StepObservations(ctx)))
	}
}
