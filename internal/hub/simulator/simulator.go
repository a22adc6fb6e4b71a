package simulator

import (
	"cmp"
	"crypto/x509"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// Options are how a Simulator behaves. The zero value is the documented Hub without Applications.
type Options struct {
	CoreOptions
	// EndpointCAs are trusted when endpoints are called; nil trusts those of the system. Without effect when
	// CoreOptions.Endpoint is set.
	EndpointCAs *x509.CertPool
	// EndpointTimeout bounds a call to an endpoint; 0 is DefaultEndpointTimeout.
	EndpointTimeout time.Duration
	// Latency is added to every call.
	Latency time.Duration
	// RateLimit is how many calls a second each API key has; beyond it the answer is 429. 0 is no limit.
	RateLimit float64
	// SeparateAdmin leaves the admin API out of Handler. It has no authentication; AdminHandler serves it elsewhere.
	SeparateAdmin bool
	// Logger gets one line for each request, without any secret, API key or header value. Nil logs nothing.
	Logger *slog.Logger
}

// Simulator is the Hub's API over HTTP.
type Simulator struct {
	*Core
	logger        *slog.Logger
	separateAdmin bool
	faults        faultQueue
	requests      requestLog
	throttle      throttle
	late          lateCalls
	closed        chan struct{}
	closeOnce     sync.Once

	mu      sync.Mutex
	latency time.Duration
}

// New makes a Hub. Close ends it, after the server of its handler has ended.
func New(o Options) *Simulator {
	if o.Endpoint == nil {
		o.Endpoint = NewEndpointClient(o.EndpointCAs, o.EndpointTimeout)
	}
	s := &Simulator{
		Core: NewCore(o.CoreOptions), logger: cmp.Or(o.Logger, slog.New(slog.DiscardHandler)),
		separateAdmin: o.SeparateAdmin, latency: o.Latency, closed: make(chan struct{}),
	}
	s.throttle.set(o.RateLimit)
	return s
}

// Handler serves the Hub's API and, unless SeparateAdmin, the admin API under /_sim/.
func (s *Simulator) Handler() http.Handler {
	mux := http.NewServeMux()
	paths := map[string]map[string]operation{}
	for _, op := range operations {
		if paths[op.path] == nil {
			paths[op.path] = map[string]operation{}
		}
		paths[op.path][op.method] = op
	}
	for path, methods := range paths {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			op, ok := methods[r.Method]
			if !ok {
				op = wrongMethod(methods)
			}
			s.serve(w, r, op)
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, unknownPath) })
	if !s.separateAdmin {
		mux.Handle("/_sim/", s.AdminHandler())
	}
	return mux
}

// Close ends what waits, drops late calls that were not released and stops the Core.
func (s *Simulator) Close() {
	s.closeOnce.Do(func() { close(s.closed) })
	s.late.clear()
	s.Core.Close()
}

// Reset forgets webhooks, logs, requests, faults and variants. Applications, latency and rate limit stay.
func (s *Simulator) Reset() {
	s.Core.Reset()
	s.faults.clear()
	s.late.clear()
	s.requests.clear()
}

// SetLatency adds d to every call from now on.
func (s *Simulator) SetLatency(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latency = d
}

// SetRateLimit gives every API key perSecond calls a second from now on; 0 is no limit.
func (s *Simulator) SetRateLimit(perSecond float64) { s.throttle.set(perSecond) }

func (s *Simulator) currentLatency() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.latency
}

// wait lets d pass on the real clock, for it is the connection that waits; it ends early with the request or the Hub.
func (s *Simulator) wait(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.Context().Done():
	case <-s.closed:
	}
}

// hold keeps the connection until the client gives up or the Hub ends.
func (s *Simulator) hold(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-s.closed:
	}
}
