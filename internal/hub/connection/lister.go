package connection

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

// scansInARow is how many listings that do not come out whole follow one another at once, before there is a rest.
const scansInARow = 3

// listingGap is the least time between the beginnings of two listings that somebody wants.
const listingGap = 250 * time.Millisecond

// pageRetry is how soon a page that failed is asked for again; each further time waits four times as long.
const pageRetry = 500 * time.Millisecond

// lister makes listings: one each poll interval, and sooner for those who want one.
type lister struct {
	// wanted is who waits for a listing, and when it must begin at the earliest.
	wanted map[Subject]time.Time
	// soonest is the earliest time in wanted, zero when nobody waits.
	soonest time.Time
	scan    *scan
	// probing: the first page was asked for as a probe, when no listing was due.
	probing bool
	// prove: calls wait for a lane until the Hub has answered quickly, and a page shows whether it does.
	prove bool
	// broken is how many scans in a row did not come out whole, failed how many pages in a row failed for the Hub's
	// sake. While either is above zero, nextAt holds for those who want a listing, too.
	broken, failed int
	nextAt         time.Time
	// kicked makes the loop look again.
	kicked chan struct{}
}

func newLister() lister {
	return lister{wanted: map[Subject]time.Time{}, kicked: make(chan struct{}, 1)}
}

// Want asks for a whole listing that begins at notBefore or later, shared with everyone who wants one. The subject is
// woken when there is one.
func (c *Connection) Want(s Subject, notBefore time.Time) {
	c.mu.Lock()
	if last := c.inventory.listing.BeganAt; !last.IsZero() && !last.Before(notBefore) {
		// It came out whole since the subject looked.
		c.mu.Unlock()
		c.wake([]Subject{s}, Usual)
		return
	}
	defer c.mu.Unlock()
	if c.lister.want(s, notBefore) {
		kick(c.lister.kicked)
	}
}

// want takes note of a wish, and tells whether it makes a listing due sooner.
func (l *lister) want(s Subject, notBefore time.Time) bool {
	if at, ok := l.wanted[s]; ok && !notBefore.After(at) {
		return false
	}
	l.wanted[s] = notBefore
	if l.soonest.IsZero() || notBefore.Before(l.soonest) {
		l.soonest = notBefore
		return true
	}
	return false
}

// forget drops the wish of s.
func (l *lister) forget(s Subject) {
	at, ok := l.wanted[s]
	delete(l.wanted, s)
	if ok && at.Equal(l.soonest) {
		l.remind()
	}
}

// remind looks anew who waits for what.
func (l *lister) remind() {
	l.soonest = time.Time{}
	for _, at := range l.wanted {
		l.soonest = sooner(l.soonest, at)
	}
}

// StepListing does what is due for the listing, at most one call, and returns when to be called again; the zero time
// means when there is news. Only one goroutine may be in it at a time.
func (c *Connection) StepListing(ctx context.Context) time.Time {
	c.mu.Lock()
	now := c.cfg.Now()
	if ready, at := c.listingReady(now); !ready {
		c.mu.Unlock()
		return at
	}
	if c.lister.scan == nil {
		c.lister.scan = newScan(now)
	}
	c.lister.prove = false
	current, asked := c.lister.scan, call{now, c.breaker.era}
	c.mu.Unlock()

	page, err := c.client.ListWebhooks(ctx, current.next())
	return c.listed(current, page, err, asked)
}

// listingReady tells whether to ask for a page now, or else when.
func (c *Connection) listingReady(now time.Time) (bool, time.Time) {
	c.lister.probing = false
	switch {
	case len(c.subjects) == 0:
		c.lister.scan = nil
		return false, time.Time{}
	case c.breaker.shut():
		// The next page of the listing is the probe: the first one where none is under way.
		at := c.breaker.probeDue()
		c.lister.probing = c.breaker.access == Open && c.lister.scan == nil &&
			now.Before(c.lister.due(c.inventory.listing.BeganAt))
		if now.Before(at) {
			return false, at
		}
		c.breaker.probe()
		c.budget.debit(now)
		return true, at
	case now.Before(c.breaker.pausedUntil):
		return false, c.breaker.pausedUntil
	}
	if c.lister.scan == nil || c.lister.failed > 0 {
		if at := c.lister.due(c.inventory.listing.BeganAt); now.Before(at) {
			if !c.lister.prove || c.lister.failed > 0 {
				return false, at
			}
			c.lister.probing = true
		}
	}
	if c.budget.take(polling, Polling, now) {
		return true, time.Time{}
	}
	if c.lister.scan != nil {
		c.budget.waitsSince(c.lister.scan.began)
	}
	c.kickBudget()
	return false, time.Time{}
}

