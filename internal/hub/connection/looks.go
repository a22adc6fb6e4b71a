package connection

import "time"

// lookWindow is how long a look counts as one of those that wait at the same time.
const lookWindow = 2 * time.Second

// looks are the webhooks that somebody wanted to look at lately.
type looks struct {
	last  map[string]time.Time
	order []look
}

type look struct {
	id string
	at time.Time
}

func newLooks() looks { return looks{last: map[string]time.Time{}} }

// with adds a look, and tells how many webhooks are looked at lately.
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
