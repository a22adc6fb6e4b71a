package connection

import (
	"math/bits"
	"time"
)

const (
	// firstWave is how many are woken at once of all that use a key; each wave after it is twice as large.
	firstWave = 16
	// waveGap is the time between two waves.
	waveGap = 500 * time.Millisecond
)

// ramp wakes all subjects that use a key, in waves, so that what they then write does not come all at once.
type ramp struct {
	waiting []Subject
	size    int
	next    time.Time
}

// start has all of them woken from now on. Whoever still waits from before is among them.
func (r *ramp) start(all []Subject, now time.Time) {
	r.waiting, r.size, r.next = all, firstWave, now
}

// wave is whom to wake now, and when the next wave is due, zero when there is none.
func (r *ramp) wave(now time.Time) ([]Subject, time.Time) {
	if len(r.waiting) == 0 {
		return nil, time.Time{}
	}
	if now.Before(r.next) {
		return nil, r.next
	}
	n := min(r.size, len(r.waiting))
	wave := r.waiting[:n:n]
	r.waiting, r.size, r.next = r.waiting[n:], r.size*2, now.Add(waveGap)
	if len(r.waiting) == 0 {
		r.waiting, r.next = nil, time.Time{}
	}
	return wave, r.next
}

// Delay is how long after the first of many who are woken together the one at this place is, counted from 0.
func Delay(place int) time.Duration {
	wave := bits.Len(uint(place/firstWave+1)) - 1
	return time.Duration(wave) * waveGap
}
