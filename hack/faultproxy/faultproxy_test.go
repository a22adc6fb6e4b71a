package faultproxy_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chatt2me/webhook-operator/hack/faultproxy"
)

// between puts a proxy before a server that counts the calls carried out.
func between(t *testing.T, fault faultproxy.Fault, delay time.Duration) (client *http.Client, url string, done *atomic.Int32) {
	t.Helper()
	done = &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		done.Add(1)
		_, _ = io.WriteString(w, "carried out: "+string(body))
	}))
	t.Cleanup(server.Close)
	proxy := faultproxy.New(parse(t, server.URL), &http.Transport{DisableKeepAlives: true},
		func(*http.Request) (faultproxy.Fault, time.Duration) { return fault, delay })
	front := httptest.NewServer(proxy)
	t.Cleanup(func() {
		front.Close()
		proxy.Close()
	})
	return &http.Client{Timeout: 20 * time.Second}, front.URL, done
}

func parse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestEachFaultIsWhatItSays(t *testing.T) {
	for _, c := range []struct {
		fault  faultproxy.Fault
		delay  time.Duration
		status int // 0 for no answer, or none that is whole
		done   int32
	}{
		{fault: faultproxy.None, status: http.StatusOK, done: 1},
		{fault: faultproxy.Cut},
		{fault: faultproxy.ErrorBefore, status: http.StatusServiceUnavailable},
		{fault: faultproxy.Lost, done: 1},
		{fault: faultproxy.Half, done: 1},
		{fault: faultproxy.ErrorAfter, status: http.StatusBadGateway, done: 1},
		{fault: faultproxy.LateAnswer, delay: 50 * time.Millisecond, status: http.StatusOK, done: 1},
		{fault: faultproxy.LateCommit, delay: time.Hour},
	} {
		client, front, done := between(t, c.fault, c.delay)
		began := time.Now()
		status := 0
		if answer, err := client.Post(front, "text/plain", strings.NewReader("a call")); err == nil {
			status = answer.StatusCode
			if text, err := io.ReadAll(answer.Body); err != nil {
				status = 0
			} else if status == http.StatusOK && string(text) != "carried out: a call" {
				t.Errorf("%q: %q", c.fault, text)
			}
			_ = answer.Body.Close()
		}
		if status != c.status || done.Load() != c.done {
			t.Errorf("%q: answered %d, want %d; carried out %d times, want %d", c.fault, status, c.status, done.Load(), c.done)
		}
		if c.fault == faultproxy.LateAnswer && time.Since(began) < c.delay {
			t.Errorf("%q: answered too soon", c.fault)
		}
	}
}

func TestALateCallIsCarriedOutInTheEnd(t *testing.T) {
	client, front, done := between(t, faultproxy.LateCommit, 50*time.Millisecond)
	if answer, err := client.Post(front, "text/plain", strings.NewReader("a call")); err == nil {
		t.Errorf("answered %d", answer.StatusCode)
		_ = answer.Body.Close()
	}
	for deadline := time.After(time.Minute); done.Load() == 0; {
		select {
		case <-deadline:
			t.Fatal("it was never carried out")
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func TestAWatchLagsWhileItIsHeld(t *testing.T) {
	told := make(chan string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for {
			select {
			case text := <-told:
				_, _ = io.WriteString(w, text)
				_ = http.NewResponseController(w).Flush()
			case <-r.Context().Done():
				return
			}
		}
	}))
	defer server.Close()
	proxy := faultproxy.New(parse(t, server.URL), &http.Transport{DisableKeepAlives: true}, nil)
	front := httptest.NewServer(proxy)
	defer func() {
		front.CloseClientConnections()
		front.Close()
		proxy.Close()
	}()
	seen := make(chan string, 2)
	go func() {
		answer, err := http.NewRequestWithContext(t.Context(), http.MethodGet, front.URL+"?watch=1", nil)
		if err != nil {
			return
		}
		stream, err := (&http.Client{}).Do(answer)
		if err != nil {
			return
		}
		defer stream.Body.Close()
		for {
			text := make([]byte, 1)
			if _, err := io.ReadFull(stream.Body, text); err != nil {
				return
			}
			seen <- string(text)
		}
	}()
	told <- "a"
	if got := <-seen; got != "a" {
		t.Errorf("seen %q", got)
	}
	proxy.HoldWatches()
	told <- "b"
	select {
	case got := <-seen:
		t.Errorf("%q is seen although watches are held", got)
	case <-time.After(100 * time.Millisecond):
	}
	proxy.ReleaseWatches()
	if got := <-seen; got != "b" {
		t.Errorf("seen %q", got)
	}
}
