package controller

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/hub/connection"
)

// Name is the name of the operator in events and leases and towards the Hub.
const Name = "chatt2-webhook-operator"

// Operator is what a running operator is put together from.
type Operator struct {
	// Options are how it was started.
	Options Options
	// Hub configures the clients of the Hub, but for the API key, the clock and what observes calls.
	Hub hub.Config
	// QPS and Burst are the budget of calls of one API key.
	QPS   float64
	Burst int
	// Registry takes the metrics.
	Registry prometheus.Registerer
	// Now is the clock.
	Now func() time.Time
}

// SetupWithManager has the manager run the operator. It returns what is wrong with the settings.
func (op Operator) SetupWithManager(mgr manager.Manager) error {
	counted := NewMetrics(op.Registry)
	wakes := &Wakes{}
	pool := op.pool(counted, wakes)
	reconciler := &Reconciler{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Pool: pool, Recorder: mgr.GetEventRecorder(Name),
		Metrics: counted, Now: op.Now, Options: op.Options,
	}
	guard := &APIKeyGuard{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Recorder: reconciler.Recorder, Now: op.Now,
		Options: op.Options,
	}
	collector := &Collector{Client: mgr.GetClient(), Now: op.Now, Metrics: counted}
	return errors.Join(
		reconciler.SetupWithManager(mgr, wakes),
		guard.SetupWithManager(mgr),
		op.Registry.Register(collector),
		// Added as a function it runs on the leader alone.
		mgr.Add(manager.RunnableFunc(func(ctx context.Context) error {
			pool.Run(log.IntoContext(ctx, mgr.GetLogger().WithName("hub")))
			return nil
		})),
	)
}

// pool makes the connections to the Hub.
func (op Operator) pool(counted *Metrics, wakes *Wakes) *connection.Pool {
	client := func(key hub.Secret) (*hub.Client, error) {
		config := op.Hub
		config.APIKey, config.Now = key, op.Now
		config.Observe = func(ctx context.Context, call hub.Call) {
			counted.Requested(call.Operation, strconv.Itoa(call.StatusCode), call.Duration)
			log.FromContext(ctx).V(1).Info("Called the Hub", "operation", call.Operation, "webhookID", call.WebhookID,
				"statusCode", call.StatusCode, "duration", call.Duration)
		}
		return hub.New(config)
	}
	return connection.NewPool(connection.Config{
		BaseURL: op.Hub.BaseURL,
		QPS:     op.QPS, Burst: op.Burst, PollInterval: op.Options.Settings.PollInterval,
		Lanes: connection.NewLanes(op.Options.MaxConcurrentReconciles),
		Now:   op.Now, Jitter: jitter, Wake: wakes.Wake, Metrics: counted.OfConnections(),
	}, client)
}
