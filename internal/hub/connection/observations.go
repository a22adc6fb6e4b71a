package connection

import (
	"context"
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

const (
	// firstObservation is how soon after a write that leaves a webhook unverified the webhook is observed; each further
	// observation waits half as long as the write is ago. From lastObservation on the poll is often enough.
	firstObservation, lastObservation = 250 * time.Millisecond, time.Minute
	// observationShare and observationRate bound the calls for that: so many for each call that changes something, and
	// so many a second. observationBurst is how many can be made at once.
	observationShare, observationRate, observationBurst = 0.04, 0.2, 8
	// verifyTime is how long most verifications take at most. The fewer calls are left, the later the first observation
	// comes: after verifyTime, with a third of them spent, one observation is enough.
	verifyTime = 2 * time.Second
)

// observations are of the webhooks that a write of ours has left unverified. The Hub verifies endpoints after its
// answer and tells nobody, so they are read again until they are verified, ever less often: by a page of the list, for
// those that were registered together stand there together.
type observations struct {
	of map[string]*observation
	// credit is how many calls may be made for them at creditAt.
	credit   float64
	creditAt time.Time
	// newestFirst, total and pageLimit are what the last page has shown of the Hub's list.
	newestFirst      bool
	total, pageLimit int
	// turn is the turn to read a page, among those of all keys.
	turn *pageTurn
	// kicked makes the loop look at them again.
	kicked chan struct{}
}

type observation struct {
	// since is when the webhook was written, next when it is to be read.
	since, next time.Time
}

func newObservations(now time.Time) observations {
	return observations{
		of: map[string]*observation{}, credit: observationBurst, creditAt: now,
		pageLimit: hub.MaxPageLimit, kicked: make(chan struct{}, 1),
	}
}

// wrote takes the answer to a write of ours, which counts as a call that changes something.
func (o *observations) wrote(w *hub.Webhook, at time.Time) {
	o.credit = min(o.credit+observationShare, observationBurst)
	delete(o.of, w.ID)
	if !w.IsVerified {
		o.of[w.ID] = &observation{since: at, next: at.Add(firstObservation)}
	}
	kick(o.kicked)
}

// read takes that the webhook was read, or could not be, and whether it is verified. It is read again after a while.
func (o *observations) read(id string, verified bool, now time.Time, wait, poll time.Duration) {
	of, ok := o.of[id]
	if !ok {
		return
	}
	if of.next = now.Add(wait); verified || now.Sub(of.since) >= min(lastObservation, 2*poll) {
		delete(o.of, id)
	}
}

// wait is how long to wait after an observation of a webhook.
func (o *observations) wait(id string, now time.Time) time.Duration {
	if of, ok := o.of[id]; ok {
		return max(now.Sub(of.since)/2, firstObservation)
	}
	return firstObservation
}

// due returns the webhook to read now, the one that is due longest, or else when there is one; the zero time means
// when there is news.
func (o *observations) due(now time.Time) (id string, at time.Time) {
	o.credit = min(o.credit+now.Sub(o.creditAt).Seconds()*observationRate, observationBurst)
	o.creditAt = now
	minAge := time.Duration((1 - o.credit/observationBurst) * float64(3*verifyTime))
	for candidate, of := range o.of {
		next := latest(of.next, of.since.Add(minAge))
		if at.IsZero() || next.Before(at) || next.Equal(at) && of.since.Before(o.of[id].since) {
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
	for id := range o.of {
		if known, ok := c.inventory.entries[id]; !ok || known.Webhook.IsVerified {
			delete(o.of, id)
		}
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
	id, at := o.due(now)
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

// observed takes a page that was read for a webhook, and returns whom it is news for.
func (c *Connection) observed(id string, asked hub.Page, got *hub.WebhookPage, err error, call call) []Subject {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, o := c.cfg.Now(), &c.observations
	c.record(call, listingOutage(err), now) // a page is a call for the whole key
	// All that the page shows wait alike, or each one would soon ask for a page of its own.
	wait, poll := o.wait(id, now), c.cfg.PollInterval
	o.read(id, false, now, wait, poll)
	if err != nil {
		return nil
	}
	var news []Subject
	all := got.Webhooks
	for i := range all {
		if _, unreadable := got.Unreadable[i]; unreadable {
			continue
		}
		news = append(news, c.inventory.saw(all[i], call.began)...)
		o.read(all[i].ID, all[i].IsVerified, now, wait, poll)
	}
	c.inventory.placed(got, asked.Offset)
	news = append(news, c.looksServed(got, asked, call.began, false)...)
	o.total = got.Total
	if n := len(all); n > 1 {
		o.newestFirst = all[n-1].CreatedDate.Before(all[0].CreatedDate)
		if got.Paged && n < asked.Limit && asked.Offset+n < got.Total {
			o.pageLimit = n
		}
	}
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
	n, limit := max(len(c.inventory.entries), c.observations.total), c.observations.pageLimit
	first := min(older-off, n-limit)
	if c.observations.newestFirst {
		first = n - 1 - older - (limit - 1) + off
	}
	if limit <= 2*off {
		first = older
		if c.observations.newestFirst {
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
