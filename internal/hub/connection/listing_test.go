package connection

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

func TestAQuietInventoryMakesListingCallsOnlyAndWakesNobody(t *testing.T) {
	w := newWorld(t)
	ids := w.registered(60)
	w.listed("a")
	w.conn.Subscribe("a", ids[0], naturalOf(0))
	for range 10 {
		w.pass(w.cfg.PollInterval)
		w.step()
	}
	if got := w.calls(); !slices.Equal(got, []string{"listWebhooks"}) || w.Count("listWebhooks") != 20 {
		t.Errorf("ten intervals cost %d listing calls, of all calls %v", w.Count("listWebhooks"), got)
	}
	if woken := w.take(); len(woken) != 0 {
		t.Errorf("woken are %v", woken)
	}
}

func TestBetweenTwoPollsNothingIsCalled(t *testing.T) {
	w := newWorld(t).listed("a")
	w.pass(w.cfg.PollInterval - 1)
	w.step()
	if got := w.calls(); got != nil {
		t.Errorf("called is %v", got)
	}
}

func TestAConnectionThatNobodyUsesMakesNoCalls(t *testing.T) {
	w := newWorld(t)
	w.step()
	w.conn.Subscribe("a", "", NaturalKey{})
	w.conn.Unsubscribe("a")
	w.pass(time.Hour)
	w.step()
	if got := w.calls(); got != nil {
		t.Errorf("called is %v", got)
	}
}

func TestNWebhooksCostACallFor49(t *testing.T) {
	for n, want := range map[int]int{1: 1, 50: 1, 51: 2, 100: 3} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			w := newWorld(t)
			w.registered(n)
			w.conn.Subscribe("a", "", NaturalKey{})
			w.step()
			if got := w.Count("listWebhooks"); got != want || w.conn.Listing().Count != n {
				t.Errorf("%d calls show %d webhooks, want %d calls", got, w.conn.Listing().Count, want)
			}
		})
	}
}

func TestAListingWithMorePagesThanTheBudgetHasTokensGoesOn(t *testing.T) {
	w := newWorld(t)
	w.registered(100)
	w.cfg.Burst = 1
	w.conn = w.connect(apiKey)
	w.conn.Subscribe("a", "", NaturalKey{})
	for range 3 {
		w.conn.StepListing(t.Context())
		// What Run does: whoever waits has its loop look, and that says when there is a token.
		select {
		case <-w.conn.kick:
		default:
			t.Fatal("the loop of the budget is not told that the listing waits")
		}
		if next := w.conn.StepBudget(); !next.IsZero() {
			w.pass(next.Sub(w.Now()))
			w.conn.StepBudget()
		}
		w.conn.StepListing(t.Context())
	}
	if w.conn.Listing().Count != 100 {
		t.Errorf("after %d calls the listing shows %+v", w.Count("listWebhooks"), w.conn.Listing())
	}
}

func TestAListingDuringWhichOneIsDeletedIsNotTakenForWhole(t *testing.T) {
	w := newWorld(t)
	ids := w.registered(60)
	w.conn.Subscribe("a", ids[55], naturalOf(55))
	w.conn.StepListing(t.Context())
	if err := w.DeleteByHand(ids[10]); err != nil {
		t.Fatal(err)
	}
	w.conn.StepListing(t.Context())
	listing := w.conn.Listing()
	if !listing.BeganAt.IsZero() || listing.TriedAt.IsZero() {
		t.Errorf("the listing is %+v", listing)
	}
	if _, ok := w.conn.Find(ids[10]); !ok {
		t.Error("a listing that is not whole proved a webhook absent")
	}
	w.step()
	if _, ok := w.conn.Find(ids[10]); ok || w.conn.Listing().Count != 59 {
		t.Errorf("the next listing is %+v", w.conn.Listing())
	}
}

func TestListingsThatNeverComeOutWholeDoNotFollowOneAnotherForEver(t *testing.T) {
	w := newWorld(t)
	ids := w.registered(100)
	w.conn.Subscribe("a", "", NaturalKey{})
	w.conn.Want("a", w.Now())
	for range scansInARow {
		w.conn.StepListing(t.Context())
		if err := w.DeleteByHand(ids[0]); err != nil {
			t.Fatal(err)
		}
		ids = ids[1:]
		w.conn.StepListing(t.Context())
	}
	w.ClearRequests()
	if next := w.conn.StepListing(t.Context()); !next.Equal(w.Now().Add(ReadLag)) || w.calls() != nil {
		t.Errorf("the next listing is at %v, and called is %v", next, w.calls())
	}
	w.pass(ReadLag)
	w.step()
	if woken := w.take(); woken["a"] == 0 || w.conn.Listing().Count != len(ids) {
		t.Errorf("woken are %v, and the listing is %+v", woken, w.conn.Listing())
	}
}

