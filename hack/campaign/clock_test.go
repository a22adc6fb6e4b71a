package campaign_test

import "time"

// clock stands still until it is moved. What is scheduled on it is run by the world.
type clock struct {
	now    time.Time
	timers []*timer
}

type timer struct {
	at      time.Time
	run     func()
	stopped bool
}

func (c *clock) Now() time.Time { return c.now }

// pass moves the clock on.
func (c *clock) pass(d time.Duration) { c.now = c.now.Add(d) }

// reach moves the clock on to a time, unless it is past: a life that slept may have slept longer.
func (c *clock) reach(at time.Time) {
	if at.After(c.now) {
		c.now = at
	}
}

// after has something done later.
func (c *clock) after(d time.Duration, run func()) (stop func() bool) {
	t := &timer{at: c.now.Add(d), run: run}
	c.timers = append(c.timers, t)
	return func() bool {
		was := !t.stopped
		t.stopped = true
		return was
	}
}

// next is when the next timer is due, zero when there is none.
func (c *clock) next() time.Time {
	var first time.Time
	for _, t := range c.timers {
		if !t.stopped && (first.IsZero() || t.at.Before(first)) {
			first = t.at
		}
	}
	return first
}

// ring runs what is due.
func (c *clock) ring() {
	// What is scheduled meanwhile is due later.
	for _, t := range c.timers {
		if !t.stopped && !t.at.After(c.now) {
			t.stopped = true
			t.run()
		}
	}
	var left []*timer
	for _, t := range c.timers {
		if !t.stopped {
			left = append(left, t)
		}
	}
	c.timers = left
}
