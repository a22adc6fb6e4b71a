package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"
)

// conflictShare is the part of the patches of status that meet a conflict.
const conflictShare = 0.2

// conflictAnswer is what the API server answers then.
const conflictAnswer = `{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",` +
	`"message":"Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest ` +
	`version and try again","reason":"Conflict","code":409}`

// conflicts answers some patches of the status of Chatt2Webhooks with a conflict.
type conflicts struct {
	next http.Handler
	// injected is how many there were.
	injected atomic.Int64
	mu       sync.Mutex
	random   *rand.Rand
}

func newConflicts(next http.Handler) *conflicts {
	const seed = 1 // the same share in each run; which patches they are depends on their order
	//nolint:gosec // Nothing is secret here.
	return &conflicts{next: next, random: rand.New(rand.NewPCG(seed, seed))}
}

func (c *conflicts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if isStatusPatch(r) && c.strikes() {
		c.injected.Add(1)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusConflict)
		_, _ = w.Write([]byte(conflictAnswer)) // a client that is gone needs none
		return
	}
	c.next.ServeHTTP(w, r)
}

func isStatusPatch(r *http.Request) bool {
	return r.Method == http.MethodPatch && strings.Contains(r.URL.Path, "/chatt2webhooks/") &&
		strings.HasSuffix(r.URL.Path, "/status")
}

func (c *conflicts) strikes() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.random.Float64() < conflictShare
}

// proxyToAPIServer has operators that are started from now on talk to the API server through a proxy that makes
// conflicts.
func (w *world) proxyToAPIServer(ctx context.Context) (*conflicts, error) {
	upstream, err := url.Parse(w.access.Host)
	if err != nil {
		return nil, err
	}
	transport, err := rest.TransportFor(w.access)
	if err != nil {
		return nil, err
	}
	c := newConflicts(&httputil.ReverseProxy{
		Transport: transport, FlushInterval: -1, // a watch is told at once
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(upstream) },
		// What fails because the operator or the API server ends is of no interest.
		ErrorHandler: func(rw http.ResponseWriter, _ *http.Request, _ error) { rw.WriteHeader(http.StatusBadGateway) },
	})
	origin, stop, err := serve(ctx, w.certificate, c)
	if err != nil {
		return nil, err
	}
	w.stops = append(w.stops, stop)
	return c, w.writeKubeconfig(&rest.Config{
		Host: origin, TLSClientConfig: rest.TLSClientConfig{CAData: w.certificate.pem},
	})
}

// playConflicts creates and deletes resources again and again, where many writes of status meet a conflict: each
// webhook must be registered once all the same.
func playConflicts(ctx context.Context, w *world, n int) ([]*figures, error) {
	c, err := w.proxyToAPIServer(ctx)
	if err != nil {
		return nil, err
	}
	if err := w.startOperator(ctx); err != nil {
		return nil, err
	}
	var wrong []string
	f, _, err := w.measure(ctx, "conflicts", n*w.rounds, func(ctx context.Context) (time.Time, error) {
		posts := 0
		for round := range w.rounds {
			w.say("    round %d of %d", round+1, w.rounds)
			if err := w.playRound(ctx, n); err != nil {
				return time.Time{}, err
			}
			all, err := w.hub.tallies(ctx)
			if err != nil {
				return time.Time{}, err
			}
			if now := all.of("createWebhook").count(); now-posts != n {
				wrong = append(wrong, fmt.Sprintf("%d in round %d", now-posts, round+1))
			}
			posts = all.of("createWebhook").count()
		}
		return time.Now(), nil
	})
	if err != nil {
		return nil, err
	}
	f.note("%d rounds of %d, %d conflicts; N is the number of all", w.rounds, n, c.injected.Load())
	measured := fmt.Sprintf("%d in each of %d rounds", n, w.rounds)
	if len(wrong) > 0 {
		measured = strings.Join(wrong, ", ")
	}
	f.aim(len(wrong) == 0, "POSTs", measured, fmt.Sprintf("exactly %d each time", n))
	return []*figures{f}, w.checkHub(ctx, 0)
}

func (w *world) playRound(ctx context.Context, n int) error {
	if err := w.create(ctx, n, false); err != nil {
		return err
	}
	if _, err := w.allReady(ctx, n); err != nil {
		return err
	}
	if err := w.checkHub(ctx, n); err != nil {
		return err
	}
	if err := w.remove(ctx, n); err != nil {
		return err
	}
	_, err := w.allGone(ctx)
	return err
}
