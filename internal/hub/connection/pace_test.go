package connection

import (
	"fmt"
	"testing"
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

// limit is how a Hub counts calls: it reports whether it takes one, and else when to come back at the earliest.
type limit func(now time.Time) (bool, time.Duration)

// bucket takes perSecond calls a second, and size at once.
func bucket(perSecond, size float64) limit {
	tokens, last := size, noon
	return func(now time.Time) (bool, time.Duration) {
		tokens, last = min(tokens+now.Sub(last).Seconds()*perSecond, size), now
		if tokens < 1 {
			return false, time.Duration((1-tokens)/perSecond*float64(time.Second)).Truncate(time.Second) + time.Second
		}
		tokens--
		return true, 0
	}
}

// window takes so many calls in each span of time.
func window(calls int, span time.Duration) limit {
	var began time.Time
	taken := 0
	return func(now time.Time) (bool, time.Duration) {
		if !now.Before(began.Add(span)) {
			began, taken = now.Truncate(span), 0
		}
		if taken == calls {
			return false, began.Add(span).Sub(now)
		}
		taken++
		return true, 0
	}
}

// tally is how many calls a Hub took and refused.
type tally struct{ taken, refused int }

func (t tally) share() float64 { return float64(t.refused) / float64(t.taken+t.refused) }

// load lets a budget that always has somebody waiting make calls of a Hub, and tells how they went, minute by minute.
func load(b *budget, allows limit, minutes int) []tally {
	const answer = 20 * time.Millisecond
	counts := make([]tally, minutes)
	var br breaker
	next := 0
	for now := noon; now.Before(noon.Add(time.Duration(minutes) * time.Minute)); now = now.Add(5 * time.Millisecond) {
		if br.stopped(now) {
			continue
		}
		for range max(b.burst, 8) - len(b.queue) {
			b.enqueue(Subject(fmt.Sprint(next)), Creation, now)
			next++
		}
		turns, _ := b.grant(now)
		for _, s := range turns {
			b.take(s, Creation, now)
			b.lane.leave(now, now)
			count := &counts[now.Sub(noon)/time.Minute]
			if taken, after := allows(now); taken {
				count.taken++
				b.pace.took()
				br.record(br.era, nil, now, exactly)
			} else {
				count.refused++
				err := &hub.Error{Kind: hub.Throttled, RetryAfter: after}
				// The answer takes a while, in which other calls are made.
				if _, pause := br.record(br.era, err, now.Add(answer), exactly); pause > 0 {
					b.slowDown(now.Add(answer), br.pausedUntil)
				}
			}
		}
	}
	return counts
}

// foundLimit is a limit of the Hub's, and how a budget is to keep to it.
type foundLimit struct {
	name       string
	qps        float64
	burst      int
	hub        func() limit
	perMinute  float64
	throughput float64
}

// foundLimits are those that a Hub may have, from 20 calls a minute to 100 a second.
func foundLimits() []foundLimit {
	all := []foundLimit{
		{"a bucket that holds a second's worth", 200, 200, func() limit { return bucket(20, 20) }, 1200, .95},
		{"a bucket that holds one call", 200, 200, func() limit { return bucket(20, 1) }, 1200, .85},
		{"a bucket that holds a minute's worth", 200, 200, func() limit { return bucket(20, 1200) }, 1200, .9},
		{"a window of a second", 100, 20, func() limit { return window(20, time.Second) }, 1200, .9},
		{"a window of a minute", 100, 20, func() limit { return window(1200, time.Minute) }, 1200, .9},
		{"a limit a thousand times less", 1000, 100, func() limit { return bucket(1, 1) }, 60, .8},
		{"a limit just under what is configured", 21, 20, func() limit { return bucket(20, 20) }, 1200, .95},
	}
	for _, perMinute := range []float64{20, 30, 60, 120, 300, 1200, 6000} {
		perSecond := perMinute / 60
		// Where calls must not come closer than 50 ms, the steps of the clock are seen.
		strict := .9
		if perMinute == 1200 {
			strict = .88
		}
		add := func(name string, throughput float64, hub func() limit) {
			name = fmt.Sprintf("%v a minute, %s", perMinute, name)
			all = append(all, foundLimit{name, max(10, perSecond*5), 20, hub, perMinute, throughput})
		}
		add("a bucket of one call", strict, func() limit { return bucket(perSecond, 1) })
		add("a bucket of a second's worth", .9, func() limit { return bucket(perSecond, max(perSecond, 2)) })
		add("a bucket of a minute's worth", .9, func() limit { return bucket(perSecond, perMinute) })
		add("a window of a minute", .9, func() limit { return window(int(perMinute), time.Minute) })
		if perSecond >= 1 {
			add("a window of a second", strict, func() limit { return window(int(perSecond), time.Second) })
		}
	}
	return all
}

func TestTheLimitOfTheHubIsFoundAndKeptTo(t *testing.T) {
	for _, test := range foundLimits() {
		for _, says := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, says how long to wait %t", test.name, says), func(t *testing.T) {
				t.Parallel()
				b := newBudget(test.qps, test.burst, lanesForAll())
				allows := test.hub()
				if !says {
					// A pause of a second is longer than it need be.
					allows, test.throughput = unsaid(allows), min(test.throughput, .89)
				}
				settling, measured := 6, 12
				if test.perMinute < 60 {
					settling = 12
				}
				counts := load(&b, allows, settling+measured)
				var all tally
				for _, c := range counts[settling:] {
					all.taken += c.taken
					all.refused += c.refused
				}
				used := float64(all.taken) / float64(measured) / test.perMinute
				t.Logf("%.1f %% refused, %.1f %% of the limit used, minute by minute %v", 100*all.share(), 100*used, counts)
				if all.share() > .03 || used < test.throughput {
					t.Errorf("%.1f %% of the calls are refused, %.1f %% of the limit are used, want 3 %% at most and %.0f %% or more",
						100*all.share(), 100*used, 100*test.throughput)
				}
			})
		}
	}
}

