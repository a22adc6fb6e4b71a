package connection

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

func (w *world) fault(f simulator.Fault) {
	w.t.Helper()
	if err := w.AddFault(f); err != nil {
		w.t.Fatal(err)
	}
}

// subscribed is how many subjects the world has.
func (w *world) subscribed(n int) {
	for i := range n {
		w.conn.Subscribe(Subject(fmt.Sprint(i)), "", naturalOf(i))
	}
}

func (w *world) minutes(n int) {
	w.t.Helper()
	for range n * 60 {
		w.pass(time.Second)
		w.step()
	}
}

// wokenInWaves lets all waves pass, and tells who was woken.
func (w *world) wokenInWaves() map[Subject]int {
	w.t.Helper()
	w.waves()
	return w.take()
}

// waves tells how many were woken in each wave.
func (w *world) waves() []int {
	w.t.Helper()
	var sizes []int
	before := w.count()
	for at := w.conn.StepBudget(); !at.IsZero(); at = w.conn.StepBudget() {
		sizes = append(sizes, w.count()-before)
		before = w.count()
		w.pass(max(at.Sub(w.Now()), 0))
	}
	return append(sizes, w.count()-before)
}

func TestARefusedKeyIsAskedByOneProbeAMinuteAtMost(t *testing.T) {
	w := newWorld(t).listed("a")
	w.subscribed(100)
	if err := w.RevokeKey("shop", ""); err != nil {
		t.Fatal(err)
	}
	if err := w.conn.Delete(t.Context(), "1", "11111111-1111-4111-8111-111111111111"); !hub.IsKind(err, hub.Refused) {
		t.Fatalf("the call with the key ends with %v", err)
	}
	w.step()
	if state := w.conn.State(); state.Access != Refused {
		t.Errorf("the state is %+v", state)
	}
	woken := w.wokenInWaves()
	if len(woken) != 101 || woken["7"] != 1 || woken["a"] != 1 {
		t.Errorf("%d are woken, once each", len(woken))
	}
	w.ClearRequests()
	for n := range 100 {
		if _, err := w.conn.Get(t.Context(), Subject(fmt.Sprint(n)), "11111111-1111-4111-8111-111111111111", Repair); !errors.Is(err, ErrWait) {
			t.Fatalf("a call of %d ends with %v", n, err)
		}
	}
	if len(w.conn.budget.queued) != 0 {
		t.Error("calls with a refused key wait for their turn")
	}
	w.minutes(8)
	if got := w.Requests(); len(got) != 3 { // after 1, 3 and 7 minutes
		t.Errorf("8 minutes see %d calls", len(got))
	}
	if woken := w.take(); len(woken) != 0 {
		t.Errorf("woken again are %d", len(woken))
	}

	w.AddApplication("shop", apiKey)
	w.conn.Probe()
	w.step()
	if woken := w.wokenInWaves(); len(woken) != 101 || w.conn.State().Access != Open {
		t.Errorf("%d are woken when the key is good, the state is %+v", len(woken), w.conn.State())
	}
}

func TestEveryoneIsWokenInWavesThatGrow(t *testing.T) {
	w := newWorld(t).listed("a")
	w.subscribed(200)
	if err := w.RevokeKey("shop", ""); err != nil {
		t.Fatal(err)
	}
	w.pass(w.cfg.PollInterval)
	w.conn.StepListing(t.Context())
	began := w.Now()
	if got := w.waves(); !slices.Equal(got, []int{16, 32, 64, 89}) {
		t.Errorf("the waves are %v", got)
	}
	if took := w.Now().Sub(began); took != 3*waveGap {
		t.Errorf("they took %v", took)
	}
	if woken := w.take(); len(woken) != 201 || woken["7"] != 1 {
		t.Errorf("%d were woken", len(woken))
	}
}

func TestARefusalOfOneCallIsNoRefusalOfTheKey(t *testing.T) {
	w := newWorld(t)
	ids := w.registered(2)
	w.listed("a", "b")
	w.fault(simulator.Fault{Kind: simulator.Refused, Status: 403, Match: simulator.Match{WebhookID: ids[0]}})
	if _, err := w.conn.Update(t.Context(), "a", ids[0], hub.WebhookFields{Label: new("M")}); !hub.IsKind(err, hub.Refused) {
		t.Fatalf("the call ends with %v", err)
	}
	if _, err := w.conn.Update(t.Context(), "b", ids[1], hub.WebhookFields{Label: new("M")}); !errors.Is(err, ErrWait) {
		t.Errorf("before it is known what was refused, a call ends with %v", err)
	}
	w.ClearRequests()
	w.step()
	w.step()
	if w.conn.State().Access != Open || !slices.Equal(w.calls(), []string{"listWebhooks"}) {
		t.Errorf("the state is %+v after %v", w.conn.State(), w.calls())
	}
	if woken := w.take(); len(woken) != 1 || woken["b"] != 1 {
		t.Errorf("woken are %v", woken)
	}
	if _, err := w.conn.Update(t.Context(), "b", ids[1], hub.WebhookFields{Label: new("M")}); err != nil {
		t.Errorf("its call ends with %v", err)
	}
}

