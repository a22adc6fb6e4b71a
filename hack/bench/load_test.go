package main

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestEachDoesAllOfThemAndNoMoreAtOnceThanAsked(t *testing.T) {
	const n, atOnce = 200, 7
	var done [n]atomic.Int64
	var now, most atomic.Int64
	full := make(chan struct{})
	err := each(t.Context(), n, atOnce, func(_ context.Context, i int) error {
		if at := now.Add(1); at > most.Load() {
			most.Store(at)
			if at == atOnce {
				close(full)
			}
		}
		defer now.Add(-1)
		done[i].Add(1)
		<-full // until as many as may be are under way, and one more had the chance to be
		runtime.Gosched()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range done {
		if done[i].Load() != 1 {
			t.Fatalf("number %d was done %d times", i, done[i].Load())
		}
	}
	if most.Load() > atOnce {
		t.Errorf("%d were done at once", most.Load())
	}
}

func TestEachEndsWithTheFirstError(t *testing.T) {
	wrong := errors.New("wrong")
	var done atomic.Int64
	err := each(t.Context(), 1000, 2, func(ctx context.Context, i int) error {
		if i == 10 {
			return wrong
		}
		if i > 10 {
			<-ctx.Done()
		}
		done.Add(1)
		return nil
	})
	if !errors.Is(err, wrong) || done.Load() > 12 {
		t.Errorf("%v after %d", err, done.Load())
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := each(ended, 5, 2, func(context.Context, int) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("an end of the context is no error: %v", err)
	}
}

func TestOnlySomePatchesOfStatusMeetAConflict(t *testing.T) {
	passed := 0
	c := newConflicts(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { passed++ }))
	send := func(method, path string) int {
		answer := httptest.NewRecorder()
		c.ServeHTTP(answer, httptest.NewRequest(method, path, nil))
		return answer.Code
	}
	const one = "/apis/hub.chatt2.me/v1alpha1/namespaces/bench/chatt2webhooks/a"
	const n = 1000
	for range n {
		send(http.MethodPatch, one)
		send(http.MethodGet, one+"/status")
		send(http.MethodPatch, "/api/v1/namespaces/bench/pods/a/status")
	}
	if passed != 3*n || c.injected.Load() != 0 {
		t.Fatalf("%d passed, %d conflicts", passed, c.injected.Load())
	}
	refused := 0
	for range n {
		if send(http.MethodPatch, one+"/status") == http.StatusConflict {
			refused++
		}
	}
	if int64(refused) != c.injected.Load() || passed != 4*n-refused || refused < n/10 || refused > 3*n/10 {
		t.Errorf("%d of %d conflicts, %d passed", refused, c.injected.Load(), passed)
	}
}

func TestTheWatcherWaitsForAllToMeetAGoal(t *testing.T) {
	const ready = `{"type":"MODIFIED","object":{"metadata":{"name":"NAME"},"status":{"conditions":[{"type":"Ready","status":"True"}]}}}`
	const pending = `{"type":"ADDED","object":{"metadata":{"name":"NAME"},"status":{"conditions":[{"type":"Ready","status":"False","reason":"Pending"}]}}}`
	const gone = `{"type":"DELETED","object":{"metadata":{"name":"NAME"}}}`
	events := make(chan string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for {
			select {
			case e := <-events:
				_, _ = w.Write([]byte(e + "\n"))
				_ = http.NewResponseController(w).Flush()
			case <-r.Context().Done():
				return
			}
		}
	}))
	defer server.Close()
	w := &watcher{
		client: server.Client(), url: server.URL + "?watch=true", say: func(string, ...any) {},
		all: map[string]*resource{}, readyAt: map[string]time.Time{}, changed: make(chan struct{}, 1),
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.run(ctx)
	}()
	defer func() {
		stop()
		<-ended
	}()
	send := func(event, name string) { events <- strings.ReplaceAll(event, "NAME", name) }

	send(pending, "a")
	send(pending, "b")
	if _, err := w.await(ctx, "pending", 2, func(r *resource) bool { return !r.isReady() }); err != nil {
		t.Fatal(err)
	}
	if reasons := w.reasons(); reasons["Pending"] != 2 {
		t.Errorf("the reasons are %v", reasons)
	}
	go func() {
		send(ready, "a")
		send(ready, "b")
	}()
	at, err := w.await(ctx, "ready", 2, (*resource).isReady)
	if err != nil || time.Since(at) > time.Minute {
		t.Fatal(at, err)
	}
	go func() {
		send(gone, "a")
		send(gone, "b")
	}()
	if _, err := w.await(ctx, "left", 0, (*resource).isReady); err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := w.await(cancelled, "ready", 1, (*resource).isReady); err == nil {
		t.Error("an end of the context is no error")
	}
}

func TestAWatchThatIsRefusedIsAnError(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	w := &watcher{
		client: server.Client(), url: server.URL + "?watch=true", say: func(string, ...any) {},
		all: map[string]*resource{}, readyAt: map[string]time.Time{}, changed: make(chan struct{}, 1),
	}
	w.run(t.Context())
	if _, err := w.await(t.Context(), "ready", 1, (*resource).isReady); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("the error is %v", err)
	}
}

// Once a watch that the API server ended began anew each time, and showed so few of many that nothing was ever met.
func TestAWatchGoesOnWhereItEnded(t *testing.T) {
	const shown = `{"type":"TYPE","object":{"metadata":{"name":"NAME","resourceVersion":"NAME"}}}`
	const late = `{"type":"ERROR","object":{"kind":"Status","status":"Failure","code":410}}`
	answers := [][]string{
		{"ADDED 3", "ADDED 2"}, // and it ends before all was shown
		{"ADDED 3", "ADDED 2", "BOOKMARK 4", "ADDED 5"},
		{"ADDED 6"},
		{late},
		{"ADDED 7", "BOOKMARK 8"},
	}
	var asked []string
	served := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Query().Get("resourceVersion"))
		if len(asked) > len(answers) {
			close(served)
			<-r.Context().Done()
			return
		}
		for _, answer := range answers[len(asked)-1] {
			if kind, name, ok := strings.Cut(answer, " "); ok && answer != late {
				answer = strings.NewReplacer("TYPE", kind, "NAME", name).Replace(shown)
			}
			_, _ = w.Write([]byte(answer + "\n"))
		}
	}))
	defer server.Close()
	w := &watcher{
		client: server.Client(), url: server.URL + "?watch=true", say: func(string, ...any) {},
		all: map[string]*resource{}, readyAt: map[string]time.Time{}, changed: make(chan struct{}, 1),
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.run(ctx)
	}()
	<-served
	stop()
	<-ended
	if want := []string{"", "", "5", "6", "", "8"}; !slices.Equal(asked, want) {
		t.Errorf("the watches began at %q, want %q", asked, want)
	}
	if names := slices.Sorted(maps.Keys(w.all)); !slices.Equal(names, []string{"7"}) {
		t.Errorf("there are %v", names)
	}
}
