package connection

import (
	"slices"
	"testing"
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

var (
	errRefused   = &hub.Error{Kind: hub.Refused}
	errDown      = &hub.Error{Kind: hub.Unavailable, Cause: "timed out"}
	errNotFound  = &hub.Error{Kind: hub.NotFound}
	errInvalid   = &hub.Error{Kind: hub.Invalid}
	errThrottled = &hub.Error{Kind: hub.Throttled}
)

func throttledFor(d time.Duration) error { return &hub.Error{Kind: hub.Throttled, RetryAfter: d} }

func TestAccessFollowsFromTheCallsThatEnded(t *testing.T) {
	tests := []struct {
		name string
		ends []error
		want Access
	}{
		{name: "is open at first", want: Open},
		{name: "is refused at the first refusal", ends: []error{errRefused}, want: Refused},
		{name: "is open after two failures", ends: []error{errDown, errDown}, want: Open},
		{name: "is down after three failures", ends: []error{errDown, errDown, errDown}, want: Down},
		{name: "counts failures in a row only", ends: []error{errDown, errDown, nil, errDown, errDown}, want: Open},
		{name: "takes a 404 for an answer", ends: []error{errDown, errDown, errNotFound, errDown}, want: Open},
		{name: "takes a 400 for an answer", ends: []error{errDown, errDown, errInvalid, errDown}, want: Open},
		{name: "takes a 429 for an answer", ends: []error{errDown, errDown, errThrottled, errDown}, want: Open},
		{name: "opens with a success after a refusal", ends: []error{errRefused, nil}, want: Open},
		{name: "opens with a success when down", ends: []error{errDown, errDown, errDown, nil}, want: Open},
		{name: "is refused when a Hub that was down answers so", ends: []error{errDown, errDown, errDown, errRefused}, want: Refused},
		{name: "stays refused when the Hub fails", ends: []error{errRefused, errDown, errDown, errDown, errDown}, want: Refused},
		{name: "stays refused when the Hub asks to slow down", ends: []error{errRefused, errThrottled}, want: Refused},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var b breaker
			var changes []Access
			for _, err := range test.ends {
				before := b.access
				if changed, _ := b.record(b.era, err, noon, exactly); changed != (b.access != before) {
					t.Errorf("record(%v) says that the access changed: %t", err, changed)
				}
				changes = append(changes, b.access)
			}
			if b.access != test.want {
				t.Errorf("the access went %v, want %v", changes, test.want)
			}
			if b.access == Down && b.cause != errDown.Cause {
				t.Errorf("the cause is %q", b.cause)
			}
		})
	}
}

// probes are the delays between n probes in a row that fail.
func probes(t *testing.T, b *breaker, err error, n int) []time.Duration {
	t.Helper()
	var delays []time.Duration
	now := noon
	for range n {
		b.record(b.era, err, now, exactly)
		delays = append(delays, b.probeDue().Sub(now))
		now = b.probeDue()
	}
	return delays
}

func TestProbesOfARefusedKeyComeOnceAMinuteAtMost(t *testing.T) {
	want := []time.Duration{1 * time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 10 * time.Minute, 10 * time.Minute}
	if got := probes(t, &breaker{}, errRefused, 6); !slices.Equal(got, want) {
		t.Errorf("the delays are %v, want %v", got, want)
	}
}

func TestProbesOfAHubThatIsDownComeEverLessOften(t *testing.T) {
	want := []time.Duration{
		time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second, time.Minute, time.Minute,
	}
	if got := probes(t, &breaker{failures: failuresToDown - 1}, errDown, 8); !slices.Equal(got, want) {
		t.Errorf("the delays are %v, want %v", got, want)
	}
}

func TestCallsThatBeganBeforeTheHubWasDownAreNoProbes(t *testing.T) {
	var b breaker
	for range 40 {
		b.record(0, errDown, noon, exactly)
	}
	if got := b.probeDue().Sub(noon); got != time.Second {
		t.Errorf("after 40 calls that failed together the first probe waits %v", got)
	}
}