func TestAHubThatFailsWhileAKeyIsSuspectedIsNotAskedAgainAtOnce(t *testing.T) {
	w := newWorld(t).listed("a")
	w.fault(simulator.Fault{Kind: simulator.Refused, Match: simulator.Match{Operation: "getWebhook"}})
	w.fault(simulator.Fault{Kind: simulator.BadGateway})
	_, _ = w.conn.Get(t.Context(), "a", "11111111-1111-4111-8111-111111111111", Repair)
	w.ClearRequests()
	w.step()
	if n := len(w.Requests()); n != 1 || w.conn.State().Access != Open {
		t.Errorf("%d calls, the state is %+v", n, w.conn.State())
	}
	w.pass(10 * time.Second)
	w.step()
	w.pass(10 * time.Second)
	w.step()
	if w.conn.State().Access != Down {
		t.Errorf("after three failures the state is %+v", w.conn.State())
	}
}

func TestATurnThatWasTakenAheadIsUsedByTheCall(t *testing.T) {
	w := newWorld(t)
	w.cfg.Burst = 2 // one is for the listing
	w.conn = w.connect(apiKey)
	w.listed("a", "b")
	if !w.conn.Turn("a", Creation) || w.conn.Turn("b", Creation) {
		t.Fatal("not exactly one has the turn")
	}
	if !w.conn.Turn("a", Creation) {
		t.Error("who has a turn is refused another")
	}
	if _, err := w.conn.Get(t.Context(), "a", "11111111-1111-4111-8111-111111111111", Creation); errors.Is(err, ErrWait) {
		t.Error("the call waits although its turn was taken")
	}
	w.pass(100 * time.Millisecond)
	w.conn.StepBudget()
	if w.take()["b"] != 1 {
		t.Error("who found no turn is not woken for it")
	}
}

func TestAHubThatIsDownIsAskedByOneProbeAtATime(t *testing.T) {
	w := newWorld(t).listed("a")
	w.fault(simulator.Fault{Kind: simulator.BadGateway})
	for range failuresToDown {
		_, _ = w.conn.Get(t.Context(), "a", "11111111-1111-4111-8111-111111111111", Repair)
	}
	w.step() // a listing shows that it is not about this call alone
	if state := w.conn.State(); state.Access != Down {
		t.Fatalf("the state is %+v", state)
	}
	if diff := cmp.Diff(map[Subject]int{"a": 1}, w.wokenInWaves()); diff != "" {
		t.Errorf("woken (-want +got):\n%s", diff)
	}
	w.ClearRequests()
	w.minutes(5)
	if got := len(w.Requests()); got < 9 || got > 11 { // after 1, 3, 7, 15, 31 and 63 s, then each minute
		t.Errorf("5 minutes see %d calls", got)
	}
	w.ClearFaults()
	w.minutes(2)
	if w.conn.State().Access != Open || w.take()["a"] == 0 {
		t.Errorf("the Hub answers, the state is %+v", w.conn.State())
	}
}

func TestA429PausesEveryCallOfTheKeyForAsLongAsTheHubSays(t *testing.T) {
	w := newWorld(t)
	ids := w.registered(2)
	w.listed("a", "b")
	w.fault(simulator.Fault{Kind: simulator.TooManyRequests, RetryAfter: "90", Times: 1})
	if _, err := w.conn.Get(t.Context(), "a", ids[0], Repair); !hub.IsKind(err, hub.Throttled) {
		t.Fatalf("the call ends with %v", err)
	}
	w.ClearRequests()
	if err := w.conn.Delete(t.Context(), "b", ids[1]); !errors.Is(err, ErrWait) || !w.paused() {
		t.Errorf("a call of another subject ends with %v", err)
	}
	for range 89 {
		w.pass(time.Second)
		w.step()
	}
	if got := w.Requests(); len(got) != 0 || len(w.take()) != 0 {
		t.Errorf("within the pause there are %d calls", len(got))
	}
	w.pass(time.Second)
	w.step()
	if woken := w.take(); woken["b"] != 1 || w.paused() {
		t.Errorf("after the pause woken are %v", woken)
	}
	if err := w.conn.Delete(t.Context(), "b", ids[1]); err != nil {
		t.Errorf("its call ends with %v", err)
	}
	if w.Count("listWebhooks") != 0 {
		t.Error("a burst follows the pause")
	}
	w.pass(time.Second)
	w.step()
	if w.Count("listWebhooks") != 1 {
		t.Errorf("the poll that fell into the pause was made up for %d times", w.Count("listWebhooks"))
	}
}