func TestASlowLimitIsUsedFromTheBeginning(t *testing.T) {
	b := newBudget(10, 20, lanesForAll())
	allows := bucket(.5, 1)
	says := func(now time.Time) (bool, time.Duration) {
		taken, _ := allows(now)
		return taken, 2 * time.Second
	}
	taken := 0
	for _, c := range load(&b, says, 3)[:3] {
		taken += c.taken
	}
	if taken < 81 {
		t.Errorf("%d of 90 calls were made in three minutes", taken)
	}
}

// unsaid is a limit that does not say when to come back.
func unsaid(allows limit) limit {
	return func(now time.Time) (bool, time.Duration) {
		taken, _ := allows(now)
		return taken, 0
	}
}

func TestOneRequestToSlowDownIsForgottenWithinMinutes(t *testing.T) {
	p := pace{most: 10, countSince: noon.Add(-time.Hour)}
	p.slowDown(noon, noon.Add(time.Second))
	if got := p.at(noon.Add(time.Second)); got < 4.5 || got > 5 {
		t.Errorf("calls begin again at %v a second, who made none before", got)
	}
	if got := p.at(noon.Add(90 * time.Second)); got != 10 {
		t.Errorf("after a minute and a half it is %v a second", got)
	}
	if got := p.at(noon.Add(2 * time.Second)); got != 10 {
		t.Errorf("the limit is remembered: %v", got)
	}
}

func TestCallsThatWereMadeTogetherCountAsOneRequestToSlowDown(t *testing.T) {
	p := pace{most: 10, countSince: noon.Add(-time.Second)}
	p.slowDown(noon, noon.Add(time.Second))
	p.slowDown(noon, noon.Add(2*time.Second))
	if got := p.at(noon.Add(2 * time.Second)); got < 4.5 {
		t.Errorf("two answers to calls made together bring the pace down to %v", got)
	}
	if got := p.at(noon.Add(time.Second)); got > 4.75+1e-9 {
		t.Errorf("the climb began before the pause ended: %v", got)
	}
}

func TestAnOutageIsFollowedByAClimb(t *testing.T) {
	b := newBudget(100, 50, lanesForAll())
	b.comeBack(noon)
	made := load(&b, func(time.Time) (bool, time.Duration) { return true, 0 }, 1)[0].taken
	b = newBudget(100, 50, lanesForAll())
	b.comeBack(noon)
	var perSecond []int
	for second := range 30 {
		n := 0
		for ms := range 1000 {
			now := noon.Add(time.Duration(second)*time.Second + time.Duration(ms)*time.Millisecond)
			for b.call(Subject(now.String()), Repair, now) {
				n++
			}
			b.forget(Subject(now.String()))
		}
		perSecond = append(perSecond, n)
	}
	if perSecond[0] > 20 || perSecond[1] > 40 || perSecond[29] < 95 || made < 4000 {
		t.Errorf("calls by the second are %v, in the first minute %d", perSecond, made)
	}
}

func TestAHubThatComesAndGoesIsNotCalledEverMoreSlowly(t *testing.T) {
	p := pace{most: 100}
	now := noon
	for range 5 {
		p.comeBack(now)
		if got := p.at(now); got < 9.9 || got > 10.1 {
			t.Fatalf("calls begin again at %v a second", got)
		}
		now = now.Add(time.Second)
	}
}
