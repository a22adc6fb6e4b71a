package connection

import (
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

const (
	// lookWindow is how long an observation counts as one of those that are wanted at the same time.
	lookWindow = 2 * time.Second
	// looksApart is how many webhooks are observed one by one; more are observed by pages of the list.
	looksApart = 4
	// looksGap is the least time between two pages that are read for observations, and manyLooks how many of them do
	// not wait for that.
	looksGap  = 500 * time.Millisecond
	manyLooks = 2 * hub.MaxPageLimit
	// looksMargin is by how many places a webhook may stand elsewhere than it is looked for.
	looksMargin = 5
)

// looks are the webhooks that subjects want to have observed.
type looks struct {
	// last and order are those of the last lookWindow.
	last  map[string]time.Time
	order []look
	// waiting are those that a page is to show, pagedAt is when the last one was read for them, and served whether it
	// was the last page that was read of all.
	waiting map[Subject]look
	pagedAt time.Time
	served  bool
}

// look is an observation of a webhook, wanted since a time.
type look struct {
	id string
	at time.Time
}

func newLooks() looks { return looks{last: map[string]time.Time{}, waiting: map[Subject]look{}} }

// with adds an observation, and returns how many webhooks were to be observed lately.
func (l *looks) with(id string, now time.Time) int {
	for len(l.order) > 0 && now.After(l.order[0].at.Add(lookWindow)) {
		if oldest := l.order[0]; l.last[oldest.id].Equal(oldest.at) {
			delete(l.last, oldest.id)
		}
		l.order = l.order[1:]
	}
	l.last[id] = now
	l.order = append(l.order, look{id, now})
	return len(l.last)
}

// lookLater has a webhook observed by a page of the list that is read from now on. The caller holds the lock.
func (c *Connection) lookLater(s Subject, id string, now time.Time) {
	_, known := c.inventory.entries[id]
	if !known || !c.inventory.paged || pages(c.inventory.total) == 1 {
		if c.lister.want(s, now) {
			kick(c.lister.kicked)
		}
		return
	}
	if waits, ok := c.looks.waiting[s]; !ok || waits.id != id {
		c.looks.waiting[s] = look{id, now}
		kick(c.lister.kicked)
	}
}

// looksDue returns when to read a page for the webhooks that subjects want to have observed, zero for never.
func (c *Connection) looksDue(now time.Time) time.Time {
	switch n := len(c.looks.waiting); {
	case n == 0 || c.lister.failed > 0:
		return time.Time{}
	case n >= manyLooks:
		return now
	}
	return c.looks.pagedAt.Add(max(looksGap, c.share(pollShare)))
}

// looksPage returns the page that shows the webhook whose observation has been wanted for longest, and those that were
// registered after it.
func (c *Connection) looksPage() hub.Page {
	rank := func(l look) int { return c.inventory.entries[l.id].rank }
	var first look
	for _, l := range c.looks.waiting {
		if d := l.at.Compare(first.at); first.id == "" || d < 0 || d == 0 && rank(l) < rank(first) {
			first = l
		}
	}
	place := c.inventory.rankAt(rank(first))
	if c.inventory.newestFirst {
		place -= hub.MaxPageLimit - 1 - 2*looksMargin
	}
	return hub.Page{Offset: max(place-looksMargin, 0), Limit: hub.MaxPageLimit}
}

// looksServed takes that a page shows webhooks, and returns the subjects that wanted to have them observed. Those that
// the page should show, and does not, wait for a whole listing, if the page was read for them.
func (c *Connection) looksServed(page *hub.WebhookPage, asked hub.Page, began time.Time, forThem bool) []Subject {
	if len(c.looks.waiting) == 0 {
		return nil
	}
	shown := map[string]bool{}
	for i := range page.Webhooks {
		shown[page.Webhooks[i].ID] = true
	}
	var served []Subject
	for s, l := range c.looks.waiting {
		e, known := c.inventory.entries[l.id]
		place := c.inventory.rankAt(e.rank) - asked.Offset
		switch {
		case began.Before(l.at):
		case shown[l.id]:
			served = append(served, s)
			delete(c.looks.waiting, s)
		case !known || forThem && place >= 0 && place < asked.Limit:
			delete(c.looks.waiting, s)
			c.lister.want(s, l.at)
		}
	}
	return served
}
