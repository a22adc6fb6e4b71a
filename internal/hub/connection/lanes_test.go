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

func TestAKeyLeavesAsManyLanesAsItTakes(t *testing.T) {
	all := NewLanes(16)
	keys := make([]*lane, 4)
	var got []int
	for i := range keys {
		keys[i] = all.join(func() {})
		got = append(got, enterAll(keys[i], noon))
	}
	if got[0] != 8 || got[1] != 4 || got[2] != 2 || got[3] != 1 {
		t.Errorf("the keys got %v lanes", got)
	}
}

func TestSlowKeysTakeHalfOfTheLanesAtMost(t *testing.T) {
	all := NewLanes(16)
	taken := 0
	for range 40 {
		m := all.join(func() {})
		if !m.enter(noon) {
			continue
		}
		m.leave(noon, noon.Add(slowCall+1)) // a slow call was made
		taken += enterAll(m, noon.Add(2*slowCall))
	}
	if taken != 8 {
		t.Errorf("40 slow keys have %d lanes", taken)
	}
	quick := all.join(func() {})
	if n := enterAll(quick, noon.Add(3*slowCall)); n != 4 {
		t.Errorf("a quick key has %d lanes beside them", n)
	}
}

func TestAKeyIsSlowWhileACallOfItsLasts(t *testing.T) {
	all := NewLanes(16)
	m := all.join(func() {})
	m.enter(noon)
	later := noon.Add(slowCall + 1)
	if m.enter(later) {
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
	if enterAll(m, noon) != 2 || enterAll(other, noon) != 1 {
		t.Fatal("of four lanes the keys do not have two and one")
	}
	m.leave(noon, noon)
	if told != 1 || !other.enter(noon) {
		t.Errorf("told %d times", told)
	}
	m.leave(noon, noon)
	if told != 1 {
		t.Errorf("told %d times although it found a lane", told)
	}
	other.leave(noon, noon)
	other.leave(noon, noon)
	if len(all.members) != 0 {
		t.Errorf("%d keys without calls are kept", len(all.members))
	}
}
