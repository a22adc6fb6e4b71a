package simulator_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/onsi/gomega"

	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

func (w *world) fault(f simulator.Fault) {
	w.t.Helper()
	if err := w.AddFault(f); err != nil {
		w.t.Fatal(err)
	}
}

// dropped sends a creation whose answer must not arrive.
func (w *world) dropped() {
	w.t.Helper()
	if r, err := w.try("POST", root, w.creation(nil)); err == nil {
		w.t.Fatalf("an answer came: %d %s", r.status, r.raw)
	}
}

func (w *world) webhooks() int { return len(w.Webhooks("shop")) }

func TestFaultsThatDropTheConnection(t *testing.T) {
	t.Run("before the commit", func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.fault(simulator.Fault{Kind: simulator.DropBeforeCommit, Times: 1})
		w.dropped()
		if w.webhooks() != 0 || w.Mutations()[0].Committed {
			t.Error("the creation was carried out")
		}
		w.create(nil)
	})
	t.Run("after the commit", func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.fault(simulator.Fault{Kind: simulator.DropAfterCommit, Times: 1})
		w.dropped()
		r := w.Mutations()[0]
		if w.webhooks() != 1 || !r.Committed || r.Status != 0 || !r.AnsweredAt.IsZero() || r.WebhookID != w.Webhooks("shop")[0].ID {
			t.Errorf("%d webhooks, logged as %+v", w.webhooks(), r)
		}
	})
}

func TestFaultsThatCommitLate(t *testing.T) {
	t.Run("when released", func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.fault(simulator.Fault{Kind: simulator.LateCommit, Times: 2})
		w.dropped()
		w.dropped()
		if w.webhooks() != 0 {
			t.Fatal("carried out before it was released")
		}
		if n := w.ReleaseLate(); n != 2 || w.webhooks() != 2 || len(w.Requests(simulator.Committed)) != 2 {
			t.Errorf("%d released, %d webhooks", n, w.webhooks())
		}
		if n := w.ReleaseLate(); n != 0 || w.webhooks() != 2 {
			t.Errorf("%d released once more", n)
		}
	})
	t.Run("after a delay", func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.fault(simulator.Fault{Kind: simulator.LateCommit, Times: 1, Delay: simulator.Duration(20 * time.Millisecond)})
		w.dropped()
		gomega.NewWithT(t).Eventually(w.webhooks, "60s", "5ms").Should(gomega.Equal(1))
	})
	t.Run("but not once the key is revoked", func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.fault(simulator.Fault{Kind: simulator.LateCommit, Times: 1})
		w.dropped()
		if err := w.RevokeKey("shop", simulator.DefaultKeyName); err != nil {
			t.Fatal(err)
		}
		if w.ReleaseLate(); w.webhooks() != 0 {
			t.Error("a revoked key made a webhook")
		}
	})
	t.Run("once, be it released before its time or not", func(t *testing.T) {
		var due func()
		w := newWorld(t, simulator.Options{CoreOptions: simulator.CoreOptions{
			After: func(_ time.Duration, f func()) func() bool {
				due = f
				return func() bool { return true }
			},
		}})
		w.fault(simulator.Fault{Kind: simulator.LateCommit, Times: 1, Delay: simulator.Duration(time.Hour)})
		w.dropped()
		w.ReleaseLate()
		if due(); w.webhooks() != 1 {
			t.Errorf("carried out %d times", w.webhooks())
		}
	})
}

func TestADroppedConnectionCanBeHeldUntilTheClientGivesUp(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.fault(simulator.Fault{Kind: simulator.DropAfterCommit, Hold: true, Times: 1})
	ctx, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	body, _ := json.Marshal(w.creation(nil))
	request, _ := http.NewRequestWithContext(ctx, http.MethodPost, w.URL+root, strings.NewReader(string(body)))
	request.Header.Set("x-api-key", shopKey)
	request.Header.Set("Content-Type", "application/json")
	ended := make(chan error, 1)
	go func() {
		response, err := w.Client.Do(request)
		if err == nil {
			_ = response.Body.Close()
		}
		ended <- err
	}()
	g := gomega.NewWithT(t)
	g.Eventually(w.webhooks, "60s", "5ms").Should(gomega.Equal(1), "it is carried out while the client waits")
	g.Consistently(ended, "50ms").ShouldNot(gomega.Receive(), "the connection is held")
	giveUp()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the client got %v, although it gave up by itself", err)
	}
}