func TestThereIsNoPollDuringAPause(t *testing.T) {
	w := newWorld(t).listed("a")
	w.pass(w.cfg.PollInterval)
	w.fault(simulator.Fault{Kind: simulator.TooManyRequests, RetryAfter: "90", Times: 1})
	w.step()
	w.ClearRequests()
	for range 89 {
		w.pass(time.Second)
		w.step()
	}
	if w.calls() != nil {
		t.Errorf("called is %v", w.calls())
	}
	w.pass(time.Second)
	w.step()
	if got := w.Count("listWebhooks"); got != 1 {
		t.Errorf("after the pause there are %d listing calls", got)
	}
}

func TestTwoKeysDoNotAffectEachOther(t *testing.T) {
	w := newWorld(t).listed("a")
	w.AddApplication("other", "key-of-the-other")
	other := w.connect("key-of-the-other")
	other.Subscribe("b", "", NaturalKey{})
	w.fault(simulator.Fault{Kind: simulator.Refused, Match: simulator.Match{Application: "shop"}})
	w.fault(simulator.Fault{Kind: simulator.TooManyRequests, Match: simulator.Match{Application: "other"}, Times: 1})
	w.pass(time.Minute)
	w.step()
	stepAll(t, w.clock, other)
	mine, theirs := w.conn.State(), other.State()
	if mine.Access != Refused || w.paused() || theirs.Access != Open || !theirs.PausedUntil.After(w.clock.Now()) {
		t.Errorf("the states are %+v and %+v", mine, theirs)
	}
}

func TestOwnWritesAreInTheInventoryAtOnce(t *testing.T) {
	w := newWorld(t).listed("a")
	made, err := w.conn.Create(t.Context(), "a", hub.WebhookFields{
		Label: new("L"), Endpoint: new("https://hooks.example/x"), EventType: new("Message"), AuthenticationProtocol: new("NoAuthentication"),
	})
	if err != nil {
		t.Fatal(err)
	}
	key := NaturalKey{"L", "https://hooks.example/x", "Message"}
	if got := w.conn.Matches(key); len(got) != 1 || got[0].ID != made.ID {
		t.Errorf("after the create there are %v", got)
	}
	if _, err := w.conn.Update(t.Context(), "a", made.ID, hub.WebhookFields{Label: new("M")}); err != nil {
		t.Fatal(err)
	}
	if seen, _ := w.conn.Find(made.ID); seen.Webhook.Label.Value != "M" || len(w.conn.Matches(key)) != 0 {
		t.Errorf("after the update it is %+v", seen)
	}
	if err := w.conn.Delete(t.Context(), "a", made.ID); err != nil {
		t.Fatal(err)
	}
	if _, ok := w.conn.Find(made.ID); ok {
		t.Error("after the delete it is still there")
	}
	if woken := w.take(); len(woken) != 0 {
		t.Errorf("own writes woke %v", woken)
	}
}

func TestAWebhookThatAWriteDoesNotFindIsInDoubt(t *testing.T) {
	w := newWorld(t)
	id := w.registered(1)[0]
	w.listed("a")
	if err := w.DeleteByHand(id); err != nil {
		t.Fatal(err)
	}
	if _, err := w.conn.RedefineSignature(t.Context(), "a", id); !hub.IsKind(err, hub.NotFound) {
		t.Fatalf("the call ends with %v", err)
	}
	if _, ok := w.conn.Find(id); ok {
		t.Error("the inventory still shows it")
	}
	if _, sure, ok := w.conn.Missing(id); !ok || sure {
		t.Errorf("missing: %t, for sure: %t", ok, sure)
	}
}

