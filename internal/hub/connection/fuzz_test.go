package connection

import (
	"fmt"
	"slices"
	"testing"
)

// FuzzListing lets webhooks come and go between the pages of a listing, as the bytes say. However they do, a listing
// that counts as whole has shown every webhook that was there from its first page to its last, and it ends.
func FuzzListing(f *testing.F) {
	f.Add(uint16(0), uint8(0), false, []byte{})
	f.Add(uint16(51), uint8(0), false, []byte{0})
	f.Add(uint16(120), uint8(0), false, []byte{1, 3})             // one of an earlier page goes
	f.Add(uint16(120), uint8(0), false, []byte{4, 60})            // a later one is replaced by a new last one
	f.Add(uint16(120), uint8(49), false, []byte{5, 3, 0, 0})      // a server with shorter pages; a seen one is replaced
	f.Add(uint16(1000), uint8(0), false, []byte{2, 0, 1, 0})      // the total shrinks and grows
	f.Add(uint16(99), uint8(0), true, []byte{1, 49})              // bare arrays
	f.Add(uint16(50), uint8(1), false, []byte{3, 0, 3, 0})        // pages of one
	f.Add(uint16(100), uint8(0), false, []byte{1, 0, 3, 0, 1, 9}) // the shift is undone
	f.Fuzz(func(t *testing.T, n uint16, most uint8, bare bool, moves []byte) {
		s := shelfOf(int(n % 1200))
		if !bare {
			s.most = int(most)
		}
		s.bare = bare
		throughout := slices.Clone(s.ids)
		c, born := newScan(noon), 0
		for calls := 0; ; calls++ {
			if calls > 3000 {
				t.Fatalf("the listing of %d webhooks does not end", len(s.ids))
			}
			switch c.add(s.page(c.next())) {
			case torn:
				return
			case whole:
				for _, id := range throughout {
					if _, seen := c.seen[id]; !seen {
						t.Fatalf("a whole listing has not shown %s, which was there all the time", id)
					}
				}
				return
			case partial:
			}
			if len(moves) < 2 {
				continue
			}
			born += s.move(moves[0], int(moves[1]), fmt.Sprintf("new-%d", born))
			moves = moves[2:]
			throughout = slices.DeleteFunc(throughout, func(id string) bool { return !slices.Contains(s.ids, id) })
		}
	})
}

// move lets webhooks come and go, and tells how many came.
func (s *shelf) move(how byte, at int, newID string) int {
	goes := func() {
		if at < len(s.ids) {
			s.ids = slices.Delete(s.ids, at, at+1)
		}
	}
	switch how % 7 {
	case 1:
		goes()
	case 2:
		s.ids = append(s.ids, newID)
		return 1
	case 3:
		s.ids = slices.Insert(s.ids, 0, newID)
		return 1
	case 4:
		goes()
		s.ids = append(s.ids, newID)
		return 1
	case 5:
		goes()
		s.ids = slices.Insert(s.ids, 0, newID)
		return 1
	case 6:
		s.ids = s.ids[:min(at, len(s.ids))]
	}
	return 0
}
