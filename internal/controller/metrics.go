package controller

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/chatt2me/webhook-operator/internal/hub/connection"
)

// Metrics are what the operator counts besides what controller-runtime does.
type Metrics struct {
	requests  *prometheus.CounterVec
	duration  *prometheus.HistogramVec
	throttled prometheus.Counter
	breaker   *prometheus.GaugeVec
	refused   *prometheus.GaugeVec
	listed    times
	rotations *prometheus.CounterVec
	orphaned  prometheus.Counter
	drift     prometheus.Counter
}

// NewMetrics registers the metrics.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "chatt2_hub_requests_total",
			Help: "Calls to the Hub by operation and status code, which is 0 where there was no answer.",
		}, []string{"operation", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "chatt2_hub_request_duration_seconds",
			Help:    "How long calls to the Hub took, by operation.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"operation"}),
		throttled: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "chatt2_hub_throttled_seconds_total",
			Help: "How long API keys were paused because the Hub rate limited them (429).",
		}),
		breaker: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "chatt2_hub_breaker_open",
			Help: "1 while no call but probes is made with an API key, because the Hub refuses it or is down.",
		}, []string{"connection"}),
		refused: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "chatt2_hub_key_refused",
			Help: "1 while the Hub refuses an API key.",
		}, []string{"connection"}),
		rotations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "chatt2_rotations_total",
			Help: "Rotations of signing secrets by trigger (schedule, request, loss, recovery) and result " +
				"(redefined, failed).",
		}, []string{"trigger", "result"}),
		orphaned: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "chatt2_webhooks_orphaned_total",
			Help: "Webhooks that were left behind on the Hub.",
		}),
		drift: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "chatt2_drift_corrected_total",
			Help: "Updates that restored what somebody else had changed on the Hub.",
		}),
	}
	registry.MustRegister(m.requests, m.duration, m.throttled, m.breaker, m.refused, m.rotations, m.orphaned, m.drift)
	return m
}

// Orphaned counts a webhook that is left behind.
func (m *Metrics) Orphaned() { m.orphaned.Inc() }

// DriftCorrected counts an update that restored what was changed on the Hub.
func (m *Metrics) DriftCorrected() { m.drift.Inc() }

// Rotated counts a rotation.
func (m *Metrics) Rotated(trigger, result string) { m.rotations.WithLabelValues(trigger, result).Inc() }

// Requested counts a call to the Hub.
func (m *Metrics) Requested(operation, code string, took time.Duration) {
	m.requests.WithLabelValues(operation, code).Inc()
	m.duration.WithLabelValues(operation).Observe(took.Seconds())
}

// OfConnections counts what happens on connections.
func (m *Metrics) OfConnections() connection.Metrics {
	return connection.Metrics{
		Throttled: func(_ string, pause time.Duration) { m.throttled.Add(pause.Seconds()) },
		Breaker: func(key string, access connection.Access) {
			m.breaker.WithLabelValues(key).Set(one(access != connection.Open))
			m.refused.WithLabelValues(key).Set(one(access == connection.Refused))
		},
		Listed: m.listed.set,
		Closed: func(key string) {
			m.breaker.DeleteLabelValues(key)
			m.refused.DeleteLabelValues(key)
			m.listed.drop(key)
		},
	}
}

// one is how Prometheus writes yes.
func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
