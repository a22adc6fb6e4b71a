package connection

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

// shelf answers listings of the webhooks with these ids.
type shelf struct {
	ids []string
	// most is the longest page whatever is asked for, 0 for no bound.
	most int
	// bare answers bare arrays; deaf, too, and all of it whatever is asked for.
	bare, deaf bool
}

func shelfOf(n int) *shelf {
	s := &shelf{}
	for i := range n {
		s.ids = append(s.ids, fmt.Sprintf("id-%04d", i))
	}
	return s
}

func (s *shelf) page(p hub.Page) *hub.WebhookPage {
	limit := p.Limit
	if s.most > 0 {
		limit = min(limit, s.most)
	}
	from := min(p.Offset, len(s.ids))
	part := s.ids[from:min(from+limit, len(s.ids))]
	if s.deaf {
		part = s.ids
	}
	page := &hub.WebhookPage{Total: len(s.ids), Paged: !s.bare}
	if s.bare {
		page.Total = len(part)
	}
	for _, id := range part {
		page.Webhooks = append(page.Webhooks, hub.Webhook{ID: id})
	}
	return page
}

// read lists a shelf and lets something happen between two pages.
func read(t *testing.T, s *shelf, between func(page int)) (result wholeness, seen, calls int) {
	t.Helper()
	c := newScan(noon)
	for calls = 1; calls < 100; calls++ {
		if result = c.add(s.page(c.next())); result != partial {
			return result, len(c.seen), calls
		}
		if between != nil {
			between(calls)
		}
	}
	t.Fatal("the scan does not end")
	return 0, 0, 0
}

func TestAListingOfNWebhooksIsWholeAndCostsACallFor49(t *testing.T) {
	for n, want := range map[int]int{
		0: 1, 1: 1, 49: 1, 50: 1, 51: 2, 98: 2, 99: 2, 100: 3, 147: 3, 148: 3, 149: 4, 999: 21, 1000: 21,
	} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			result, seen, calls := read(t, shelfOf(n), nil)
			if result != whole || seen != n {
				t.Errorf("the listing is %v and shows %d", result, seen)
			}
			if calls != want || pages(n) != want {
				t.Errorf("it cost %d calls and pages says %d, want %d", calls, pages(n), want)
			}
		})
	}
}

func TestAListingDuringWhichWebhooksMoveIsTorn(t *testing.T) {
	tests := map[string]func(s *shelf){
		"one of an earlier page goes":              func(s *shelf) { s.ids = slices.Delete(s.ids, 3, 4) },
		"the last of the page before goes":         func(s *shelf) { s.ids = slices.Delete(s.ids, 49, 50) },
		"one goes and another comes at the end":    func(s *shelf) { s.ids = append(slices.Delete(s.ids, 3, 4), "new") },
		"all but the first page go":                func(s *shelf) { s.ids = s.ids[:20] },
		"all go":                                   func(s *shelf) { s.ids = nil },
		"the deployment begins to answer in a row": func(s *shelf) { s.bare, s.deaf = true, true },
	}
	for name, move := range tests {
		t.Run(name, func(t *testing.T) {
			s := shelfOf(120)
			result, _, _ := read(t, s, func(page int) {
				if page == 1 {
					move(s)
				}
			})
			if result != torn {
				t.Errorf("the listing counts as %v", result)
			}
		})
	}
}

func TestAListingThatPassesNothingOverIsWhole(t *testing.T) {
	tests := map[string]struct {
		move func(s *shelf)
		seen int
	}{
		"one of a later page goes": {func(s *shelf) { s.ids = slices.Delete(s.ids, 60, 61) }, 119},
		"one comes at the end":     {func(s *shelf) { s.ids = append(s.ids, "new") }, 121},
		"one comes at the beginning": {
			func(s *shelf) { s.ids = slices.Insert(s.ids, 0, "new") }, 120,
		},
		"a later one goes and one comes first": {
			func(s *shelf) { s.ids = slices.Insert(slices.Delete(s.ids, 60, 61), 0, "new") }, 119,
		},
		"a later one goes and one comes last": {
			func(s *shelf) { s.ids = append(slices.Delete(s.ids, 60, 61), "new") }, 120,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := shelfOf(120)
			result, seen, _ := read(t, s, func(page int) {
				if page == 1 {
					test.move(s)
				}
			})
			if result != whole || seen != test.seen {
				t.Errorf("the listing is %v and shows %d, want %d", result, seen, test.seen)
			}
		})
	}
}

func TestAListingDuringWhichWebhooksAreRegisteredComesOutWhole(t *testing.T) {
	for _, newestFirst := range []bool{false, true} {
		for _, bare := range []bool{false, true} {
			s := shelfOf(500)
			s.bare = bare
			result, seen, _ := read(t, s, func(page int) {
				if page > 8 {
					return
				}
				id := fmt.Sprintf("new-%d", page)
				if newestFirst {
					s.ids = slices.Insert(s.ids, 0, id)
				} else {
					s.ids = append(s.ids, id)
				}
			})
			if result != whole || seen < 500 {
				t.Errorf("newest first %t, bare %t: it is %v and shows %d", newestFirst, bare, result, seen)
			}
		}
	}
}