// due is when the next listing is to begin.
func (l *lister) due(last time.Time) time.Time {
	at := l.nextAt
	if l.failed > 0 || l.broken > 0 {
		return at
	}
	// However many want one, and however often, they share it.
	if wanted := latest(l.soonest, last.Add(listingGap)); !l.soonest.IsZero() && wanted.Before(at) {
		return wanted
	}
	return at
}

// listed takes the answer to one page.
func (c *Connection) listed(s *scan, page *hub.WebhookPage, err error, asked call) time.Time {
	c.mu.Lock()
	now := c.cfg.Now()
	var news []Subject
	c.budget.lane.proved(asked.began, now)
	c.record(asked, listingOutage(err), now)
	if err != nil {
		next := c.pageFailed(s, err, now)
		c.mu.Unlock()
		return next
	}
	c.lister.failed = 0
	s.read, s.readAt = s.read+1, now
	for i := range page.Webhooks {
		if _, unreadable := page.Unreadable[i]; unreadable {
			continue
		}
		news = append(news, c.inventory.saw(page.Webhooks[i], asked.began)...)
	}
	switch s.add(page) {
	case partial:
		if c.lister.probing {
			c.lister.scan = nil
		}
	case torn:
		news = append(news, c.endScan(s, false, now)...)
	case whole:
		news = append(news, c.inventory.listed(s.seen, s.began, len(s.seen))...)
		news = append(news, c.endScan(s, true, now)...)
	}
	next := now
	if c.lister.scan == nil {
		next = c.lister.due(c.inventory.listing.BeganAt)
	}
	c.mu.Unlock()
	c.wake(news, Usual)
	return next
}

// pageFailed takes that a page could not be read, and returns when to go on.
func (c *Connection) pageFailed(s *scan, err error, now time.Time) time.Time {
	if c.lister.probing || !s.survives(err, now) {
		c.lister.scan = nil
	}
	if hub.IsKind(err, hub.Throttled) {
		return c.breaker.pausedUntil
	}
	wait := pageRetry << min(2*c.lister.failed, 10)
	c.lister.failed++
	c.lister.nextAt = now.Add(c.cfg.Jitter(min(wait, c.cfg.PollInterval)))
	return c.lister.nextAt
}

// listingOutage takes a listing that the Hub does not know of, or refuses, for an outage: what answers is not the Hub.
func listingOutage(err error) error {
	e, ok := errors.AsType[*hub.Error](err)
	if !ok || e.Kind != hub.NotFound && e.Kind != hub.Invalid {
		return err
	}
	outage := *e
	outage.Kind = hub.Unavailable
	return &outage
}

// endScan closes a scan and returns who had waited for it.
func (c *Connection) endScan(s *scan, isWhole bool, now time.Time) []Subject {
	c.lister.scan = nil
	c.inventory.listing.TriedAt = s.began
	if !isWhole {
		// Those who want a whole one go on waiting.
		c.lister.broken++
		c.lister.nextAt = now
		switch {
		case s.unreadable != "":
			return c.unreadable(s.unreadable, now)
		case c.lister.broken%scansInARow == 0:
			c.lister.nextAt = now.Add(c.cfg.Jitter(min(ReadLag, c.cfg.PollInterval)))
		}
		return nil
	}
	c.lister.broken, c.inventory.listing.Unreadable = 0, ""
	c.lister.nextAt = now.Add(c.cfg.Jitter(c.cfg.PollInterval))
	c.cfg.Metrics.Listed(c.key, s.began)
	var served []Subject
	for subject, at := range c.lister.wanted {
		if !s.began.Before(at) {
			delete(c.lister.wanted, subject)
			served = append(served, subject)
		}
	}
	c.lister.remind()
	return served
}

// unreadable notes that an entry could not be read, which another listing at once would not change. It returns those
// who wait for a whole listing if they do not know it yet.
func (c *Connection) unreadable(entry string, now time.Time) []Subject {
	c.lister.nextAt = now.Add(c.cfg.Jitter(c.cfg.PollInterval))
	if c.inventory.listing.Unreadable == entry {
		return nil
	}
	c.inventory.listing.Unreadable = entry
	return slices.Collect(maps.Keys(c.lister.wanted))
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
