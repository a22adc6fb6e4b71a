package connection

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// refused is the world after its key was revoked.
func (w *world) refused() {
	w.t.Helper()
	if err := w.RevokeKey("shop", ""); err != nil {
		w.t.Fatal(err)
	}
	w.pass(w.cfg.PollInterval)
	w.step()
	if w.conn.State().Access != Refused {
		w.t.Fatal("the key is not refused")
	}
	w.ClearRequests()
}

func (w *world) register(n int) error {
	key := naturalOf(n)
	_, err := w.conn.Create(w.t.Context(), Subject(fmt.Sprint(n)), hub.WebhookFields{
		Label: new(key.Label), Endpoint: new(key.Endpoint), EventType: new("Message"), AuthenticationProtocol: new("NoAuthentication"),
	})
	return err
}

func TestThoseWhoAskForAProbeShareOne(t *testing.T) {
	w := newWorld(t).listed("a")
	w.refused()
	for range 500 {
		w.pass(20 * time.Millisecond)
		w.conn.Probe()
		w.step()
	}
	if n := len(w.Requests()); n != 1 {
		t.Errorf("%d calls in 10 s, want 1", n)
	}
	w.ClearRequests()
	w.minutes(3)
	if n := len(w.Requests()); n < 1 || n > 3 {
		t.Errorf("%d calls in the three minutes after, want one a minute at most", n)
	}
}

func TestAProbeThatIsAskedForDuringAnotherComesSoonAfter(t *testing.T) {
	w := newWorld(t)
	ask := false
	w.conn = w.connectThrough(func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if ask {
			w.conn.Probe()
		}
		return next.RoundTrip(r)
	})
	w.listed("a")
	w.refused()
	ask = true
	w.pass(2 * time.Minute)
	w.step()
	ask = false
	w.ClearRequests()
	w.pass(probeGap)
	w.step()
	if n := len(w.Requests()); n != 1 {
		t.Errorf("%d calls, want one", n)
	}
}

func TestAProbeOfARefusedKeyThatIsThrottledIsNotRepeatedSoon(t *testing.T) {
	w := newWorld(t).listed("a")
	w.refused()
	w.fault(simulator.Fault{Kind: simulator.TooManyRequests, RetryAfter: "1"})
	w.minutes(10)
	if n := len(w.Requests()); n > 10 {
		t.Errorf("%d calls in 10 minutes, want one a minute at most", n)
	}
}

func TestWhatTellsARefusedCallFromARefusedKeyCountsInTheBudget(t *testing.T) {
	w := newWorld(t)
	w.cfg.QPS, w.cfg.Burst = 10, 1
	w.conn = w.connect(apiKey)
	w.listed("a")
	w.pass(10 * time.Second)
	w.fault(simulator.Fault{Kind: simulator.Refused, Status: 403, Match: simulator.Match{Operation: "createWebhook"}})
	w.ClearRequests()
	for n, step := 0, 0; step < 500; step++ {
		if hub.IsKind(w.register(n), hub.Refused) {
			n++
		}
		w.step()
		w.pass(20 * time.Millisecond)
	}
	began, ended := w.Requests()[0].ReceivedAt, w.Now()
	if n, most := len(w.Requests()), int(ended.Sub(began).Seconds()*10)+2; n > most {
		t.Errorf("%d calls in %s at 10 a second", n, ended.Sub(began))
	}
}

func TestAHubThatListsAndRegistersNothingIsNotDown(t *testing.T) {
	w := newWorld(t)
	w.cfg.QPS, w.cfg.Burst = 100, 100
	w.conn = w.connect(apiKey)
	w.listed("a")
	w.fault(simulator.Fault{
		Kind: simulator.ErrorBeforeCommit, Status: 500, Match: simulator.Match{Operation: "createWebhook"},
	})
	for n := range 600 {
		_ = w.register(n)
		w.step()
		w.pass(100 * time.Millisecond)
		if got := w.conn.State().Access; got != Open {
			t.Fatalf("after %d registrations the access is %d", n, got)
		}
	}
}
