package controller_test

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/rest"

	"github.com/chatt2me/webhook-operator/internal/controller"
)

// polled makes the operator poll that seldom.
func (w *world) polled(interval time.Duration) {
	before := w.options
	w.options = func(op *controller.Operator) {
		before(op)
		op.Options.Settings.PollInterval = interval
	}
}

// afterReadLag waits until a read that shows something else than what was written counts as news.
func (w *world) afterReadLag(string) { <-time.After(5 * time.Second) }

// writeCounter counts the writes of an operator to the API server, events and leases apart.
type writeCounter struct {
	mu   sync.Mutex
	seen []string
}

func (c *writeCounter) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = nil
}

func (c *writeCounter) list() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.seen...)
}

func (c *writeCounter) writes() int { return len(c.list()) }

// countWrites counts the operator's writes from its next start on.
func (w *world) countWrites() *writeCounter {
	c := &writeCounter{}
	w.intercept(func(r *http.Request) *http.Response {
		if r.Method != http.MethodGet && !strings.Contains(r.URL.Path, "/events") {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.seen = append(c.seen, r.Method+" "+r.URL.Path[strings.LastIndex(r.URL.Path, w.namespace)+len(w.namespace):])
		}
		return nil
	})
	return c
}

// intercept lets a test answer the operator's requests to the API server; nil lets a request through.
func (w *world) intercept(answer func(*http.Request) *http.Response) {
	before := w.wrap
	w.wrap = func(access *rest.Config) {
		if before != nil {
			before(access)
		}
		access.Wrap(func(next http.RoundTripper) http.RoundTripper {
			return roundTripper(func(r *http.Request) (*http.Response, error) {
				if a := answer(r); a != nil {
					return a, nil
				}
				return next.RoundTrip(r)
			})
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
