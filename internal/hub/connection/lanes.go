package connection

import (
	"slices"
	"sync"
	"time"
)

// slowCall is how long a call takes that makes its key a slow one.
const slowCall = time.Second

// Lanes are the calls that all keys together may have under way, as many as there are workers who wait for the
// answers. They are shared so that no key, however slow its Hub, keeps the workers from the others: a key gets at most
// as many lanes as are left free, and slow keys one each and half of all together.
type Lanes struct {
	mu      sync.Mutex
	total   int
	members map[*lane]struct{}
}

// NewLanes makes lanes for the given number of calls at once.
func NewLanes(total int) *Lanes {
	return &Lanes{total: total, members: map[*lane]struct{}{}}
}

// lane is one key's part of the lanes. What it has under way is guarded by Lanes.
type lane struct {
	all *Lanes
	// began is when each call under way began.
	began []time.Time
	// wasSlow: the call that ended last was slow.
	wasSlow bool
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

// look counts the room, and takes note of a key that finds none. It needs the lock, as slow does.
func (m *lane) look(now time.Time) int {
	busy, slow := 0, 0
	for member := range m.all.members {
		busy += len(member.began)
		if member.slow(now) {
			slow += len(member.began)
		}
	}
	room := m.share(m.all.total-busy, slow, now)
	if room == 0 {
		m.waits = true
		m.all.members[m] = struct{}{}
	}
	return room
}

// share is how many more calls the key may have under way when so many lanes are free, and so many are with slow keys.
func (m *lane) share(free, slow int, now time.Time) int {
	mine := len(m.began)
	switch {
	case free <= 0:
		return 0
	case !m.slow(now):
		return max((free-mine+1)/2, 0)
	case mine > 0 || slow >= max(m.all.total/2, 1):
		return 0
	}
	return 1
}

// slow tells whether the key's Hub takes long to answer.
func (m *lane) slow(now time.Time) bool {
	return m.wasSlow || slices.ContainsFunc(m.began, func(at time.Time) bool { return now.Sub(at) > slowCall })
}

// leave gives back the lane of a call that began at the given time, and has those look again who found none.
func (m *lane) leave(began, now time.Time) {
	m.all.mu.Lock()
	if i := slices.IndexFunc(m.began, began.Equal); i >= 0 {
		m.began = slices.Delete(m.began, i, i+1)
	}
	m.wasSlow = now.Sub(began) > slowCall
	var waiting []func()
	for member := range m.all.members {
		if member.waits {
			member.waits = false
			waiting = append(waiting, member.missed)
		}
		if len(member.began) == 0 {
			delete(m.all.members, member)
		}
	}
	m.all.mu.Unlock()
	for _, look := range waiting {
		look()
	}
}
