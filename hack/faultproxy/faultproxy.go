// Package faultproxy stands between a client and a server, and has go wrong what can go wrong between them: answers
// that are lost, failures told after the call was carried out, delays, connections that break, and watches that lag.
// What goes wrong with which call is for the user of the package to say.
package faultproxy

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"
)

// Fault is what becomes of a call.
type Fault string

const (
	// None: the call passes.
	None Fault = ""
	// Cut: the connection is closed; nothing was carried out.
	Cut Fault = "cut"
	// ErrorBefore: 503 is answered; nothing was carried out.
	ErrorBefore Fault = "error before"
	// Lost: the call is carried out and its answer lost.
	Lost Fault = "lost"
	// Half: the call is carried out and the connection breaks in the middle of the answer.
	Half Fault = "half"
	// ErrorAfter: the call is carried out and 502 is answered.
	ErrorAfter Fault = "error after"
	// LateAnswer: the call is carried out and answered after the delay.
	LateAnswer Fault = "late answer"
	// LateCommit: the connection is closed at once, and the call carried out after the delay.
	LateCommit Fault = "late commit"
)

// Faults are all kinds but None.
var Faults = []Fault{Cut, ErrorBefore, Lost, Half, ErrorAfter, LateAnswer, LateCommit}

// maxBody bounds what is kept of a call and of its answer.
const maxBody = 64 << 20

// Proxy is a handler that hands calls on to a server. Close it after the server that serves it.
type Proxy struct {
	upstream  *url.URL
	transport http.RoundTripper
	choose    func(*http.Request) (Fault, time.Duration)
	streams   *httputil.ReverseProxy
	gate      gate
	ctx       context.Context // ends at Close
	cancel    context.CancelFunc
	late      sync.WaitGroup
}

// New makes a proxy before upstream, to which transport must know the way. choose is asked about every call but
// watches, by many at once, and may be nil.
func New(upstream *url.URL, transport http.RoundTripper, choose func(*http.Request) (Fault, time.Duration)) *Proxy {
	if choose == nil {
		choose = func(*http.Request) (Fault, time.Duration) { return None, 0 }
	}
	p := &Proxy{upstream: upstream, transport: transport, choose: choose}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.streams = &httputil.ReverseProxy{
		Transport: transport, FlushInterval: -1,
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(upstream) },
		ModifyResponse: func(r *http.Response) error {
			r.Body = lagging{r.Body, &p.gate, r.Request.Context()}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	return p
}

// Close drops what is still to be carried out late, and waits for what is under way.
func (p *Proxy) Close() {
	p.cancel()
	p.gate.set(false)
	p.late.Wait()
}

// HoldWatches keeps what watches have to tell from now on until ReleaseWatches.
func (p *Proxy) HoldWatches() { p.gate.set(true) }

// ReleaseWatches lets watches tell what was held back, and all that follows.
func (p *Proxy) ReleaseWatches() { p.gate.set(false) }

// ServeHTTP is for package http.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("watch") != "" {
		p.streams.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return // the client has gone
	}
	fault, delay := p.choose(r)
	switch fault {
	case Cut:
		panic(http.ErrAbortHandler)
	case ErrorBefore:
		http.Error(w, "unavailable", http.StatusServiceUnavailable)
		return
	case LateCommit:
		p.late.Go(func() {
			if p.wait(delay) {
				_, _ = p.forward(r, body) // nobody waits for the answer
			}
		})
		panic(http.ErrAbortHandler)
	default:
	}
	got, err := p.forward(r, body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	p.answer(w, fault, delay, got)
}

// answered is what the server answered.
type answered struct {
	status  int
	header  http.Header
	content []byte
}

// forward carries a call out, whether or not its client still waits.
func (p *Proxy) forward(r *http.Request, body []byte) (answered, error) {
	out := r.Clone(context.WithoutCancel(r.Context()))
	out.URL.Scheme, out.URL.Host, out.Host = p.upstream.Scheme, p.upstream.Host, p.upstream.Host
	out.RequestURI = ""
	// A body that can be had again would be sent again.
	out.Body, out.ContentLength, out.GetBody = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
	if len(body) == 0 {
		out.Body = nil
	}
	answer, err := p.transport.RoundTrip(out)
	if err != nil {
		return answered{}, err
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(io.LimitReader(answer.Body, maxBody))
	return answered{answer.StatusCode, answer.Header, content}, err
}

// answer tells the client of a call that was carried out, as the fault says.
func (p *Proxy) answer(w http.ResponseWriter, f Fault, delay time.Duration, got answered) {
	switch f {
	case Lost:
		panic(http.ErrAbortHandler)
	case ErrorAfter:
		http.Error(w, "bad gateway", http.StatusBadGateway)
		return
	case LateAnswer:
		p.wait(delay)
	default:
	}
	maps.Copy(w.Header(), got.header)
	w.WriteHeader(got.status)
	if f == Half {
		got.content = got.content[:len(got.content)/2]
	}
	_, _ = w.Write(got.content) // the client may have gone
	if f == Half {
		panic(http.ErrAbortHandler)
	}
}

// wait lets a delay pass; false when the proxy was closed meanwhile.
func (p *Proxy) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.ctx.Done():
		return false
	}
}