func TestALookThatLagsBehindAnOwnDeleteFindsNothing(t *testing.T) {
	w := newWorld(t)
	id := w.registered(1)[0]
	w.listed("a")
	w.SetVariants(simulator.Variants{ReadLag: simulator.Duration(time.Second)})
	if err := w.conn.Delete(t.Context(), "a", id); err != nil {
		t.Fatal(err)
	}
	if seen, err := w.conn.Get(t.Context(), "a", id, Repair); !hub.IsKind(err, hub.NotFound) {
		t.Errorf("the look shows %+v, %v", seen, err)
	}
}

func TestAWebhookThatWasGoneWhenItWasDeletedIsNotFoundAgain(t *testing.T) {
	w := newWorld(t)
	id := w.registered(1)[0]
	w.listed("a")
	seen, _ := w.conn.Find(id)
	if err := w.DeleteByHand(id); err != nil {
		t.Fatal(err)
	}
	if err := w.conn.Delete(t.Context(), "a", id); !hub.IsKind(err, hub.NotFound) {
		t.Fatal(err)
	}
	key := NaturalKey{Label: seen.Webhook.Label.Value, Endpoint: seen.Webhook.Endpoint, EventType: seen.Webhook.EventType}
	if _, ok := w.conn.Find(id); ok || len(w.conn.Matches(key)) > 0 {
		t.Error("the inventory still shows it")
	}
}

func TestCallsThatEndedHoldNoLane(t *testing.T) {
	w := newWorld(t)
	w.cfg.Now = time.Now // a clock that goes on between two looks at it
	w.conn = w.connect(apiKey)
	const unknown = "11111111-1111-4111-8111-111111111111"
	w.conn.Subscribe("a", "", NaturalKey{})
	for n := range 3 {
		_, _ = w.conn.Create(t.Context(), "a", hub.WebhookFields{
			Label: new("L"), Endpoint: new(endpointOf(n)), EventType: new("Message"), AuthenticationProtocol: new("NoAuthentication"),
		})
		_, _ = w.conn.Update(t.Context(), "a", unknown, hub.WebhookFields{Label: new("M")})
		_, _ = w.conn.Get(t.Context(), "a", unknown, Repair)
		_, _ = w.conn.RedefineSignature(t.Context(), "a", unknown)
		_ = w.conn.Delete(t.Context(), "a", unknown)
	}
	if n := len(w.conn.budget.lane.began); n != 0 || len(w.Requests()) != 15 {
		t.Errorf("after %d calls %d lanes are held", len(w.Requests()), n)
	}
}

func TestWhoWaitsForRoomIsLookedForWhenACallEnds(t *testing.T) {
	w := newWorld(t)
	w.cfg.Lanes = NewLanes(2)
	w.conn = w.connect(apiKey)
	w.listed("a", "b")
	if !w.conn.Turn("a", Creation) || w.conn.Turn("b", Creation) {
		t.Fatal("not exactly one has the turn")
	}
	w.conn.StepBudget()
	select {
	case <-w.conn.kick:
	default:
	}
	if _, err := w.conn.Get(t.Context(), "a", "11111111-1111-4111-8111-111111111111", Creation); errors.Is(err, ErrWait) {
		t.Fatal("the call waits although its turn was taken")
	}
	select {
	case <-w.conn.kick:
	default:
		t.Fatal("the loop of the budget is not told that there is room")
	}
	if w.conn.StepBudget(); w.take()["b"] != 1 {
		t.Error("who waited for room is not woken")
	}
}

func TestARefusalOfOneCallDoesNotBeginTheListingAnew(t *testing.T) {
	w := newWorld(t)
	ids := w.registered(120)
	w.conn.Subscribe("a", ids[0], naturalOf(0))
	w.conn.StepListing(t.Context())
	w.fault(simulator.Fault{Kind: simulator.Refused, Status: 403, Match: simulator.Match{WebhookID: ids[0]}})
	_, _ = w.conn.Update(t.Context(), "a", ids[0], hub.WebhookFields{Label: new("M")})
	w.step()
	if got := w.Count("listWebhooks"); got != 3 || w.conn.Listing().Count != 120 {
		t.Errorf("%d pages were read for %+v", got, w.conn.Listing())
	}
	w.ClearRequests()
	_, _ = w.conn.Update(t.Context(), "a", ids[0], hub.WebhookFields{Label: new("M")})
	w.step()
	w.step()
	if got := w.Count("listWebhooks"); got != 1 || w.conn.State().Access != Open {
		t.Errorf("to find out what was refused %d pages were read", got)
	}
}

// paused reports whether the Hub asked to wait.
func (w *world) paused() bool { return w.clock.Now().Before(w.conn.State().PausedUntil) }
