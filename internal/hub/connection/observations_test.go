package connection

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// verify verifies webhooks by hand: the endpoints of these tests do not exist.
func (w *world) verify(ids ...string) {
	w.t.Helper()
	for _, id := range ids {
		if _, err := w.ChangeByHand(id, simulator.Change{IsVerified: new(true)}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// createdFrom registers webhooks that nobody has verified, with the numbers from first on, by subjects of their ids.
func (w *world) createdFrom(first, n int) []string {
	w.t.Helper()
	var ids []string
	for i := first; i < first+n; i++ {
		key := naturalOf(i)
		s := Subject(fmt.Sprintf("new %d", i))
		got, err := w.conn.Create(w.t.Context(), s, hub.WebhookFields{
			Label: new(key.Label), Endpoint: new(key.Endpoint), EventType: new(key.EventType), AuthenticationProtocol: new("NoAuthentication"),
		})
		if err != nil {
			w.t.Fatal(err)
		}
		w.conn.Subscribe(s, got.ID, key)
		ids = append(ids, got.ID)
		w.pass(time.Millisecond)
	}
	return ids
}

// observe lets time pass and the connection observe meanwhile, and tells when it made a call.
func (w *world) observe(d time.Duration) []time.Duration {
	w.t.Helper()
	var at []time.Duration
	began := w.Now()
	for end := began.Add(d); ; {
		before := w.Count("listWebhooks")
		next := w.conn.StepObservations(w.t.Context())
		if w.Count("listWebhooks") > before {
			at = append(at, w.Now().Sub(began))
		}
		if next.IsZero() || next.After(end) {
			w.pass(end.Sub(w.Now()))
			return at
		}
		w.pass(next.Sub(w.Now()))
	}
}

// unverified is a world whose Hub verifies nothing by itself, with n webhooks of others.
func unverified(t *testing.T, n int, v simulator.Variants) *world {
	t.Helper()
	w := newWorld(t)
	v.VerifyAfter = simulator.Duration(time.Hour)
	w.SetVariants(v)
	w.registered(n)
	return w.listed("somebody")
}

func TestAWebhookIsObservedUntilItIsVerifiedEverLessOften(t *testing.T) {
	w := unverified(t, 0, simulator.Variants{})
	ids := w.createdFrom(0, 1)
	at := w.observe(2 * time.Second)
	if len(at) < 3 || at[0] > firstObservation || at[len(at)-1] < time.Second {
		t.Errorf("it is observed at %v", at)
	}
	w.verify(ids...)
	verified := w.Now()
	if at := w.observe(time.Second); len(at) != 1 {
		t.Errorf("it is observed at %v after it was verified", at)
	}
	if seen, _ := w.conn.Find(ids[0]); !seen.Webhook.IsVerified || seen.SeenAt.Sub(verified) > time.Second {
		t.Errorf("it was seen as %+v", seen)
	}
	if woken := w.take(); woken["new 0"] != 1 {
		t.Errorf("woken are %v", woken)
	}
	if at := w.observe(time.Hour); len(at) > 0 {
		t.Errorf("a webhook that is verified is observed at %v", at)
	}
}

func TestAWebhookThatIsNeverVerifiedIsLeftToThePoll(t *testing.T) {
	w := unverified(t, 0, simulator.Variants{})
	w.conn.cfg.PollInterval = 5 * time.Minute
	w.createdFrom(0, 1)
	at := w.observe(time.Hour)
	if len(at) < 8 || len(at) > 20 || at[len(at)-1] < time.Minute || at[len(at)-1] > 5*time.Minute {
		t.Errorf("it is observed at %v", at)
	}
}

// However the Hub lists, a page shows those that were registered together, wherever in the list they are.
func TestOnePageShowsAllThatWereRegisteredTogether(t *testing.T) {
	for name, v := range map[string]simulator.Variants{
		"oldest first": {}, "newest first": {NewestFirst: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := unverified(t, 120, v)
			first := w.createdFrom(1000, 45)
			w.observe(300 * time.Millisecond) // which shows the order
			w.verify(first...)
			w.createdFrom(2000, 200) // they are far from the end of the list now
			w.ClearRequests()
			w.take()
			w.observe(verifyTime + 2*firstObservation)
			for _, id := range first {
				if seen, _ := w.conn.Find(id); !seen.Webhook.IsVerified {
					t.Fatalf("%d calls do not show that %s is verified", w.Count("listWebhooks"), seen.Webhook.Label.Value)
				}
			}
			if n := w.Count("listWebhooks"); n > observationBurst {
				t.Errorf("it took %d calls", n)
			}
			if woken := w.take(); woken["new 1000"] != 1 || woken["new 1044"] != 1 {
				t.Errorf("woken are %v", woken)
			}
		})
	}
}

func TestShortPagesAndBareListsShowTheWebhook(t *testing.T) {
	for _, v := range []simulator.Variants{
		{MaxLimit: 3}, {MaxLimit: 3, NewestFirst: true}, {BareLists: true}, {BareLists: true, NewestFirst: true},
	} {
		w := unverified(t, 20, v)
		ids := w.createdFrom(1000, 1)
		w.registered(10) // of others, which a listing shows
		w.step()
		w.observe(400 * time.Millisecond)
		w.verify(ids...)
		w.observe(20 * time.Second)
		if seen, _ := w.conn.Find(ids[0]); !seen.Webhook.IsVerified {
			t.Errorf("with %+v it is not seen that it is verified", v)
		}
	}
}

func TestObservationsAreFewHoweverManyWait(t *testing.T) {
	w := unverified(t, 0, simulator.Variants{})
	const n, gap = 200, 100 * time.Millisecond
	for i := range n {
		w.createdFrom(i, 1)
		w.observe(gap)
	}
	calls, most := w.Count("listWebhooks"), observationBurst+int(n*observationShare+n*gap.Seconds()*observationRate)
	if calls > most || calls < most/2 {
		t.Errorf("%d calls, want %d at most and most of them", calls, most)
	}
}

func TestNothingIsObservedWhileNoCallMayBeMade(t *testing.T) {
	w := unverified(t, 0, simulator.Variants{})
	w.createdFrom(0, 1)
	w.AddFault(simulator.Fault{Kind: simulator.TooManyRequests, RetryAfter: "30", Times: 1})
	if at := w.observe(40 * time.Second); len(at) < 2 || at[1] < 30*time.Second {
		t.Errorf("the Hub asked to wait for 30 seconds, and calls are made at %v", at)
	}
	w.conn.mu.Lock()
	w.conn.breaker.fail(Refused, refusedProbe, refusedProbeMax, w.Now(), exactly)
	w.conn.mu.Unlock()
	if at := w.observe(time.Minute); len(at) > 0 {
		t.Errorf("the key is refused, and calls are made at %v", at)
	}
}

func TestWhatIsDeletedOrNobodysIsNotObserved(t *testing.T) {
	w := unverified(t, 0, simulator.Variants{})
	ids := w.createdFrom(0, 1)
	if err := w.conn.Delete(t.Context(), "new 0", ids[0]); err != nil {
		t.Fatal(err)
	}
	if at := w.observe(time.Minute); len(at) > 0 {
		t.Errorf("a webhook that was deleted is observed at %v", at)
	}
	w.createdFrom(1, 1)
	for _, s := range []Subject{"somebody", "new 0", "new 1"} {
		w.conn.Unsubscribe(s)
	}
	if at := w.observe(time.Minute); len(at) > 0 {
		t.Errorf("nobody uses the key, and calls are made at %v", at)
	}
}

// What a page shows of others is news, as in any other page; what it does not show proves nothing.
func TestAPageThatDoesNotShowAWebhookProvesNothing(t *testing.T) {
	w := unverified(t, 3, simulator.Variants{ReadLag: simulator.Duration(time.Hour)})
	ids := w.createdFrom(1000, 1)
	w.observe(10 * time.Second)
	if _, ok := w.conn.Find(ids[0]); !ok {
		t.Error("a webhook that a lagging page did not show is gone")
	}
	all := w.Requests(simulator.ByOperation("getWebhook"))
	if len(all) > 0 || slices.ContainsFunc(w.Requests(), func(r simulator.Request) bool { return r.Status >= http.StatusBadRequest }) {
		t.Errorf("the calls are %v", w.calls())
	}
}

func TestVerificationsAreSeenSoonHoweverManyAreRegistered(t *testing.T) {
	for _, perSecond := range []int{9, 40, 100} {
		t.Run(fmt.Sprintf("%d a second", perSecond), func(t *testing.T) {
			w := unverified(t, 0, simulator.Variants{})
			const n = 1000
			gap := time.Second / time.Duration(perSecond)
			verifiedAt, pending := map[string]time.Time{}, map[string]time.Time{}
			var after []time.Duration
			began := w.Now()
			for i := 0; i < n || len(pending)+len(verifiedAt) > 0; i++ {
				if w.Now().Sub(began) > time.Hour {
					t.Fatalf("%d are not seen to be verified", len(pending)+len(verifiedAt))
				}
				if i < n {
					id := w.createdFrom(i, 1)[0]
					pending[id] = w.Now().Add(50*time.Millisecond + time.Duration(i*7919%1950)*time.Millisecond)
				}
				w.observe(gap)
				for id, at := range pending {
					if !at.After(w.Now()) {
						w.verify(id)
						delete(pending, id)
						verifiedAt[id] = at
					}
				}
				for id, at := range verifiedAt {
					if seen, _ := w.conn.Find(id); seen.Webhook.IsVerified {
						after = append(after, w.Now().Sub(at))
						delete(verifiedAt, id)
					}
				}
			}
			slices.Sort(after)
			calls := w.Count("listWebhooks")
			t.Logf("median %v, 90%% %v, 99%% %v, last %v; %d calls", after[n/2], after[n*9/10], after[n*99/100], after[n-1], calls)
			if after[n/2] > 2*time.Second || after[n*99/100] > 5*time.Second {
				t.Errorf("it takes %v in the median and %v for 99%% to see a verification", after[n/2], after[n*99/100])
			}
			if calls > n*8/100 {
				t.Errorf("%d calls for %d webhooks", calls, n)
			}
		})
	}
}