func TestAWholeListingShowsWhatWasThereThroughout(t *testing.T) {
	wholes := 0
	for seed := range uint64(5000) {
		chance := rand.New(rand.NewPCG(seed, 0))
		s := shelfOf(chance.IntN(40))
		s.most, s.bare = 4+chance.IntN(8), chance.IntN(4) == 0 // longer than all that come at once
		newestFirst := chance.IntN(2) == 0
		throughout := slices.Clone(s.ids)
		c := newScan(noon)
		result := partial
		for page := 0; result == partial && page < 100; page++ {
			result = c.add(s.page(c.next()))
			for range chance.IntN(3) * chance.IntN(2) {
				switch at := chance.IntN(len(s.ids) + 1); {
				case result != partial:
				case at < len(s.ids) && chance.IntN(2) == 0:
					throughout = slices.DeleteFunc(throughout, func(id string) bool { return id == s.ids[at] })
					s.ids = slices.Delete(s.ids, at, at+1)
				case newestFirst:
					s.ids = slices.Insert(s.ids, 0, fmt.Sprintf("new-%d-%d", page, len(s.ids)))
				default:
					s.ids = append(s.ids, fmt.Sprintf("new-%d-%d", page, len(s.ids)))
				}
			}
		}
		if result == partial {
			t.Fatalf("seed %d: the scan does not end", seed)
		}
		if result == torn {
			continue
		}
		wholes++
		for _, id := range throughout {
			if !c.has(id) {
				t.Fatalf("seed %d: a whole listing passed %s over", seed, id)
			}
		}
	}
	if wholes < 1000 {
		t.Errorf("%d of 5000 listings are whole", wholes)
	}
}

func TestAServerWithShorterPagesIsFollowed(t *testing.T) {
	for most, want := range map[int]wholeness{1: torn, 2: whole, 20: whole, 49: whole} {
		s := shelfOf(60)
		s.most = most
		if result, seen, calls := read(t, s, nil); result != want || (want == whole && seen != 60) {
			t.Errorf("with pages of %d the listing is %v after %d calls and shows %d", most, result, calls, seen)
		}
	}
}

func TestAServerThatIgnoresTheOffsetIsNotAskedForEver(t *testing.T) {
	s := shelfOf(60)
	s.deaf, s.ids = true, s.ids[:60]
	c := newScan(noon)
	first := s.page(c.next())
	first.Webhooks = first.Webhooks[:50]
	if got := c.add(first); got != partial {
		t.Fatalf("after 50 of 60 the listing is %v", got)
	}
	again := s.page(c.next())
	again.Webhooks = again.Webhooks[:50]
	if got := c.add(again); got != torn {
		t.Errorf("after the same page again the listing is %v", got)
	}
}

func TestAnAnswerThatShowsMoreThanItSaysThereAreIsNoWholeListing(t *testing.T) {
	page := shelfOf(10).page(hub.Page{Limit: 50})
	page.Total = 9
	if got := newScan(noon).add(page); got != torn {
		t.Errorf("10 of 9 are %v", got)
	}
}

func TestAnAnswerThatShowsAWebhookTwiceIsNoWholeListing(t *testing.T) {
	page := shelfOf(2).page(hub.Page{Limit: 50})
	page.Webhooks[1].ID = page.Webhooks[0].ID
	if got := newScan(noon).add(page); got != torn {
		t.Errorf("it is %v", got)
	}
}

func TestABareArrayIsAllThereIsWhenNothingComesAfterIt(t *testing.T) {
	tests := []struct {
		n, most int
		deaf    bool
		want    wholeness
		calls   int
	}{
		{n: 0, deaf: true, want: whole, calls: 1},
		{n: 1, deaf: true, want: whole, calls: 2},
		{n: 49, deaf: true, want: whole, calls: 2},
		{n: 50, deaf: true, want: whole, calls: 2},
		{n: 400, deaf: true, want: whole, calls: 2},
		{n: 0, want: whole, calls: 1},
		{n: 1, want: whole, calls: 2},
		{n: 2, want: whole, calls: 2},
		{n: 49, want: whole, calls: 2},
		{n: 50, want: whole, calls: 2},
		{n: 51, want: whole, calls: 3},
		{n: 120, want: whole, calls: 4},
		{n: 19, most: 20, want: whole, calls: 2},
		{n: 20, most: 20, want: whole, calls: 2},
		{n: 21, most: 20, want: whole, calls: 3},
		{n: 60, most: 20, want: whole, calls: 5},
		{n: 3, most: 2, want: whole, calls: 3},
		{n: 3, most: 1, want: torn, calls: 2},
	}
	for _, test := range tests {
		s := shelfOf(test.n)
		s.bare, s.deaf, s.most = true, test.deaf, test.most
		result, seen, calls := read(t, s, nil)
		if result != test.want || (result == whole && seen != test.n) || calls != test.calls {
			t.Errorf("%+v: the listing is %v after %d calls and shows %d", test, result, calls, seen)
		}
	}
}

func TestABareArrayThatMovesIsTorn(t *testing.T) {
	s := shelfOf(120)
	s.bare = true
	if result, _, _ := read(t, s, func(int) { s.ids = s.ids[1:] }); result != torn {
		t.Errorf("the listing counts as %v", result)
	}
	s = shelfOf(50)
	s.bare, s.deaf = true, true
	if result, _, _ := read(t, s, func(int) { s.ids = s.ids[:49] }); result != torn {
		t.Errorf("two answers that differ count as %v", result)
	}
}
