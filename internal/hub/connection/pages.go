package connection

import (
	"slices"
	"sync"
	"time"
)

// pagesAtOnce is how many pages of listings, probes included, all keys together read at once: so many by keys whose
// last page came quickly or that have read none yet, and so many by the others, so that these do not keep the former
// waiting.
const pagesAtOnce = 32

// pageRooms bound how many pages all keys read at once. Keys that find no room queue.
type pageRooms struct {
	mu          sync.Mutex
	quick, slow pageRoom
}

type pageRoom struct {
	free    int
	waiting []*pageTurn
}

func newPageRooms() *pageRooms {
	return &pageRooms{quick: pageRoom{free: pagesAtOnce}, slow: pageRoom{free: pagesAtOnce}}
}

// pageTurn is one key's turn to read a page.
type pageTurn struct {
	all *pageRooms
	// kick is called when the turn has come.
	kick func()
	// slow is set when the last page took long. holds is the room in which the key reads a page, waits the one for
	// which it waits; at most one of the two is set.
	slow         bool
	holds, waits *pageRoom
}

// join returns the turn of one key; kick is called when it has come.
func (p *pageRooms) join(kick func()) *pageTurn { return &pageTurn{all: p, kick: kick} }

// enter reports whether the key may read a page now. If not, it queues.
func (t *pageTurn) enter() bool {
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	room := &t.all.quick
	if t.slow {
		room = &t.all.slow
	}
	switch {
	case t.holds != nil:
		return true
	case t.waits != nil:
		return false
	case room.free == 0:
		t.waits = room
		room.waiting = append(room.waiting, t)
		return false
	}
	room.free--
	t.holds = room
	return true
}

// ended records the end of a page that was read, and gives up the turn.
func (t *pageTurn) ended(began, now time.Time) {
	t.all.mu.Lock()
	t.slow = now.Sub(began) > slowCall
	t.all.mu.Unlock()
	t.leave()
}

// leave gives up the turn, or the place in the line.
func (t *pageTurn) leave() {
	t.all.mu.Lock()
	var next *pageTurn
	switch room := t.holds; {
	case room == nil && t.waits != nil:
		t.waits.waiting = slices.DeleteFunc(t.waits.waiting, func(other *pageTurn) bool { return other == t })
	case room != nil && len(room.waiting) > 0:
		next, room.waiting = room.waiting[0], room.waiting[1:]
		next.holds, next.waits = room, nil
	case room != nil:
		room.free++
	}
	t.holds, t.waits = nil, nil
	t.all.mu.Unlock()
	if next != nil {
		next.kick()
	}
}
