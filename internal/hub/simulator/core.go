// Package simulator is the Hub Chatt2.me itself, in memory: for tests, the demo and anyone without an Application.
//
// Core holds the state and the rules and knows no HTTP server. Simulator is the Hub's API over HTTP, with faults on
// demand, a request log and an admin API. It has wire types of its own, for the client is tested against it.
package simulator

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"sync"
	"time"

	"github.com/google/uuid"
)

// CoreOptions are what Core takes from the world. The zero value is a Hub on the real clock and network.
type CoreOptions struct {
	// Now is the Hub's clock.
	Now func() time.Time
	// After calls f once when d has passed, unless stop was called before. f must not run inside After.
	After func(d time.Duration, f func()) (stop func() bool)
	// NewID makes the id of an Application, webhook or log: a UUID.
	NewID func() string
	// NewSecret makes a signing secret or a validation token.
	NewSecret func() string
	// Endpoint reaches the endpoints of webhooks.
	Endpoint Endpoint
	// Variants is how this deployment of the Hub behaves where its documentation is silent.
	Variants Variants
}

// Core is the Hub's state and rules. Its methods are safe for concurrent use; none of them holds the lock while an
// endpoint is called.
type Core struct {
	now       func() time.Time
	after     func(time.Duration, func()) func() bool
	newID     func() string
	newSecret func() string
	endpoint  Endpoint
	ctx       context.Context // ends at Close; calls to endpoints outlive the request that caused them
	cancel    context.CancelFunc
	calls     sync.WaitGroup // calls to endpoints under way

	mu           sync.Mutex
	closed       bool
	variants     Variants
	applications []*application
	keys         map[string]keyRing // by API key
	records      []*record          // every webhook that ever was, oldest first
	byID         map[string]*record
	timers       map[*timer]struct{}
}

// NewCore makes an empty Hub. Close ends it.
func NewCore(o CoreOptions) *Core {
	ctx, cancel := context.WithCancel(context.Background())
	c := &Core{
		now: o.Now, after: o.After, newID: o.NewID, newSecret: o.NewSecret, endpoint: o.Endpoint,
		ctx: ctx, cancel: cancel, variants: o.Variants.clone(),
		keys: map[string]keyRing{}, byID: map[string]*record{}, timers: map[*timer]struct{}{},
	}
	if c.now == nil {
		c.now = time.Now //nolint:forbidigo // the clock of whoever hands none in
	}
	if c.after == nil {
		c.after = func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }
	}
	if c.newID == nil {
		c.newID = uuid.NewString
	}
	if c.newSecret == nil {
		c.newSecret = randomSecret
	}
	if c.endpoint == nil {
		c.endpoint = NewEndpointClient(nil, 0)
	}
	return c
}

// Close stops what is scheduled, ends calls to endpoints and waits for them.
func (c *Core) Close() {
	c.mu.Lock()
	c.closed = true
	for t := range c.timers {
		t.stop()
	}
	clear(c.timers)
	c.mu.Unlock()
	c.cancel()
	c.calls.Wait()
	if closer, ok := c.endpoint.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

// Reset forgets webhooks and logs and plays the default variants. Applications and their keys stay.
func (c *Core) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for t := range c.timers {
		t.stop()
	}
	clear(c.timers)
	c.records = nil
	clear(c.byID)
	c.variants = Variants{}
}

// Variants is what is played now.
func (c *Core) Variants() Variants {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.variants.clone()
}

// SetVariants plays v from now on.
func (c *Core) SetVariants(v Variants) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.variants = v.clone()
}

type timer struct{ stop func() bool }

// schedule runs f after d, unless the Hub is closed or reset before. It needs the lock.
func (c *Core) schedule(d time.Duration, f func()) {
	if c.closed {
		return
	}
	t := &timer{}
	c.timers[t] = struct{}{}
	t.stop = c.after(d, func() {
		if c.due(t) {
			defer c.calls.Done()
			f()
		}
	})
}

// due says whether t still counts, and if so counts its function as a call under way.
func (c *Core) due(t *timer) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.timers[t]; !ok {
		return false
	}
	delete(c.timers, t)
	c.calls.Add(1)
	return true
}

// begin counts a call to an endpoint as under way; false when the Hub is closed. It needs the lock.
func (c *Core) begin() bool {
	if c.closed {
		return false
	}
	c.calls.Add(1)
	return true
}

func randomSecret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // it never fails: crypto/rand ends the program instead
	return hex.EncodeToString(b)
}
