package simulator

import (
	"slices"
	"sync"
	"time"
)

// lateCalls are calls whose connection is gone and that are still to be carried out.
type lateCalls struct {
	mu  sync.Mutex
	all []*lateCall
}

type lateCall struct{ run func() }

// postpone carries c out after d, or at ReleaseLate when d is 0.
func (s *Simulator) postpone(c *call, d time.Duration) {
	l := &lateCall{run: func() { s.execute(c) }}
	s.late.mu.Lock()
	s.late.all = append(s.late.all, l)
	s.late.mu.Unlock()
	if d > 0 {
		s.Core.mu.Lock()
		defer s.Core.mu.Unlock()
		s.schedule(d, func() { s.late.release(l) })
	}
}

// ReleaseLate carries the late calls out now, in their order, and says how many there were.
func (s *Simulator) ReleaseLate() int {
	s.late.mu.Lock()
	all := slices.Clone(s.late.all)
	s.late.mu.Unlock()
	for _, l := range all {
		s.late.release(l)
	}
	return len(all)
}

// release runs l unless it has been run or dropped.
func (q *lateCalls) release(l *lateCall) {
	q.mu.Lock()
	i := slices.Index(q.all, l)
	if i >= 0 {
		q.all = slices.Delete(q.all, i, i+1)
	}
	q.mu.Unlock()
	if i >= 0 {
		l.run()
	}
}

func (q *lateCalls) clear() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.all = nil
}
