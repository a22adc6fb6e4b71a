package connection

import (
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

// scan is a listing under way. Each page begins with the last entry of the one before and the total must not change:
// offset paging skips an entry when another one is deleted meanwhile, and so that shows.
type scan struct {
	began time.Time
	// offset is where the next page begins, total what the pages before said, -1 before the first.
	offset, total int
	// first and last are the ids of the first entry of all and of the last entry seen.
	first, last string
	seen        map[string]struct{}
}

func newScan(began time.Time) *scan {
	return &scan{began: began, total: -1, seen: map[string]struct{}{}}
}

func (s *scan) next() hub.Page {
	return hub.Page{Offset: s.offset, Limit: hub.MaxPageLimit}
}

// add takes the page that next asked for.
func (s *scan) add(page *hub.WebhookPage) wholeness {
	got := page.Webhooks
	if !page.Paged {
		return s.addBare(got)
	}
	if s.total >= 0 && page.Total != s.total {
		return torn
	}
	s.total = page.Total
	if !s.continues(got) {
		return torn
	}
	if len(s.seen) == s.total {
		return whole
	}
	// A page that brings nothing new would be asked for again and again.
	if len(s.seen) > s.total || s.offset+len(got)-1 <= s.offset && len(got) < 2 {
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

// continues takes the entries of a page, which must begin where the last one ended and show nothing twice.
func (s *scan) continues(got []hub.Webhook) bool {
	if s.last != "" {
		if len(got) == 0 || got[0].ID != s.last {
			return false
		}
		got = got[1:]
	}
	for i := range got {
		if _, twice := s.seen[got[i].ID]; twice {
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
