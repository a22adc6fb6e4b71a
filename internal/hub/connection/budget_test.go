package connection

import (
	"slices"
	"testing"
	"time"
)

func lanesForAll() *lane { return NewLanes(1000).quickLane(func() {}, noon) }

// call makes a call that ends at once, if s has a turn.
func (b *budget) call(s Subject, p Priority, now time.Time) bool {
	ok := b.take(s, p, now)
	if ok && s != polling {
		b.lane.leave(now, now)
	}
	return ok
}

func TestABurstGoesAtOnceAndTheRestInTurn(t *testing.T) {
	b := newBudget(10, 2, lanesForAll())
	if !b.call("a", Repair, noon) || !b.call("b", Repair, noon) {
		t.Fatal("the burst has to wait")
	}
	if b.call("c", Repair, noon) || b.call("d", Repair, noon) {
		t.Fatal("there is no end to the burst")
	}
	turns, next := b.grant(noon)
	if len(turns) != 0 || !next.Equal(noon.Add(100*time.Millisecond)) {
		t.Fatalf("grant gave %v and the next token at %v", turns, next)
	}
	turns, _ = b.grant(next)
	if !slices.Equal(turns, []Subject{"c"}) {
		t.Errorf("the first turn is that of %v", turns)
	}
	if !b.call("c", Repair, next) || b.call("d", Repair, next) {
		t.Error("a turn is not taken by the one who has it, and by nobody else")
	}
}

func TestWhoComesLaterDoesNotOvertakeTheQueue(t *testing.T) {
	b := newBudget(10, 1, lanesForAll())
	b.call("a", Repair, noon)
	b.call("b", Repair, noon)
	if b.call("c", Repair, noon.Add(time.Second)) {
		t.Error("c took the token that b waits for")
	}
}

func TestDeletesAndCreatesGoBeforeRepairsAndPolls(t *testing.T) {
	b := newBudget(10, 1, lanesForAll())
	b.call("first", Repair, noon)
	for i, w := range []struct {
		s Subject
		p Priority
	}{{polling, Polling}, {"repair", Repair}, {"create", Creation}, {"repair later", Repair}, {"delete", Deletion}} {
		b.call(w.s, w.p, noon.Add(time.Duration(i)))
	}
	var order []Subject
	for i := 1; i <= 5; i++ {
		turns, _ := b.grant(noon.Add(time.Duration(i) * 100 * time.Millisecond))
		order = append(order, turns...)
	}
	if want := []Subject{"delete", "create", "repair", "repair later", polling}; !slices.Equal(order, want) {
		t.Errorf("the turns are %v, want %v", order, want)
	}
}

func TestAMoreUrgentWishMovesForward(t *testing.T) {
	b := newBudget(10, 1, lanesForAll())
	for _, s := range []Subject{"first", "other", "changed"} {
		b.call(s, Repair, noon)
	}
	b.call("changed", Deletion, noon)
	if turns, _ := b.grant(noon.Add(100 * time.Millisecond)); !slices.Equal(turns, []Subject{"changed"}) {
		t.Errorf("the turn is that of %v", turns)
	}
}

func TestPollingHasItsShareWhileOthersWait(t *testing.T) {
	b := newBudget(10, 1, lanesForAll())
	polls, others := 0, 0
	for i := range 1200 {
		now := noon.Add(time.Duration(i) * 100 * time.Millisecond)
		b.lane.proved(now, now)
		b.call(polling, Polling, now)
		b.call(Subject(now.String()), Deletion, now)
		turns, _ := b.grant(now)
		for _, s := range turns {
			if b.call(s, Polling, now); s == polling {
				polls++
			} else {
				others++
			}
		}
	}
	if share := float64(others) / float64(polls); share < pollingShare-2 || share > pollingShare {
		t.Errorf("polling has %d turns, others have %d", polls, others)
	}
}

func TestATurnThatIsNotTakenLapses(t *testing.T) {
	b := newBudget(10, 1, lanesForAll())
	b.call("a", Repair, noon)
	b.call("b", Repair, noon)
	b.grant(noon.Add(100 * time.Millisecond))
	late := noon.Add(100*time.Millisecond + grantTime)
	b.limiter.AllowN(late, 1)
	if b.call("b", Repair, late) {
		t.Error("b took a turn of a minute ago")
	}
	b.grant(late.Add(time.Second))
	b.grant(late.Add(time.Hour))
	if len(b.granted) != 0 || len(b.queued) != 0 {
		t.Errorf("%d turns and %d who wait are kept for ever", len(b.granted), len(b.queued))
	}
}

func TestWhoIsForgottenGetsNoTurn(t *testing.T) {
	b := newBudget(10, 1, lanesForAll())
	for _, s := range []Subject{"first", "a", "b", "c"} {
		b.call(s, Repair, noon)
	}
	b.forget("b")
	turns, _ := b.grant(noon.Add(100 * time.Millisecond))
	b.forget(turns[0])
	more, next := b.grant(noon.Add(200 * time.Millisecond))
	if turns = append(turns, more...); !slices.Equal(turns, []Subject{"a", "c"}) || !next.IsZero() {
		t.Errorf("the turns are %v, and the next is at %v", turns, next)
	}
	if _, ok := b.granted["a"]; ok {
		t.Error("the turn of one who was forgotten is kept")
	}
}

func TestATurnThatFindsNoLaneKeepsItsTokenAndItsPlace(t *testing.T) {
	all := NewLanes(1)
	b, other := newBudget(1, 1, all.join(func() {})), all.join(func() {})
	b.call("first", Repair, noon)
	for i, s := range []Subject{"a", "b"} {
		b.take(s, Repair, noon.Add(time.Duration(i)))
	}
	later := noon.Add(time.Second)
	if turns, _ := b.grant(later); !slices.Equal(turns, []Subject{"a"}) {
		t.Fatalf("the turn is that of %v", turns)
	}
	other.enter(later)
	for range 3 {
		if b.take("a", Repair, later) {
			t.Fatal("a call was made without a lane")
		}
		if turns, _ := b.grant(later); len(turns) != 0 {
			t.Fatalf("%v have a turn without a lane", turns)
		}
	}
	b.enqueue("urgent", Deletion, later)
	other.leave(later, later)
	if turns, _ := b.grant(later); !slices.Equal(turns, []Subject{"a"}) || !b.take("a", Repair, later) {
		t.Errorf("the turn that had no lane went to %v", turns)
	}
}

func TestNoTokenIsSpentWithoutALane(t *testing.T) {
	all := NewLanes(1)
	b, other := newBudget(1, 1, all.join(func() {})), all.join(func() {})
	other.enter(noon)
	if b.take("a", Repair, noon) || b.reserve("b", Repair, noon) {
		t.Fatal("a call was made without a lane")
	}
	other.leave(noon, noon)
	if turns, _ := b.grant(noon); !slices.Equal(turns, []Subject{"a"}) || !b.take("a", Repair, noon) {
		t.Errorf("the token is lost, the turn is that of %v", turns)
	}
}

func TestAPauseTakesBackWhatWasPaid(t *testing.T) {
	all := NewLanes(1)
	b, other := newBudget(1, 2, all.join(func() {})), all.join(func() {})
	if !b.reserve("a", Repair, noon) {
		t.Fatal("there is no turn")
	}
	other.enter(noon)
	b.take("a", Repair, noon)
	b.slowDown(noon, noon.Add(time.Minute))
	other.leave(noon, noon)
	b.token(noon.Add(time.Minute))
	if turns, _ := b.grant(noon.Add(time.Minute)); len(turns) != 0 {
		t.Errorf("%v go without a token", turns)
	}
}
