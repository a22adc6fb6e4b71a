package controller

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

var (
	webhooksDesc = prometheus.NewDesc("chatt2_webhooks",
		"Resources by whether they are ready and whether the Hub has verified their endpoint.",
		[]string{"ready", "verified"}, nil)
	unverifiedDesc = prometheus.NewDesc("chatt2_webhooks_awaiting_verification",
		"Registered webhooks whose endpoint the Hub has not verified, without those that are suspended or being "+
			"deleted.",
		nil, nil)
	deliveryErrorsDesc = prometheus.NewDesc("chatt2_webhook_delivery_errors",
		"Failed deliveries of a webhook as the Hub counts them.", []string{"namespace", "name"}, nil)
	secretAgeDesc = prometheus.NewDesc("chatt2_signing_secret_age_seconds",
		"How long ago the signing secret of a webhook was exchanged.", []string{"namespace", "name"}, nil)
	rotationDueDesc = prometheus.NewDesc("chatt2_signing_secret_rotation_due_seconds",
		"How long until the signing secret of a webhook is due to be exchanged, negative when it is overdue; told "+
			"where status has nextRotationAt.", []string{"namespace", "name"}, nil)
	inventoryAgeDesc = prometheus.NewDesc("chatt2_inventory_age_seconds",
		"How long ago the last whole listing with an API key began.", []string{"connection"}, nil)
)

// collectTime is how long a scrape may wait for the cache.
const collectTime = time.Second

// Collector derives metrics from the resources in the cache and from the age of the inventories when it is asked.
type Collector struct {
	// Client reads from the cache.
	Client client.Reader
	// Now is the clock.
	Now func() time.Time
	// Metrics knows when inventories were listed.
	Metrics *Metrics
}

// Describe names the metrics.
func (c *Collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		webhooksDesc, unverifiedDesc, deliveryErrorsDesc, secretAgeDesc, rotationDueDesc, inventoryAgeDesc,
	} {
		out <- d
	}
}

// Collect derives the metrics.
func (c *Collector) Collect(out chan<- prometheus.Metric) {
	now := c.Now()
	c.Metrics.listed.each(func(key string, at time.Time) {
		out <- prometheus.MustNewConstMetric(inventoryAgeDesc, prometheus.GaugeValue, now.Sub(at).Seconds(), key)
	})
	// A cache that is not filled yet answers when it is. Whoever asks for metrics does not wait for that.
	ctx, cancel := context.WithTimeout(context.Background(), collectTime)
	defer cancel()
	var all v1alpha1.Chatt2WebhookList
	// The objects are only read, and so need not be copied.
	if err := c.Client.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		out <- prometheus.NewInvalidMetric(webhooksDesc, fmt.Errorf("list the resources in the cache: %w", err))
		return
	}
	counts := map[[2]bool]int{{false, false}: 0, {false, true}: 0, {true, false}: 0, {true, true}: 0}
	unverified := 0
	for i := range all.Items {
		w := &all.Items[i]
		if w.DeletionTimestamp != nil && !hasFinalizer(w, v1alpha1.WebhookFinalizer) {
			continue // its webhook is gone or left behind, and only another finalizer keeps the resource
		}
		counts[[2]bool{w.IsReady(), w.Status.IsVerified}]++
		out <- prometheus.MustNewConstMetric(deliveryErrorsDesc, prometheus.GaugeValue,
			float64(w.Status.NumberOfErrors), w.Namespace, w.Name)
		if s := w.Status.SigningSecret; s != nil && s.RotatedAt != nil {
			out <- prometheus.MustNewConstMetric(secretAgeDesc, prometheus.GaugeValue,
				now.Sub(s.RotatedAt.Time).Seconds(), w.Namespace, w.Name)
		}
		if w.Spec.Suspend || w.DeletionTimestamp != nil {
			continue // nothing is done about them
		}
		if w.Status.WebhookID != "" && !w.Status.IsVerified {
			unverified++
		}
		if s := w.Status.SigningSecret; s != nil && s.NextRotationAt != nil {
			out <- prometheus.MustNewConstMetric(rotationDueDesc, prometheus.GaugeValue,
				s.NextRotationAt.Sub(now).Seconds(), w.Namespace, w.Name)
		}
	}
	out <- prometheus.MustNewConstMetric(unverifiedDesc, prometheus.GaugeValue, float64(unverified))
	for is, n := range counts {
		out <- prometheus.MustNewConstMetric(webhooksDesc, prometheus.GaugeValue, float64(n),
			strconv.FormatBool(is[0]), strconv.FormatBool(is[1]))
	}
}

// times are the times of something by key.
type times struct {
	mu sync.Mutex
	at map[string]time.Time
}

func (t *times) set(key string, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.at == nil {
		t.at = map[string]time.Time{}
	}
	t.at[key] = at
}

func (t *times) drop(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.at, key)
}

func (t *times) each(do func(string, time.Time)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, at := range t.at {
		do(key, at)
	}
}
