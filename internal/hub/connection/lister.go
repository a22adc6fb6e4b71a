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

const (
	// listingGap is the least time between the beginnings of two listings that a subject wants.
	listingGap = 250 * time.Millisecond
	// pollShare and wantedShare are of how many calls that could be made one is for polling at most, and for listings
	// that a subject wants.
	pollShare, wantedShare = 5, 2
)

// pageRetry is how soon a page that failed is asked for again; each further time waits four times as long.
const pageRetry = 500 * time.Millisecond

// lister makes listings: one each poll interval, and sooner for the subjects that want one.
type lister struct {
	// wanted is who waits for a listing, and when it must begin at the earliest.
	wanted map[Subject]time.Time
	// soonest is the earliest time in wanted, zero when none waits.
	soonest time.Time
	scan    *scan
	// probing: the first page was asked for as a probe, when no listing was due.
	probing bool
	// inLine: a page is due and waits for its turn among those of all keys.
	inLine bool
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

// Want asks for a complete listing that begins at notBefore or later, shared with all subjects that want one. The
// subject is woken when there is one.
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

// want records a wish, and reports whether it makes a listing due sooner.
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

// remind recomputes which subjects wait for what.
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
		inLine := c.lister.inLine
		c.mu.Unlock()
		if !inLine {
			c.page.leave()
		}
		return at
	}
	if c.lister.scan == nil {
		c.lister.scan = newScan(now)
	}
	current := c.lister.scan
	which := current.next()
	c.lister.prove = false
	asked := call{now, c.breaker.era}
	c.mu.Unlock()

	page, err := c.readPage(ctx, c.page, which, asked)
	return c.listed(current, page, err, asked)
}

// readPage reads a page in a turn that the connection has.
func (c *Connection) readPage(
	ctx context.Context, turn *pageTurn, which hub.Page, asked call,
) (*hub.WebhookPage, error) {
	defer func() { turn.ended(asked.began, c.cfg.Now()) }()
	return c.client.ListWebhooks(ctx, which)
}

// listingReady reports whether to ask for a page now, or else when.
func (c *Connection) listingReady(now time.Time) (bool, time.Time) {
	c.lister.probing, c.lister.inLine = false, false
	switch {
	case len(c.subjects) == 0:
		c.lister.scan = nil
		return false, time.Time{}
	case c.breaker.shut():
		// The next page of the listing is the probe: the first one where none is under way.
		at := c.breaker.probeDue()
		c.lister.probing = c.breaker.access == Open && c.lister.scan == nil &&
			now.Before(c.listingDue())
		if now.Before(at) {
			return false, at
		}
		if c.lister.inLine = !c.page.enter(); c.lister.inLine {
			return false, time.Time{}
		}
		c.breaker.probe()
		c.budget.debit(now)
		return true, at
	case now.Before(c.breaker.pausedUntil):
		return false, c.breaker.pausedUntil
	}
	if c.lister.scan == nil || c.lister.failed > 0 {
		if at := c.listingDue(); now.Before(at) {
			if !c.lister.prove || c.lister.failed > 0 {
				return false, at
			}
			c.lister.probing = true
		}
	}
	if c.lister.inLine = !c.page.enter(); c.lister.inLine {
		return false, time.Time{}
	}
	if c.budget.take(polling, Polling, now) {
		return true, time.Time{}
	}
	c.kickBudget()
	return false, time.Time{}
}

// listingDue returns when the next listing is to begin.
func (c *Connection) listingDue() time.Time {
	l := &c.lister
	if l.failed > 0 || l.broken > 0 || l.soonest.IsZero() {
		return l.nextAt
	}
	// However many want one, and however often, they share it.
	gap := max(listingGap, c.share(wantedShare)*time.Duration(pages(c.inventory.total)))
	return earliest(latest(l.soonest, c.inventory.listing.BeganAt.Add(gap)), l.nextAt)
}

// share returns how long it takes to make so many calls at the present pace.
func (c *Connection) share(calls float64) time.Duration {
	return time.Duration(calls / c.budget.pace.at(c.cfg.Now()) * float64(time.Second))
}

// listed records the answer to one page.
func (c *Connection) listed(s *scan, page *hub.WebhookPage, err error, asked call) time.Time {
	c.mu.Lock()
	now := c.cfg.Now()
	c.budget.lane.proved(asked.began, now)
	c.record(asked, listingOutage(err), now)
	if err != nil {
		next := c.pageFailed(s, err, now)
		c.mu.Unlock()
		return next
	}
	c.lister.failed = 0
	news := c.shown(page, asked.began)
	news = append(news, c.scanned(s, page, now)...)
	next := now
	if c.lister.scan == nil {
		next = c.listingDue()
	}
	c.mu.Unlock()
	c.wake(news, Usual)
	return next
}

// scanned records a page of a listing, and returns the subjects for which its end is news.
func (c *Connection) scanned(s *scan, page *hub.WebhookPage, now time.Time) []Subject {
	s.read, s.readAt = s.read+1, now
	switch s.add(page) {
	case torn:
		return c.endScan(s, false, now)
	case whole:
		return append(c.inventory.listed(s.seen, s.began, len(s.seen)), c.endScan(s, true, now)...)
	case partial:
		if c.lister.probing {
			c.lister.scan = nil
		}
	}
	return nil
}

// pageFailed records that a page could not be read, and returns when to go on.
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
		// Subjects that want a complete one keep waiting.
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
	share := c.share(pollShare) * time.Duration(c.inventory.listing.Calls)
	c.lister.nextAt = latest(now.Add(c.cfg.Jitter(c.cfg.PollInterval)), s.began.Add(c.cfg.Jitter(share)))
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
// who wait for a complete listing if they do not know it yet.
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

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
