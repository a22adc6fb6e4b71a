package connection

import (
	"errors"
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

// Access is whether calls can be made with an API key.
type Access int

const (
	// Open: calls can be made.
	Open Access = iota
	// Refused: the Hub does not accept the API key.
	Refused
	// Down: the Hub does not answer, or with faults of its own only.
	Down
)

const (
	// failuresToDown is how many calls in a row must fail before the Hub counts as down.
	failuresToDown = 3
	// Probes of a refused key and of a Hub that is down, one at a time, ever less often.
	refusedProbe, refusedProbeMax = time.Minute, 10 * time.Minute
	downProbe, downProbeMax       = time.Second, time.Minute
	// Pauses after a 429 that does not say how long.
	pauseMin, pauseMax = time.Second, time.Minute
)

// breaker stops the calls of a key that is refused, of a Hub that is down, and for as long as the Hub asked for.
type breaker struct {
	access Access
	// suspected: a call was refused, and whether that is about the key or about this call alone is not known yet.
	suspected bool
	failures  int
	probes    int
	probeAt   time.Time
	// cause is what went wrong when the Hub went down, in our own words.
	cause       string
	pauses      int
	pausedUntil time.Time
}

// stopped tells whether no call may be made, a probe apart.
func (b *breaker) stopped(now time.Time) bool {
	return b.shut() || now.Before(b.pausedUntil)
}

// shut tells whether no call may be made before a probe succeeds.
func (b *breaker) shut() bool { return b.access != Open || b.suspected }

// probeDue is when the next probe of a refused key or a Hub that is down may be made: not while the Hub asked to wait.
func (b *breaker) probeDue() time.Time {
	if b.pausedUntil.After(b.probeAt) {
		return b.pausedUntil
	}
	return b.probeAt
}

// suspect takes that a call was refused that was no listing: the next listing shows whether it is the key.
func (b *breaker) suspect(now time.Time) {
	if !b.shut() {
		b.suspected, b.probeAt = true, now
	}
}

// record takes the end of a call, and tells whether the access changed and how long the key is newly paused for.
func (b *breaker) record(err error, now time.Time, jitter func(time.Duration) time.Duration) (bool, time.Duration) {
	before := b.access
	var pause time.Duration
	switch {
	case hub.IsKind(err, hub.Refused):
		b.suspected = false
		b.fail(Refused, refusedProbe, refusedProbeMax, now, jitter)
	case hub.IsKind(err, hub.Throttled):
		// It says nothing of the key, which may be looked at only later.
		if b.access != Refused {
			b.access, b.failures = Open, 0
		}
		pause = b.pause(err, now, jitter)
	case hub.IsKind(err, hub.Unavailable) && b.access == Refused:
		b.fail(Refused, refusedProbe, refusedProbeMax, now, jitter)
	case hub.IsKind(err, hub.Unavailable):
		b.failures++
		if b.suspected {
			b.probeAt = now.Add(jitter(downProbe))
		}
		if b.failures >= failuresToDown || b.access != Open {
			if e, ok := errors.AsType[*hub.Error](err); ok && b.access != Down {
				b.cause = e.Cause
			}
			b.suspected = false
			b.fail(Down, downProbe, downProbeMax, now, jitter)
		}
	default:
		*b = breaker{pausedUntil: b.pausedUntil}
	}
	return b.access != before, pause
}

func (b *breaker) fail(to Access, first, most time.Duration, now time.Time, jitter func(time.Duration) time.Duration) {
	if b.access == to && now.Before(b.probeAt) {
		return // no probe: the call began before calls were stopped
	}
	if b.access != to {
		b.access, b.probes = to, 0
	}
	b.probeAt = now.Add(jitter(min(first<<min(b.probes, 10), most)))
	b.probes++
}

func (b *breaker) pause(err error, now time.Time, jitter func(time.Duration) time.Duration) time.Duration {
	var pause time.Duration
	if e, ok := errors.AsType[*hub.Error](err); ok {
		pause = e.RetryAfter
	}
	if pause <= 0 {
		pause = min(pauseMin<<min(b.pauses, 10), pauseMax)
	}
	b.pauses++
	// Jitter only ever lengthens, so that nobody calls before the Hub allows it.
	pause = jitter(pause)
	if until := now.Add(pause); until.After(b.pausedUntil) {
		b.pausedUntil = until
		return pause
	}
	return 0
}