func TestFaultsThatAnswerAndCarryNothingOut(t *testing.T) {
	for _, test := range []struct {
		fault  simulator.Fault
		status int
		has    string
	}{
		{simulator.Fault{Kind: simulator.ErrorBeforeCommit}, 500, `"statusCode":500`},
		{simulator.Fault{Kind: simulator.ErrorBeforeCommit, Status: 503}, 503, `"statusCode":503`},
		{simulator.Fault{Kind: simulator.BadGateway}, 502, "<html>"},
		{simulator.Fault{Kind: simulator.Refused}, 401, `"statusCode":401`},
		{simulator.Fault{Kind: simulator.Refused, Status: 403}, 403, `"statusCode":403`},
		{simulator.Fault{Kind: simulator.TooManyRequests}, 429, "Too Many"},
		{simulator.Fault{Kind: simulator.Redirect, Location: "https://elsewhere.example/"}, 307, ""},
		{simulator.Fault{Kind: simulator.Echo}, 400, shopKey},
		{simulator.Fault{Kind: simulator.Echo}, 400, canary},
	} {
		t.Run(string(test.fault.Kind), func(t *testing.T) {
			w := newWorld(t, simulator.Options{})
			test.fault.Times = 1
			w.fault(test.fault)
			r := w.call(test.status, "POST", root, w.creation(object{"headers": []object{{"key": "X-A", "value": canary}}}))
			if !strings.Contains(string(r.raw), test.has) || w.webhooks() != 0 {
				t.Errorf("%d webhooks and the answer %s, want %q in it", w.webhooks(), r.raw, test.has)
			}
			if got := w.Mutations()[0]; got.Committed || got.Status != test.status || got.Fault != test.fault.Kind {
				t.Errorf("logged as %+v", got)
			}
			if location := r.header.Get("Location"); location != test.fault.Location {
				t.Errorf("Location is %q", location)
			}
		})
	}
}

func TestRetryAfterIsWhatTheFaultSays(t *testing.T) {
	clock := newClock()
	w := newWorld(t, simulator.Options{CoreOptions: simulator.CoreOptions{Now: clock.now}})
	for _, test := range []struct {
		fault simulator.Fault
		want  []string
	}{
		{simulator.Fault{}, nil},
		{simulator.Fault{RetryAfter: "7"}, []string{"7"}},
		{simulator.Fault{RetryAfter: "-1"}, []string{"-1"}},
		{simulator.Fault{RetryAfter: "99999999999999999999"}, []string{"99999999999999999999"}},
		{simulator.Fault{RetryAfterDate: simulator.Duration(time.Minute)}, []string{"Mon, 09 Feb 2026 12:01:00 GMT"}},
	} {
		test.fault.Kind, test.fault.Times = simulator.TooManyRequests, 1
		w.fault(test.fault)
		if diff := cmp.Diff(test.want, w.call(429, "GET", root, nil).header["Retry-After"]); diff != "" {
			t.Error(diff)
		}
	}
}

func TestFaultsThatSpoilTheAnswerToWhatWasCarriedOut(t *testing.T) {
	for _, test := range []struct {
		fault  simulator.Fault
		status int
		broken bool // the body does not arrive whole
		json   bool
	}{
		{fault: simulator.Fault{Kind: simulator.ErrorAfterCommit, Status: 504}, status: 504, json: true},
		{fault: simulator.Fault{Kind: simulator.Slow, Delay: simulator.Duration(30 * time.Millisecond)}, status: 201, json: true},
		{fault: simulator.Fault{Kind: simulator.SlowBytes, Delay: simulator.Duration(100 * time.Microsecond)}, status: 201, json: true},
		{fault: simulator.Fault{Kind: simulator.Truncated}, status: 201, broken: true},
		{fault: simulator.Fault{Kind: simulator.InvalidJSON}, status: 201},
		{fault: simulator.Fault{Kind: simulator.EmptyBody}, status: 201},
		{fault: simulator.Fault{Kind: simulator.Huge, Size: 3 << 20}, status: 201, json: true},
	} {
		t.Run(string(test.fault.Kind), func(t *testing.T) {
			w := newWorld(t, simulator.Options{})
			test.fault.Times = 1
			w.fault(test.fault)
			began := time.Now()
			r, err := w.try("POST", root, w.creation(nil))
			if r.status != test.status || (err != nil) != test.broken || json.Valid(r.raw) != test.json {
				t.Errorf("status %d, error %v, body of %d bytes", r.status, err, len(r.raw))
			}
			if test.fault.Kind == simulator.Slow && time.Since(began) < 30*time.Millisecond {
				t.Error("the answer was not slow")
			}
			if test.fault.Kind == simulator.Huge && len(r.raw) < 3<<20 {
				t.Errorf("the huge body has %d bytes", len(r.raw))
			}
			if w.webhooks() != 1 || !w.Mutations()[0].Committed {
				t.Error("the creation was not carried out")
			}
		})
	}
}

