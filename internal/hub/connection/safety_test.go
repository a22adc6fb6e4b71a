package connection

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// through is a transport that does something around each call.
type through func(*http.Request) (*http.Response, error)

func (f through) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// connectThrough is a connection to the Hub whose calls go through the given function.
func (w *world) connectThrough(around func(*http.Request, http.RoundTripper) (*http.Response, error)) *Connection {
	w.t.Helper()
	transport := hub.NewTransport(hub.TransportConfig{RootCAs: w.CAs})
	w.t.Cleanup(transport.CloseIdleConnections)
	key := hub.NewSecret(apiKey)
	client, err := hub.New(hub.Config{BaseURL: w.URL, APIKey: key, Transport: through(
		func(r *http.Request) (*http.Response, error) { return around(r, transport) },
	)})
	if err != nil {
		w.t.Fatal(err)
	}
	return New(w.cfg, client, KeyHash(w.URL, key))
}

const unknown = "11111111-1111-4111-8111-111111111111"

func TestACallThatPanicsHoldsNothing(t *testing.T) {
	w := newWorld(t)
	panics := true
	w.conn = w.connectThrough(func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if panics && r.Method != http.MethodGet || panics && r.URL.RawQuery == "" {
			panic("a defect")
		}
		return next.RoundTrip(r)
	})
	w.listed("a")
	for name, call := range map[string]func() error{
		"create": func() error {
			_, err := w.conn.Create(t.Context(), "a", hub.WebhookFields{Label: new("L"), Endpoint: new(endpointOf(1)), EventType: new("Message")})
			return err
		},
		"update": func() error {
			_, err := w.conn.Update(t.Context(), "a", unknown, hub.WebhookFields{Label: new("M")})
			return err
		},
		"redefine": func() error { _, err := w.conn.RedefineSignature(t.Context(), "a", unknown); return err },
		"delete":   func() error { return w.conn.Delete(t.Context(), "a", unknown) },
		"get":      func() error { _, err := w.conn.Get(t.Context(), "a", unknown, Repair); return err },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("the call does not panic")
				}
				if n := len(w.conn.budget.lane.began); n != 0 {
					t.Errorf("it holds %d lanes", n)
				}
			}()
			_ = call()
		})
	}
	panics = false
	if _, err := w.conn.Get(t.Context(), "a", unknown, Repair); !hub.IsKind(err, hub.NotFound) {
		t.Errorf("the next call ends with %v", err)
	}
}

func TestALateAnswerDoesNotReopenARefusedKey(t *testing.T) {
	w := newWorld(t)
	id := w.registered(1)[0]
	answered, release := make(chan struct{}), make(chan struct{})
	w.conn = w.connectThrough(func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		response, err := next.RoundTrip(r)
		if r.Method == http.MethodPatch {
			close(answered)
			<-release
		}
		return response, err
	})
	w.listed("a", "b")
	ended := make(chan error, 1)
	go func() {
		_, err := w.conn.Update(t.Context(), "a", id, hub.WebhookFields{Label: new("M")})
		ended <- err
	}()
	<-answered
	if err := w.RevokeKey("shop", ""); err != nil {
		t.Fatal(err)
	}
	_, _ = w.conn.Get(t.Context(), "b", id, Repair)
	w.step()
	if w.conn.State().Access != Refused {
		t.Fatalf("the state is %+v", w.conn.State())
	}
	close(release)
	if err := <-ended; err != nil {
		t.Fatalf("the late call ends with %v", err)
	}
	if w.conn.State().Access != Refused {
		t.Error("an answer from before the refusal reopens the key")
	}
	if seen, _ := w.conn.Find(id); seen.Webhook.Label.Value != "M" {
		t.Error("what the late call wrote is not known")
	}
}

func TestAHealthyKeyFindsALaneBesideAnyNumberThatHang(t *testing.T) {
	w := newWorld(t)
	const lanes = 4
	w.cfg.Lanes = NewLanes(lanes)
	w.conn = w.connect(apiKey)
	w.listed("a")
	w.pass(time.Minute - time.Nanosecond)
	for range 3 * lanes {
		enterAll(w.cfg.Lanes.join(func() {}), w.Now())
	}
	if _, err := w.conn.Get(t.Context(), "a", unknown, Repair); !errors.Is(err, ErrWait) {
		t.Fatalf("the call ends with %v", err)
	}
	for range 3 { // polling waits for its turn, lists, and has the others looked at
		w.step()
	}
	if n := w.Count("listWebhooks"); n != 1 || w.take()["a"] != 1 {
		t.Errorf("%d pages are read to show that the Hub answers", n)
	}
	if _, err := w.conn.Get(t.Context(), "a", unknown, Repair); !hub.IsKind(err, hub.NotFound) {
		t.Errorf("the call ends with %v", err)
	}
}

func TestAKeyThatHangsShowsNothing(t *testing.T) {
	w := newWorld(t)
	w.cfg.Lanes = NewLanes(4)
	w.conn = w.connectThrough(func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		w.pass(slowCall + 1)
		return next.RoundTrip(r)
	})
	w.listed("a")
	for range 12 {
		enterAll(w.cfg.Lanes.join(func() {}), w.Now())
	}
	w.fault(simulator.Fault{Kind: simulator.BadGateway})
	for range 3 {
		_, _ = w.conn.Get(t.Context(), "a", unknown, Repair)
		w.step()
	}
	if n := w.Count("getWebhook"); n != 0 {
		t.Errorf("%d calls were made by a key that is slow", n)
	}
}
