package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/chatt2me/webhook-operator/hack/loopback"
)

// queueName is the name of the queue of Chatt2Webhooks.
const queueName = "chatt2webhook"

// perResource are the series that there is one of for each resource.
var perResource = []string{"chatt2_webhook_delivery_errors", "chatt2_signing_secret_age_seconds"}

// operator is a running operator.
type operator struct {
	program *program
	metrics string // address
	probes  string
	pprof   string // address, empty where it cannot be asked for profiles
	client  *http.Client
	hubPort int
	// connections is the most open connections to the Hub since the last reset.
	connections atomic.Int64
}

// startOperator starts an operator, with flags behind those that every one has, and waits until it is ready.
func (w *world) startOperator(ctx context.Context, flags ...string) error {
	if err := w.launchOperator(ctx, flags...); err != nil {
		return err
	}
	o := w.operator
	return o.program.await(ctx, func() (bool, error) { return o.get(ctx, o.probes, "/readyz", nil) == nil, nil })
}

// launchOperator starts an operator and does not wait for it.
func (w *world) launchOperator(ctx context.Context, flags ...string) error {
	probes, err := loopback.Reserve(ctx)
	if err != nil {
		return err
	}
	serving, err := loopback.Reserve(ctx)
	if err != nil {
		return err
	}
	args := slices.Concat([]string{
		"operator", "--kubeconfig=" + w.kubeconfig, "--hub-url=" + w.hub.url, "--hub-ca-file=" + w.certificate.certFile,
		"--health-probe-bind-address=" + probes.String(),
		"--metrics-bind-address=" + serving.String(), "--metrics-secure=false",
		"--leader-election-namespace=" + installedNamespace,
	}, w.operatorFlags(), w.extra, flags)
	o := &operator{
		metrics: serving.String(), probes: probes.String(), hubPort: w.hub.port,
		client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{}},
	}
	if args, err = o.addProfiles(ctx, w, args); err != nil {
		return err
	}
	if o.program, err = launch(ctx, "operator", w.log("operator"), w.settings.operator, args...); err != nil {
		return err
	}
	w.operator = o
	go o.watchConnections()
	return nil
}

// stopOperator ends the operator, if one runs.
func (w *world) stopOperator() error {
	if w.operator == nil {
		return nil
	}
	o := w.operator
	w.operator = nil
	o.client.CloseIdleConnections()
	return o.program.stop()
}

// connectionTime is how often connections are counted.
const connectionTime = 500 * time.Millisecond

// watchConnections counts the connections to the Hub until the operator ends.
func (o *operator) watchConnections() {
	tick := time.NewTicker(connectionTime)
	defer tick.Stop()
	for {
		select {
		case <-o.program.ended:
			return
		case <-tick.C:
			// A process that is ending cannot be looked at any more.
			if n, err := connectionsTo(o.program.pid(), o.hubPort); err == nil {
				o.connections.Store(max(o.connections.Load(), int64(n)))
			}
		}
	}
}

// scrape reads the operator's metrics, except for those of single resources.
func (o *operator) scrape(ctx context.Context) (metrics, error) {
	var m metrics
	err := o.get(ctx, o.metrics, "/metrics", func(r *http.Response) (err error) {
		m, err = readMetrics(r.Body, perResource...)
		return err
	})
	return m, err
}

func (o *operator) get(ctx context.Context, address, path string, read func(*http.Response) error) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return err
	}
	response, err := o.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s of the operator: %s", path, response.Status)
	}
	if read == nil {
		return nil
	}
	return read(response)
}

// pulse is what moves while the operator works.
type pulse struct {
	reconciles, depth float64
	writes            writes
}

// restTime is how long nothing must move for the operator to be at rest.
const restTime = 3 * time.Second

// rest waits until the operator has nothing to do but to poll.
func (w *world) rest(ctx context.Context) error {
	// Thousands of events may still be written.
	ctx, cancel := context.WithTimeoutCause(ctx, 15*time.Minute, errors.New("the operator does not come to rest"))
	defer cancel()
	tick := time.NewTicker(restTime / 3)
	defer tick.Stop()
	var last pulse
	moved := time.Now()
	for {
		p, err := w.pulse(ctx)
		if err != nil {
			return errors.Join(err, context.Cause(ctx))
		}
		if now := time.Now(); p != last || p.depth > 0 {
			last, moved = p, now
		} else if now.Sub(moved) >= restTime {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

func (w *world) pulse(ctx context.Context) (pulse, error) {
	m, err := w.operator.scrape(ctx)
	if err != nil {
		return pulse{}, err
	}
	written, err := w.audit.read()
	written.Own, written.Refused = 0, 0
	return pulse{
		reconciles: m.sum("controller_runtime_reconcile_total"), depth: m.sum("workqueue_depth"), writes: written,
	}, err
}