func TestAChangeByHandWakesItsSubjectOnly(t *testing.T) {
	w := newWorld(t)
	ids := w.registered(60)
	for n, id := range ids {
		w.conn.Subscribe(Subject(fmt.Sprint(n)), id, naturalOf(n))
	}
	w.listed()
	if _, err := w.ChangeByHand(ids[17], simulator.Change{Active: new(false)}); err != nil {
		t.Fatal(err)
	}
	if err := w.DeleteByHand(ids[42]); err != nil {
		t.Fatal(err)
	}
	w.pass(w.cfg.PollInterval)
	w.step()
	got := slices.Sorted(maps.Keys(w.take()))
	if diff := cmp.Diff([]Subject{"17", "42"}, got); diff != "" {
		t.Errorf("woken (-want +got):\n%s", diff)
	}
}

func TestAThousandWhoWantAListingShareOne(t *testing.T) {
	w := newWorld(t)
	w.registered(3)
	w.listed("a")
	w.pass(time.Second)
	for n := range 1000 {
		s := Subject(fmt.Sprint(n))
		w.conn.Subscribe(s, "", naturalOf(n+10))
		w.conn.Want(s, w.Now())
	}
	w.step()
	if got := w.Count("listWebhooks"); got != 1 {
		t.Errorf("they cost %d calls", got)
	}
	woken := w.take()
	if _, ok := woken["a"]; ok || len(woken) != 1000 || woken["7"] != 1 {
		t.Errorf("%d were woken", len(woken))
	}
}

func TestWhoWantsAListingOfLaterWaitsForThat(t *testing.T) {
	w := newWorld(t).listed("a")
	w.conn.Want("a", w.Now().Add(30*time.Second))
	w.step()
	if w.calls() != nil || len(w.take()) != 0 {
		t.Fatal("an earlier listing served")
	}
	w.pass(30 * time.Second)
	w.step()
	if woken := w.take(); woken["a"] != 1 || w.Count("listWebhooks") != 1 {
		t.Errorf("woken are %v after %d calls", woken, w.Count("listWebhooks"))
	}
}

func TestWhoWantsAListingThatIsThereIsWokenAtOnce(t *testing.T) {
	w := newWorld(t).listed("a")
	w.conn.Want("a", w.conn.Listing().BeganAt)
	if woken := w.take(); woken["a"] != 1 {
		t.Errorf("woken are %v", woken)
	}
	if w.step(); w.calls() != nil {
		t.Errorf("called is %v", w.calls())
	}
}

func TestAListingThatBeganTooEarlyDoesNotServe(t *testing.T) {
	w := newWorld(t)
	w.registered(60)
	w.conn.Subscribe("a", "", NaturalKey{})
	w.conn.StepListing(t.Context())
	w.pass(time.Second)
	w.conn.Want("a", w.Now())
	w.conn.StepListing(t.Context())
	if woken := w.take(); len(woken) != 0 {
		t.Fatalf("woken by the listing under way: %v", woken)
	}
	w.step()
	if woken := w.take(); woken["a"] != 1 {
		t.Errorf("woken by the next listing: %v", woken)
	}
}

func TestFewLooksAreGETsAndManyAreAPage(t *testing.T) {
	w := newWorld(t)
	ids := w.registered(150) // four pages
	w.listed("a")
	w.pass(time.Second)
	for n := range observationBurst / 2 {
		seen, ok, err := w.conn.Look(t.Context(), Subject(fmt.Sprint(n)), ids[n])
		if err != nil || !ok || seen.Webhook.ID != ids[n] || !seen.SeenAt.Equal(w.Now()) {
			t.Errorf("look %d gave %+v, %t, %v", n, seen, ok, err)
		}
	}
	for n := observationBurst / 2; n < 40; n++ {
		if _, ok, err := w.conn.Look(t.Context(), Subject(fmt.Sprint(n)), ids[n]); ok || err != nil {
			t.Errorf("look %d gave %t, %v", n, ok, err)
		}
	}
	w.observe(firstObservation)
	if gets, lists := w.Count("getWebhook"), w.Count("listWebhooks"); gets != observationBurst/2 || lists != 1 {
		t.Errorf("40 looks cost %d GETs and %d listing calls", gets, lists)
	}
	if woken := w.take(); len(woken) != 40-observationBurst/2 || woken["39"] != 1 {
		t.Errorf("woken are %v", woken)
	}
	w.pass(time.Minute)
	if _, ok, _ := w.conn.Look(t.Context(), "a", ids[0]); !ok {
		t.Error("looks of before count for ever")
	}
}

func TestWhoWaitsForAWebhookThatIsNotThereLearnsItFromTheFirstListing(t *testing.T) {
	w := newWorld(t)
	id := w.registered(1)[0]
	w.conn.Subscribe("there", id, naturalOf(0))
	w.conn.Subscribe("gone", "11111111-1111-4111-8111-111111111111", naturalOf(1))
	w.step()
	if woken := w.take(); woken["there"] == 0 || woken["gone"] != 1 {
		t.Errorf("woken by the first listing are %v", woken)
	}
	w.pass(w.cfg.PollInterval)
	w.step()
	if woken := w.take(); len(woken) != 0 {
		t.Errorf("woken by the second one are %v", woken)
	}
}
