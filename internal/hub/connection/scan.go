package connection

import (
	"cmp"
	"slices"
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

// wholeness is what is known of a listing after another page.
type wholeness int

const (
	// partial: there are more pages.
	partial wholeness = iota
	// torn: the webhooks shifted while they were listed; what was seen was there, but nothing is proved absent.
	torn
	// whole: every webhook was seen.
	whole
)

// scan is a listing under way. Each page must show the last entry of the one before, for offset paging skips an entry
// when another one is deleted meanwhile, and so that shows. The order of the Hub is stable, so what follows that entry
// follows it still, however much later the page is read. Webhooks that are registered meanwhile do no harm: they come
// at the end, or at the beginning, where they shift the rest.
type scan struct {
	began time.Time
	// offset is where the next page begins, total what the last page says.
	offset, total int
	// shifted is how many webhooks were registered meanwhile in front of the others.
	shifted int
	// first and last are the ids of the first entry of all and of the last entry seen.
	first, last string
	seen        map[string]struct{}
	// readAt is when the last page was read, zero before the first.
	readAt time.Time
	// read is the number of pages read.
	read int
	// unreadable is the first entry that could not be read, empty if all could. Such a listing is never whole.
	unreadable string
}

// scanPatience is for how long the pages of a listing may fail before it is given up.
const scanPatience = 5 * time.Minute

func newScan(began time.Time) *scan {
	return &scan{began: began, seen: map[string]struct{}{}}
}

// survives reports whether to repeat the page that failed, rather than to begin again with the first one. The pages
// read before it prove what they did.
func (s *scan) survives(err error, now time.Time) bool {
	switch {
	case s.read == 0:
		return false // a listing that begins later is newer
	case hub.IsKind(err, hub.Throttled):
		return true
	default:
		return hub.IsKind(err, hub.Unavailable) && now.Sub(s.readAt) < scanPatience
	}
}

func (s *scan) next() hub.Page {
	return hub.Page{Offset: s.offset, Limit: hub.MaxPageLimit}
}

// add records the page that next asked for.
func (s *scan) add(page *hub.WebhookPage) wholeness {
	s.unreadable = cmp.Or(s.unreadable, page.FirstUnreadable())
	result := s.follow(page)
	if result == whole && s.unreadable != "" {
		return torn // the entry may be any webhook
	}
	return result
}

// follow adds the page to those before.
func (s *scan) follow(page *hub.WebhookPage) wholeness {
	got := page.Webhooks
	if !page.Paged {
		return s.addBare(got)
	}
	s.total = page.Total
	if !s.continues(got) {
		return torn
	}
	switch known := len(s.seen) + s.shifted; {
	case known == s.total:
		return whole
	case known > s.total || len(got) < 2:
		// A page that brings nothing new would be asked for again and again.
		return torn
	}
	s.offset += len(got) - 1
	return partial
}

// addBare takes a bare array, which an older deployment answers with. It does not say whether it is all there is, and a
// deployment that pages may heed no limit: so it is asked again from the last entry on.
func (s *scan) addBare(got []hub.Webhook) wholeness {
	switch {
	case len(got) == 0 && len(s.seen) < 2:
		return whole
	case len(got) > 0 && got[0].ID == s.first:
		// The deployment does not page: it answered the whole list twice.
		if len(got) == len(s.seen) && got[len(got)-1].ID == s.last {
			return whole
		}
		return torn
	case !s.continues(got):
		return torn
	case len(got) == 1 && len(s.seen) > 1:
		return whole // nothing comes after the last entry
	}
	s.offset += max(len(got)-1, 1) // after one entry alone nothing is to come
	return partial
}

// continues adds the entries of a page. It must show the last entry read, in front of it only entries that were read
// before, and after it only new ones.
func (s *scan) continues(got []hub.Webhook) bool {
	if s.last != "" {
		at := slices.IndexFunc(got, func(w hub.Webhook) bool { return w.ID == s.last })
		if at < 0 || slices.ContainsFunc(got[:at], func(w hub.Webhook) bool { return !s.has(w.ID) }) {
			return false
		}
		s.shifted += at
		got = got[at+1:]
	}
	for i := range got {
		if s.has(got[i].ID) {
			return false
		}
		s.seen[got[i].ID] = struct{}{}
		s.last = got[i].ID
	}
	if s.first == "" && len(got) > 0 {
		s.first = got[0].ID
	}
	return true
}

func (s *scan) has(id string) bool {
	_, ok := s.seen[id]
	return ok
}
