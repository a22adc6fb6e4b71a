package connection

import (
	"slices"
	"sync"
	"time"
)

// slowCall is how long a call takes that makes its key a slow one.
const slowCall = time.Second

// Lanes are the calls that all keys together may have under way, as many as there are workers who wait for the
// answers. They are shared so that no key, however slow its Hub, keeps the workers from the others:
//   - A key is quick for as long as one answer follows another within a second. Quick keys share evenly, and together
//     have at most as many lanes as are left free: should all of them hang at once, half of those lanes remain.
//   - Of every other key it is known, or feared, that its next call hangs. Such keys have one lane each, and half of
//     all together. One that finds none free shows that it is quick by a page of its listing, which takes no lane.
type Lanes struct {
	mu      sync.Mutex
	total   int
	members map[*lane]struct{}
	// pages are for what keeps no worker, and so has no lane.
	pages *pageRooms
}

// NewLanes makes lanes for the given number of calls at once.
func NewLanes(total int) *Lanes {
	return &Lanes{total: total, members: map[*lane]struct{}{}, pages: newPageRooms()}
}

// lane is one key's part of the lanes. What it has under way is guarded by Lanes.
type lane struct {
	all *Lanes
	// began is when each call under way began.
	began []time.Time
	// wasSlow: the call that ended last was slow.
	wasSlow bool
	// quickAt is when the last quick answer came, to a call or a listing.
	quickAt time.Time
	// missed is called when there may be a lane again for a key that found none; waits is set when one did.
	missed func()
	waits  bool
}

// join is a key's part; missed is called when there may be a lane for a key that found none.
func (l *Lanes) join(missed func()) *lane { return &lane{all: l, missed: missed} }

// room is how many more calls the key may have under way now.
func (m *lane) room(now time.Time) int {
	m.all.mu.Lock()
	defer m.all.mu.Unlock()
	return m.look(now)
}

// enter takes a lane, if there is one.
func (m *lane) enter(now time.Time) bool {
	m.all.mu.Lock()
	defer m.all.mu.Unlock()
	if m.look(now) == 0 {
		return false
	}
	m.began = append(m.began, now)
	m.all.members[m] = struct{}{}
	return true
}

// look counts the room, and records a key that finds none. It needs the lock, as what it calls does.
func (m *lane) look(now time.Time) int {
	free, quick, keys, others := m.all.total, 0, 0, 0
	for member := range m.all.members {
		free -= len(member.began)
		switch {
		case !member.quick(now):
			others += len(member.began)
		default:
			quick += len(member.began)
			if member != m {
				keys++
			}
		}
	}
	room := 0
	switch half := max(m.all.total/2, 1); {
	case free <= 0:
	case m.quick(now):
		most := (free + quick + 1) / 2
		room = max(min(most-quick, (most+keys)/(keys+1)-len(m.began)), 0)
	case len(m.began) == 0 && others < half:
		room = 1
	}
	if m.waits = room == 0; m.waits {
		m.all.members[m] = struct{}{}
	}
	return room
}

// slow reports whether the key's Hub takes long to answer calls.
func (m *lane) slow(now time.Time) bool {
	return m.wasSlow || slices.ContainsFunc(m.began, func(at time.Time) bool { return now.Sub(at) > slowCall })
}

// quick reports whether the key's Hub answers quickly, as far as the last second shows.
func (m *lane) quick(now time.Time) bool {
	return !m.quickAt.IsZero() && now.Sub(m.quickAt) <= slowCall && !m.slow(now)
}

// wantsProof reports whether the key has no lane only because nothing is known of how quickly its Hub answers now.
func (m *lane) wantsProof(now time.Time) bool {
	m.all.mu.Lock()
	defer m.all.mu.Unlock()
	return m.look(now) == 0 && len(m.began) == 0 && !m.slow(now) && !m.quick(now)
}

// proved records a page of a listing, which keeps no worker. That it came quickly does not make a key quick whose calls
// are slow: some take what they ask for before they answer.
func (m *lane) proved(began, now time.Time) {
	if now.Sub(began) > slowCall {
		return
	}
	m.all.mu.Lock()
	m.quickAt = now
	waits := m.waits
	m.all.mu.Unlock()
	if waits {
		m.missed()
	}
}

// rest records that nobody waits for a lane of the key any more.
func (m *lane) rest() {
	m.all.mu.Lock()
	defer m.all.mu.Unlock()
	if m.waits = false; len(m.began) == 0 {
		delete(m.all.members, m)
	}
}

// leave gives back the lane of a call that began at the given time, and has those look again who found none.
func (m *lane) leave(began, now time.Time) {
	m.all.mu.Lock()
	if i := slices.IndexFunc(m.began, began.Equal); i >= 0 {
		m.began = slices.Delete(m.began, i, i+1)
	}
	if m.wasSlow = now.Sub(began) > slowCall; !m.wasSlow {
		m.quickAt = now
	}
	var waiting []func()
	for member := range m.all.members {
		if member.waits {
			// It counts as one who shares until it has looked.
			waiting = append(waiting, member.missed)
		} else if len(member.began) == 0 {
			delete(m.all.members, member)
		}
	}
	m.all.mu.Unlock()
	for _, look := range waiting {
		look()
	}
}
