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
	// Probes of a refused key and of a Hub that is down, one at a time, with back-off.
	refusedProbe, refusedProbeMax = time.Minute, 10 * time.Minute
	downProbe, downProbeMax       = time.Second, time.Minute
	// probeGap is the least distance of probes that users ask for: however many ask, they share one.
	probeGap = 10 * time.Second
	// Pauses after a 429 that does not say how long.
	pauseMin, pauseMax = time.Second, time.Minute
)

// breaker stops the calls of a key that is refused, of a Hub that is down, and for as long as the Hub asked for.
type breaker struct {
	access Access
	// era counts the changes of what is thought of the key. What a call came to says something only of the era in which
	// it began: an answer from before a refusal does not take that back.
	era int
	// suspected: a call was refused, and whether that is about the key or about this call alone is not known yet.
	suspected bool
	failures  int
	probes    int
	probeAt   time.Time
	// failedAt is when the last probe, or the call that stopped the rest, failed.
	failedAt time.Time
	// asked: a user wants the next probe. probing: one is under way; answers: a user wanted that one.
	asked, probing, answers bool
	// cause is what went wrong when the Hub went down, in our own words.
	cause       string
	pauses      int
	pausedUntil time.Time
}

// stopped reports whether no call may be made, a probe apart.
func (b *breaker) stopped(now time.Time) bool {
	return b.shut() || now.Before(b.pausedUntil)
}

// shut reports whether no call may be made before a probe succeeds.
func (b *breaker) shut() bool { return b.access != Open || b.suspected }

// probeDue is when the next probe of a refused key or a Hub that is down may be made: not while the Hub asked to wait.
func (b *breaker) probeDue() time.Time {
	if b.pausedUntil.After(b.probeAt) {
		return b.pausedUntil
	}
	return b.probeAt
}

// suspect records that a call was refused that was no listing: the next listing shows whether it is the key.
func (b *breaker) suspect(era int, now time.Time) {
	if era == b.era && !b.shut() {
		b.suspected, b.probeAt = true, now
		b.era++
	}
}

// record records the end of a call that began in the given era, and reports whether the access changed and how long the
// key is newly paused for.
func (b *breaker) record(
	era int, err error, now time.Time, jitter func(time.Duration) time.Duration,
) (bool, time.Duration) {
	if hub.IsKind(err, hub.Throttled) {
		// It holds for every call, whenever it began.
		return b.answered(era, now, jitter), b.pause(err, now, jitter)
	}
	if era != b.era {
		return false, 0
	}
	before := b.access
	switch {
	case hub.IsKind(err, hub.Refused):
		b.fail(Refused, refusedProbe, refusedProbeMax, now, jitter)
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
			b.fail(Down, downProbe, downProbeMax, now, jitter)
		}
	default:
		*b = breaker{era: b.era, pausedUntil: b.pausedUntil}
	}
	if b.access != before {
		b.era++
	}
	return b.access != before, 0
}

// answered records that the Hub asked to slow down, and reports whether the access changed. It says nothing of the key,
// and so the probe of one that is refused has failed.
func (b *breaker) answered(era int, now time.Time, jitter func(time.Duration) time.Duration) bool {
	if era != b.era {
		return false
	}
	if b.access == Refused {
		b.fail(Refused, refusedProbe, refusedProbeMax, now, jitter)
		return false
	}
	b.failures = 0
	if b.access == Open {
		return false
	}
	b.access = Open
	b.era++
	return true
}

func (b *breaker) fail(to Access, first, most time.Duration, now time.Time, jitter func(time.Duration) time.Duration) {
	b.suspected = false
	if b.access != to {
		b.access, b.probes = to, 0
	}
	b.probeAt = now.Add(jitter(min(first<<min(b.probes, 10), most)))
	b.failedAt = now
	if !b.answers {
		b.probes++
	}
	meanwhile := b.probing && b.asked
	if b.probing, b.answers, b.asked = false, false, false; meanwhile {
		b.ask(now)
	}
}

// probe records that a probe begins.
func (b *breaker) probe() { b.probing, b.answers, b.asked = true, b.asked, false }

// ask has the next probe come soon.
func (b *breaker) ask(now time.Time) {
	if b.access == Open {
		return
	}
	if b.probing {
		b.asked = true
	} else if at := latest(now, b.failedAt.Add(probeGap)); at.Before(b.probeAt) {
		b.probeAt, b.asked = at, true
	}
}

// failing counts a call that is no listing and failed for the Hub's sake, and reports whether a listing is to show
// whether it is down: it may be out of order for this kind of call only.
func (b *breaker) failing(era int) bool {
	if era != b.era || b.access != Open {
		return false
	}
	b.failures++
	return b.failures >= failuresToDown
}

func (b *breaker) pause(err error, now time.Time, jitter func(time.Duration) time.Duration) time.Duration {
	var pause time.Duration
	if e, ok := errors.AsType[*hub.Error](err); ok {
		pause = e.RetryAfter
	}
	// What the Hub answers to calls that were made together is one request to slow down.
	together := now.Before(b.pausedUntil)
	if pause <= 0 {
		if together {
			return 0
		}
		pause = min(pauseMin<<min(b.pauses, 10), pauseMax)
	}
	if !together {
		b.pauses++
	}
	// Jitter only ever lengthens, so that no call is made before the Hub allows it.
	pause = jitter(pause)
	if until := now.Add(pause); until.After(b.pausedUntil) {
		b.pausedUntil = until
		return pause
	}
	return 0
}
