package connection

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator/simulatortest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 2, 9, 12, 0, 0, 0, time.UTC)

// clock stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// waker remembers who was woken, and how often.
type waker struct {
	mu    sync.Mutex
	woken map[Subject]int
}

func (w *waker) Wake(subjects []Subject, _ Urgency) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.woken == nil {
		w.woken = map[Subject]int{}
	}
	for _, s := range subjects {
		w.woken[s]++
	}
}

// take tells who was woken since the last time, and how often.
func (w *waker) take() map[Subject]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.woken
	w.woken = nil
	return taken
}

// count is how often somebody was woken since the last take.
func (w *waker) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, times := range w.woken {
		n += times
	}
	return n
}

func exactly(d time.Duration) time.Duration { return d }

// world is a Hub with one Application, and a connection to it whose clock stands still.
type world struct {
	*simulatortest.Hub
	*clock
	*waker
	t    *testing.T
	cfg  Config
	conn *Connection
}

const apiKey = "key-of-the-shop"

func newWorld(t *testing.T) *world {
	t.Helper()
	c := &clock{now: noon}
	w := &world{t: t, clock: c, waker: &waker{}}
	w.Hub = simulatortest.Start(t, simulator.Options{CoreOptions: simulator.CoreOptions{Now: c.Now}})
	w.AddApplication("shop", apiKey)
	w.cfg = Config{
		QPS: 10, Burst: 1000, PollInterval: time.Minute, Now: c.Now, Jitter: exactly, Wake: w.Wake, Lanes: NewLanes(1000),
		Metrics: Metrics{
			Throttled: func(string, time.Duration) {}, Breaker: func(string, Access) {},
			Listed: func(string, time.Time) {}, Closed: func(string) {},
		},
	}
	w.conn = w.connect(apiKey)
	return w
}

func (w *world) client(key hub.Secret) (*hub.Client, error) {
	return newClient(w.t, w.URL, w.CAs, key)
}

func newClient(t *testing.T, url string, cas *x509.CertPool, key hub.Secret) (*hub.Client, error) {
	t.Helper()
	transport := hub.NewTransport(hub.TransportConfig{RootCAs: cas})
	t.Cleanup(transport.CloseIdleConnections)
	return hub.New(hub.Config{BaseURL: url, APIKey: key, Transport: transport})
}

func (w *world) connect(key string) *Connection {
	w.t.Helper()
	client, err := w.client(hub.NewSecret(key))
	if err != nil {
		w.t.Fatal(err)
	}
	return New(w.cfg, client, KeyHash(w.URL, hub.NewSecret(key)))
}

func endpointOf(n int) string { return fmt.Sprintf("https://hooks.example/%04d", n) }

func naturalOf(n int) NaturalKey {
	return NaturalKey{Label: fmt.Sprintf("hook %04d", n), Endpoint: endpointOf(n), EventType: "Message"}
}

// registered makes n webhooks on the Hub, as a user of its dashboard would, and tells their ids.
func (w *world) registered(n int) []string {
	w.t.Helper()
	ids := make([]string, 0, n)
	for i := range n {
		key := naturalOf(i)
		made, err := w.CreateByHand("shop", simulator.Change{
			Label: &key.Label, Endpoint: &key.Endpoint, IsVerified: new(true),
		})
		if err != nil {
			w.t.Fatal(err)
		}
		ids = append(ids, made.ID)
		w.pass(time.Second)
	}
	return ids
}

// step lets the connection do what is due now, without any time passing.
func (w *world) step() {
	w.t.Helper()
	stepAll(w.t, w.clock, w.conn)
}

func stepAll(t *testing.T, c *clock, conn *Connection) {
	t.Helper()
	for range 1000 {
		conn.StepBudget()
		if next := conn.StepListing(t.Context()); next.IsZero() || next.After(c.Now()) {
			return
		}
	}
	t.Fatal("the connection does not come to rest")
}

// listed is the world after a first listing.
func (w *world) listed(subjects ...Subject) *world {
	w.t.Helper()
	for _, s := range subjects {
		w.conn.Subscribe(s, "", NaturalKey{})
	}
	w.step()
	if w.conn.Listing().BeganAt.IsZero() {
		w.t.Fatal("the first listing did not come out whole")
	}
	w.take()
	w.ClearRequests()
	return w
}

func (w *world) calls() []string {
	var all []string
	for _, r := range w.Requests() {
		all = append(all, r.Operation)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// run runs a connection until the test ends, and then waits for it.
func run(t *testing.T, r interface{ Run(context.Context) }) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { r.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
}
