package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// watcher follows the resources of a namespace.
type watcher struct {
	client *http.Client
	url    string
	say    progress

	// version is where the watch goes on, empty until all that was there at its beginning was shown.
	version string

	mu   sync.Mutex
	all  map[string]*resource
	goal func(*resource) bool
	met  map[string]bool // who meets the goal
	// readyAt is when each was first shown to be ready.
	readyAt map[string]time.Time
	lastAt  time.Time // of the last change
	err     error
	// changed holds a token while there is news.
	changed chan struct{}
}

func newWatcher(config *rest.Config, namespace string, say progress) (*watcher, error) {
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	const path = "/apis/hub.chatt2.me/v1alpha1/namespaces/%s/chatt2webhooks?watch=true&allowWatchBookmarks=true"
	return &watcher{
		client: client, url: strings.TrimSuffix(config.Host, "/") + fmt.Sprintf(path, namespace), say: say,
		all: map[string]*resource{}, readyAt: map[string]time.Time{}, changed: make(chan struct{}, 1),
	}, nil
}

// run follows the resources until ctx ends. The API server ends a watch now and then, that of a slow reader above all:
// the next one goes on where it ended.
func (w *watcher) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := w.follow(ctx)
		w.mu.Lock()
		if w.version == "" {
			w.all, w.met = map[string]*resource{}, map[string]bool{}
		}
		if err != nil && ctx.Err() == nil {
			w.err = err
		}
		w.mu.Unlock()
		if err != nil {
			w.tell()
			return
		}
	}
}

func (w *watcher) follow(ctx context.Context) error {
	from := "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
	if w.version != "" {
		from = "&resourceVersion=" + w.version
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+from, nil)
	if err != nil {
		return err
	}
	response, err := w.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 1000)) // what it says helps, if it can be read
		return fmt.Errorf("watch the resources: the API server answered %s: %s", response.Status, body)
	}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		if bytes.HasPrefix(lines.Bytes(), []byte(`{"type":"ERROR"`)) {
			return w.broken(lines.Bytes())
		}
		var event struct {
			Type   string   `json:"type"`
			Object resource `json:"object"`
		}
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			return fmt.Errorf("watch the resources: %w", err)
		}
		// Until the first bookmark what is shown comes in no order.
		if w.version != "" || event.Type == "BOOKMARK" {
			w.version = event.Object.Metadata.ResourceVersion
		}
		if event.Type != "BOOKMARK" {
			w.take(event.Type, &event.Object)
		}
	}
	return lines.Err()
}

// broken takes the event with which the API server ends a watch. One that is too far behind begins anew.
func (w *watcher) broken(line []byte) error {
	var event struct {
		Object metav1.Status `json:"object"`
	}
	if err := json.Unmarshal(line, &event); err != nil || event.Object.Code != http.StatusGone {
		return fmt.Errorf("watch the resources: %.300s", line)
	}
	w.version = ""
	return nil
}

func (w *watcher) take(kind string, r *resource) {
	w.mu.Lock()
	name := r.Metadata.Name
	if kind == "DELETED" {
		delete(w.all, name)
		delete(w.met, name)
		delete(w.readyAt, name)
	} else {
		w.all[name] = r
		w.judge(name, r)
		if _, known := w.readyAt[name]; !known && r.isReady() {
			w.readyAt[name] = time.Now()
		}
	}
	w.lastAt = time.Now()
	w.mu.Unlock()
	w.tell()
}

// firstReady is when each resource was first shown to be ready.
func (w *watcher) firstReady() map[string]time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.readyAt)
}

func (w *watcher) judge(name string, r *resource) {
	if w.goal != nil && w.goal(r) {
		w.met[name] = true
		return
	}
	delete(w.met, name)
}

func (w *watcher) tell() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

const (
	// progressTime is how often a person is told how far it is.
	progressTime = 5 * time.Second
	// stallTime is for how long nothing may change while a goal is not met, longer than it does when all is well.
	stallTime = 3 * time.Minute
)

// await waits until exactly n resources are there, and all of them meet a goal, and tells when the last one did.
func (w *watcher) await(ctx context.Context, what string, n int, goal func(*resource) bool) (time.Time, error) {
	w.mu.Lock()
	w.goal, w.met = goal, map[string]bool{}
	for name, r := range w.all {
		w.judge(name, r)
	}
	w.mu.Unlock()
	tick := time.NewTicker(progressTime)
	defer tick.Stop()
	began := time.Now()
	for {
		there, met, last, err := w.now()
		if err != nil {
			return last, err
		}
		if there == n && met == n {
			return last, nil
		}
		select {
		case <-ctx.Done():
			return last, errors.Join(fmt.Errorf("%d of %d are there, %d %s", there, n, met, what), context.Cause(ctx))
		case <-w.changed:
		case <-tick.C:
			w.say("    %d of %d are there, %d %s", there, n, met, what)
			if time.Since(last) > stallTime && time.Since(began) > stallTime {
				return last, fmt.Errorf("nothing changes any more while %d of %d are %s; reasons: %v",
					met, n, what, w.reasons())
			}
		}
	}
}

func (w *watcher) now() (there, met int, last time.Time, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.all), len(w.met), w.lastAt, w.err
}

// reasons are how many resources give which reason for being ready or not.
func (w *watcher) reasons() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	counts := map[string]int{}
	for _, r := range w.all {
		for _, c := range r.Status.Conditions {
			if c.Type == "Ready" {
				counts[c.Reason]++
			}
		}
	}
	return counts
}
