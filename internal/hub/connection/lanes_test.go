package connection

import (
	"testing"
	"time"
)

// enterAll takes lanes until there is none, and tells how many it took.
func enterAll(m *lane, now time.Time) int {
	n := 0
	for m.enter(now) {
		n++
	}
	return n
}

// quickLane is the part of a key whose Hub has just answered.
func (l *Lanes) quickLane(missed func(), now time.Time) *lane {
	m := l.join(missed)
	m.proved(now, now)
	return m
}

func TestQuickKeysLeaveAsManyLanesAsTheyTakeTogether(t *testing.T) {
	all := NewLanes(16)
	taken := 0
	for range 20 {
		taken += enterAll(all.quickLane(func() {}, noon), noon)
	}
	if taken != 8 {
		t.Errorf("they got %d lanes", taken)
	}
}

func TestQuickKeysShareEvenly(t *testing.T) {
	all := NewLanes(16)
	first, second := all.quickLane(func() {}, noon), all.quickLane(func() {}, noon)
	if n := enterAll(first, noon); n != 8 {
		t.Fatalf("one key alone has %d lanes", n)
	}
	if second.enter(noon) {
		t.Fatal("more than half of the lanes are taken")
	}
	for range 8 {
		first.leave(noon, noon)
		for first.enter(noon) || second.enter(noon) {
			continue // who has more asks first
		}
	}
	if a, b := len(first.began), len(second.began); a != 4 || b != 4 {
		t.Errorf("the keys have %d and %d lanes", a, b)
	}
}

func TestKeysThatHangTogetherLeaveLanesToTheOthers(t *testing.T) {
	all := NewLanes(16)
	now := noon
	for range 40 { // of which nothing is known
		enterAll(all.join(func() {}), now)
	}
	for range 40 { // in the midst of many calls
		enterAll(all.quickLane(func() {}, now), now)
	}
	for _, wait := range []time.Duration{0, slowCall / 2, slowCall, time.Minute} {
		now = noon.Add(wait)
		told := false
		healthy := all.join(func() { told = true })
		if healthy.enter(now) || !healthy.wantsProof(now) {
			t.Fatal("a key of which nothing is known has a lane, although half of them may hang")
		}
		if healthy.proved(now, now); !told {
			t.Error("who has shown that it is quick is not told to look for a lane")
		}
		now = now.Add(slowCall + 1)
		healthy.proved(now, now)
		if !healthy.enter(now) {
			t.Errorf("after %v a quick key finds no lane", wait)
		}
		healthy.leave(now, now)
	}
}

func TestSlowKeysTakeHalfOfTheLanesAtMost(t *testing.T) {
	all := NewLanes(16)
	taken := 0
	for range 40 {
		m := all.quickLane(func() {}, noon)
		if !m.enter(noon) {
			continue
		}
		m.leave(noon, noon.Add(slowCall+1)) // a slow call was made
		m.proved(noon.Add(2*slowCall), noon.Add(2*slowCall))
		taken += enterAll(m, noon.Add(2*slowCall))
		if m.wantsProof(noon.Add(2 * slowCall)) {
			t.Error("a slow key is to show that it is quick")
		}
	}
	if taken != 8 {
		t.Errorf("40 slow keys have %d lanes", taken)
	}
	if n := enterAll(all.quickLane(func() {}, noon.Add(3*slowCall)), noon.Add(3*slowCall)); n != 4 {
		t.Errorf("a quick key has %d lanes beside them", n)
	}
}

func TestAKeyIsSlowWhileACallOfItsLasts(t *testing.T) {
	all := NewLanes(16)
	m := all.quickLane(func() {}, noon)
	m.enter(noon)
	later := noon.Add(slowCall + 1)
	if m.proved(later, later); m.enter(later) {
		t.Error("a second call was made although the first one lasts")
	}
	m.leave(noon, later)
	if n := enterAll(m, later); n != 1 {
		t.Errorf("after a slow call there are %d at once", n)
	}
	m.leave(later, later)
	if n := enterAll(m, later); n != 8 {
		t.Errorf("after a quick call there are %d at once", n)
	}
}

func TestASlowPageProvesNothing(t *testing.T) {
	m := NewLanes(16).join(func() {})
	later := noon.Add(slowCall + 1)
	if m.proved(noon, later); m.quick(later) {
		t.Error("a key whose listing is slow counts as quick")
	}
}

func TestThereIsALaneEvenWithOneWorker(t *testing.T) {
	all := NewLanes(1)
	m, other := all.join(func() {}), all.join(func() {})
	if !m.enter(noon) || other.enter(noon) {
		t.Fatal("one worker makes not exactly one call")
	}
	m.leave(noon, noon.Add(2*slowCall))
	if !m.enter(noon.Add(3 * slowCall)) {
		t.Error("a slow key has no lane at all")
	}
}

func TestWhoFoundNoLaneIsToldOfOne(t *testing.T) {
	told := 0
	all := NewLanes(4)
	m, other := all.join(func() {}), all.join(func() { told++ })
	third := all.join(func() {})
	if !m.enter(noon) || !third.enter(noon) || other.enter(noon) {
		t.Fatal("of which nothing is known has more than half of the lanes")
	}
	m.leave(noon, noon)
	if told != 1 || !other.enter(noon) {
		t.Errorf("told %d times", told)
	}
	third.leave(noon, noon)
	if told != 1 {
		t.Errorf("told %d times although it found a lane", told)
	}
	other.leave(noon, noon)
	if len(all.members) != 0 {
		t.Errorf("%d keys without calls are kept", len(all.members))
	}
}
