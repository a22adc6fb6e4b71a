package connection

import (
	"fmt"
	"testing"
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

// many is how many webhooks the Application of a benchmark has.
const many = 10_000

// filled is an inventory of many webhooks, each with a subject, after a first listing.
func filled() (inventory, []hub.Webhook) {
	i := newInventory()
	all := make([]hub.Webhook, many)
	for n := range all {
		key := naturalOf(n)
		all[n] = hub.Webhook{
			ID: fmt.Sprintf("11111111-1111-4111-8111-%012d", n), ApplicationID: "app", Endpoint: key.Endpoint,
			EventType: key.EventType, Label: hub.Field[string]{Known: true, Value: key.Label}, IsVerified: true,
			CreatedDate: noon,
		}
		i.watch(Subject(fmt.Sprint(n)), interest{all[n].ID, key, nil})
	}
	i.compare(all, noon)
	return i, all
}

// compare records a complete listing, and tells for how many it is news.
func (i *inventory) compare(all []hub.Webhook, began time.Time) int {
	news := 0
	s := newScan(began)
	for n := range all {
		news += len(i.saw(all[n], began))
		s.seen[all[n].ID] = struct{}{}
	}
	return news + len(i.listed(s.seen, began, len(all)))
}

func TestAPollThatShowsNothingNewAllocatesForTheScanAlone(t *testing.T) {
	i, all := filled()
	began := noon
	n := testing.AllocsPerRun(3, func() {
		began = began.Add(time.Minute)
		if news := i.compare(all, began); news != 0 {
			t.Fatalf("it is news for %d", news)
		}
	})
	// The set of ids seen grows some hundred times.
	if n > many/50 {
		t.Errorf("a poll of %d webhooks makes %v allocations", many, n)
	}
}

// BenchmarkPoll compares a listing of many webhooks with the inventory, of which none has changed.
func BenchmarkPoll(b *testing.B) {
	i, all := filled()
	began := noon
	b.ReportAllocs()
	for b.Loop() {
		began = began.Add(time.Minute)
		i.compare(all, began)
	}
}

// BenchmarkPollWithDrift compares a listing in which one webhook in a hundred has changed.
func BenchmarkPollWithDrift(b *testing.B) {
	i, all := filled()
	began := noon
	b.ReportAllocs()
	for b.Loop() {
		began = began.Add(time.Minute)
		for n := 0; n < len(all); n += 100 {
			all[n].NumberOfErrors++
		}
		if i.compare(all, began) != many/100 {
			b.Fatal("not the hundredth part is news")
		}
	}
}

// BenchmarkBudget grants turns to many who wait.
func BenchmarkBudget(b *testing.B) {
	names := make([]Subject, many)
	for n := range names {
		names[n] = Subject(fmt.Sprint(n))
	}
	b.ReportAllocs()
	for b.Loop() {
		budget := newBudget(1000, 1, lanesForAll())
		for n := range names {
			budget.enqueue(names[n], Priority(n%4), noon)
		}
		for now := noon; len(budget.queue) > 0; now = now.Add(time.Millisecond) {
			turns, _ := budget.grant(now)
			for _, s := range turns {
				budget.call(s, Repair, now)
			}
		}
	}
}