func TestACallCountsForTheEraInWhichItBeganOnly(t *testing.T) {
	for _, late := range []error{nil, errNotFound, errDown, errRefused} {
		b := breaker{}
		b.record(b.era, errRefused, noon, exactly)
		due := b.probeDue()
		if changed, _ := b.record(0, late, noon.Add(time.Second), exactly); changed || b.access != Refused || b.probeDue() != due {
			t.Errorf("the end %v of a call from before the refusal has the access %v, the next probe at %v", late, b.access, b.probeDue())
		}
		b = breaker{}
		b.suspect(b.era, noon)
		if b.record(0, late, noon, exactly); !b.suspected || b.access != Open {
			t.Errorf("the end %v of a call from before the suspicion ends it", late)
		}
		b.record(b.era, nil, noon, exactly)
		if b.suspect(0, noon); b.suspected {
			t.Error("the key is suspected for a call from before it was found to be good")
		}
	}
	b := breaker{}
	b.record(b.era, errRefused, noon, exactly)
	if changed, pause := b.record(0, errThrottled, noon, exactly); changed || pause != time.Second || b.access != Refused {
		t.Errorf("what the Hub asks for counts for %v", pause)
	}
}

func TestAPauseIsAsLongAsTheHubAsksFor(t *testing.T) {
	var b breaker
	if _, pause := b.record(b.era, throttledFor(90*time.Second), noon, exactly); pause != 90*time.Second {
		t.Errorf("the pause is %v", pause)
	}
	if !b.stopped(noon.Add(90*time.Second-1)) || b.stopped(noon.Add(90*time.Second)) {
		t.Error("the pause does not end after 90 s")
	}
}

func TestAPauseThatTheHubDoesNotMeasureGrows(t *testing.T) {
	var b breaker
	var got []time.Duration
	now := noon
	for range 8 {
		_, pause := b.record(b.era, errThrottled, now, exactly)
		got = append(got, pause)
		now = b.pausedUntil
	}
	want := []time.Duration{
		time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second, time.Minute, time.Minute,
	}
	if !slices.Equal(got, want) {
		t.Errorf("the pauses are %v, want %v", got, want)
	}
	b.record(b.era, nil, now, exactly)
	if _, pause := b.record(b.era, errThrottled, now, exactly); pause != time.Second {
		t.Errorf("after a success the pause is %v", pause)
	}
}

func TestAShorterPauseDoesNotEndALongerOne(t *testing.T) {
	var b breaker
	b.record(b.era, throttledFor(time.Hour), noon, exactly)
	if _, pause := b.record(b.era, throttledFor(time.Second), noon, exactly); pause != 0 || !b.stopped(noon.Add(time.Minute)) {
		t.Errorf("the second pause counts %v, paused until %v", pause, b.pausedUntil)
	}
	b.record(b.era, nil, noon, exactly)
	if !b.stopped(noon.Add(time.Minute)) {
		t.Error("a success of a call that began earlier ends the pause")
	}
}

func TestJitterNeverShortensAPause(t *testing.T) {
	var b breaker
	longer := func(d time.Duration) time.Duration { return d + d/5 }
	if _, pause := b.record(b.era, throttledFor(10*time.Second), noon, longer); pause != 12*time.Second {
		t.Errorf("the pause is %v", pause)
	}
}

func TestThereIsNoProbeDuringAPause(t *testing.T) {
	var b breaker
	b.record(b.era, throttledFor(time.Hour), noon, exactly)
	for range failuresToDown {
		b.record(b.era, errDown, noon, exactly)
	}
	if b.access != Down || !b.probeDue().Equal(noon.Add(time.Hour)) {
		t.Errorf("the access is %v and the next probe at %v", b.access, b.probeDue())
	}
}
