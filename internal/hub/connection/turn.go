package connection

import (
	"slices"
	"time"
)

// call is a call under way.
type call struct {
	began time.Time
	// era is the era of the breaker in which it began.
	era int
}

// Turn takes a turn for a call of this priority that s is about to make. Without one it tells so, and s is woken when
// it has one.
func (c *Connection) Turn(s Subject, p Priority) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.turn(s, p, c.cfg.Now(), c.budget.reserve)
}

// StepBudget gives turns to waiting subjects, and returns when to be called again; the zero time means when there is
// news.
func (c *Connection) StepBudget() time.Time {
	turns, wave, next := c.grant()
	if i := slices.Index(turns, polling); i >= 0 {
		kick(c.lister.kicked)
		turns = slices.Delete(turns, i, i+1)
	}
	c.wake(turns, Turn)
	c.wake(wave, Usual)
	return next
}

// grant tells who has a turn from now on, whom of everyone to wake, and when to run again.
func (c *Connection) grant() (turns, wave []Subject, next time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.cfg.Now()
	wave, next = c.ramp.wave(now)
	switch {
	case c.breaker.shut():
	case c.breaker.stopped(now):
		next = sooner(next, c.breaker.pausedUntil)
	default:
		var again time.Time
		turns, again = c.budget.grant(now)
		next = sooner(next, again)
		if len(c.budget.queue) > 0 && c.budget.lane.wantsProof(now) && !c.lister.prove {
			c.lister.prove = true
			kick(c.lister.kicked)
		}
	}
	return turns, wave, next
}

// sooner is the earlier of two times, of which the zero time is none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// admit takes a token and a lane for a call, or puts the subject in the queue.
func (c *Connection) admit(s Subject, p Priority) (call, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.cfg.Now()
	return call{now, c.breaker.era}, c.turn(s, p, now, c.budget.take)
}

// turn takes what a call needs, or puts the subject in the queue. It needs the lock.
func (c *Connection) turn(
	s Subject, p Priority, now time.Time, take func(Subject, Priority, time.Time) bool,
) bool {
	if c.breaker.access != Open {
		return false // everyone is woken when it is open again
	}
	if c.breaker.stopped(now) {
		c.budget.enqueue(s, p, now)
	} else if take(s, p, now) {
		return true
	}
	c.kickBudget()
	return false
}