func TestFaultsMeetTheCallsTheyMatchInOrder(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	id, _ := w.create(nil)
	w.fault(simulator.Fault{Kind: simulator.ErrorBeforeCommit, Match: simulator.Match{Operation: "getWebhook"}, Times: 1, Skip: 1})
	w.fault(simulator.Fault{Kind: simulator.BadGateway, Match: simulator.Match{WebhookID: id, Method: "get"}, Times: 2})
	w.fault(simulator.Fault{Kind: simulator.Refused, Match: simulator.Match{Application: "other", Key: "default"}})
	w.fault(simulator.Fault{Kind: simulator.Refused, Status: 403, Match: simulator.Match{Path: root + "/nothing"}})
	for _, want := range []int{502, 500, 502, 200} {
		w.call(want, "GET", root+"/"+id, nil)
	}
	w.call(http.StatusOK, "GET", root, nil)
	w.as(otherKey).call(401, "GET", root, nil)
	w.as(otherKey).call(401, "GET", root, nil)
	w.fault(simulator.Fault{Kind: simulator.BadGateway, Match: simulator.Match{WebhookID: id}, Times: 1})
	w.call(http.StatusOK, "GET", root, nil)
	w.call(502, "GET", root+"/"+id, nil)
	if n := len(w.Faults()); n != 2 {
		t.Errorf("%d faults are left, want 2", n)
	}
	w.ClearFaults()
	w.as(otherKey).call(http.StatusOK, "GET", root, nil)
	if w.AddFault(simulator.Fault{Kind: "Odd"}) == nil || w.AddFault(simulator.Fault{Kind: simulator.Slow, Status: 7}) == nil {
		t.Error("a wrong fault was taken")
	}
}

func TestFaultsCanBeMeantForOneMethodOrKey(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	if err := w.SetKey("shop", "second", "second-key"); err != nil {
		t.Fatal(err)
	}
	w.fault(simulator.Fault{Kind: simulator.BadGateway, Match: simulator.Match{Method: "post"}})
	w.fault(simulator.Fault{Kind: simulator.Refused, Match: simulator.Match{Key: "second"}})
	w.call(200, "GET", root, nil)
	w.call(502, "POST", root, w.creation(nil))
	w.as("second-key").call(401, "GET", root, nil)
}

func TestTheRateLimitIsPerKey(t *testing.T) {
	clock := newClock()
	w := newWorld(t, simulator.Options{RateLimit: 2, CoreOptions: simulator.CoreOptions{Now: clock.now}})
	w.call(200, "GET", root, nil)
	w.call(200, "GET", root, nil)
	if r := w.call(429, "GET", root, nil); r.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After is %q", r.header.Get("Retry-After"))
	}
	w.as(otherKey).call(200, "GET", root, nil)
	clock.tick()
	w.call(200, "GET", root, nil)
	w.SetRateLimit(0)
	for range 5 {
		w.call(200, "GET", root, nil)
	}
}

func TestLatencyIsAddedToEveryCall(t *testing.T) {
	w := newWorld(t, simulator.Options{Latency: 30 * time.Millisecond})
	began := time.Now()
	w.call(200, "GET", root, nil)
	if took := time.Since(began); took < 30*time.Millisecond {
		t.Errorf("the call took %v", took)
	}
}
