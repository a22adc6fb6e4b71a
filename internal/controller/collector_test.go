package controller

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/connection"
)

// cached is a cache that holds these webhooks.
type cached struct {
	client.Reader
	webhooks []v1alpha1.Chatt2Webhook
}

// List lists them.
func (c cached) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	list.(*v1alpha1.Chatt2WebhookList).Items = c.webhooks
	return nil
}

var epoch = time.Date(2026, 2, 9, 12, 0, 0, 0, time.UTC)

// named is a webhook that is registered and signed, and is due for rotation in an hour.
func named(name string, change ...func(*v1alpha1.Chatt2Webhook)) v1alpha1.Chatt2Webhook {
	w := v1alpha1.Chatt2Webhook{ObjectMeta: metav1.ObjectMeta{Namespace: "chat", Name: name}}
	w.Status.WebhookID = name
	w.Status.SigningSecret = &v1alpha1.SigningSecretStatus{NextRotationAt: &metav1.Time{Time: epoch.Add(time.Hour)}}
	for _, do := range change {
		do(&w)
	}
	return w
}

func suspended(w *v1alpha1.Chatt2Webhook) { w.Spec.Suspend = true }

func TestWhatIsSuspendedOrNeverWasRegisteredAwaitsNothing(t *testing.T) {
	overdue := func(w *v1alpha1.Chatt2Webhook) { w.Status.SigningSecret.NextRotationAt.Time = epoch.Add(-time.Hour) }
	all := cached{webhooks: []v1alpha1.Chatt2Webhook{
		named("unverified"),
		named("verified", overdue, func(w *v1alpha1.Chatt2Webhook) { w.Status.IsVerified = true }),
		named("suspended", suspended),
		named("not-registered", func(w *v1alpha1.Chatt2Webhook) { w.Status = v1alpha1.Chatt2WebhookStatus{} }),
		named("on-request-only", func(w *v1alpha1.Chatt2Webhook) { w.Status.SigningSecret.NextRotationAt = nil }),
		named("going", func(w *v1alpha1.Chatt2Webhook) { w.DeletionTimestamp = &metav1.Time{Time: epoch} }),
	}}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(&Collector{
		Client: all, Now: func() time.Time { return epoch }, Metrics: NewMetrics(prometheus.NewRegistry()),
	})
	told(t, registry, "chatt2_signing_secret_rotation_due_seconds", map[string]float64{
		"unverified": 3600, "verified": -3600,
	})
	told(t, registry, "chatt2_webhooks_awaiting_verification", map[string]float64{"": 2})
}

func TestAResourceThatOnlyAnotherFinalizerKeepsIsNotCounted(t *testing.T) {
	ready := func(w *v1alpha1.Chatt2Webhook) {
		w.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue}}
	}
	going := func(finalizer string) func(*v1alpha1.Chatt2Webhook) {
		return func(w *v1alpha1.Chatt2Webhook) {
			w.DeletionTimestamp, w.Finalizers = &metav1.Time{Time: epoch}, []string{finalizer}
		}
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(&Collector{
		Client: cached{webhooks: []v1alpha1.Chatt2Webhook{
			named("living", ready), named("released", ready, going("example.com/x")),
			named("held", going(v1alpha1.WebhookFinalizer)),
		}},
		Now: func() time.Time { return epoch }, Metrics: NewMetrics(prometheus.NewRegistry()),
	})
	told(t, registry, "chatt2_webhook_delivery_errors", map[string]float64{"living": 0, "held": 0})
}

// unfilled is a cache that is not filled, and answers when whoever asks gives up.
type unfilled struct{ client.Reader }

// List waits.
func (unfilled) List(ctx context.Context, _ client.ObjectList, _ ...client.ListOption) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestAScrapeDoesNotWaitForACacheThatIsNotFilled(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(&Collector{
		Client: unfilled{}, Now: func() time.Time { return epoch }, Metrics: NewMetrics(prometheus.NewRegistry()),
	})
	if _, err := registry.Gather(); err == nil || !strings.Contains(err.Error(), "in the cache") {
		t.Errorf("the scrape says %v, want the reason", err)
	}
}

func TestWhyTheBreakerIsOpenIsTold(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	of := NewMetrics(registry).OfConnections()
	for key, access := range map[string]connection.Access{
		"fine": connection.Open, "refused": connection.Refused, "down": connection.Down, "closed": connection.Refused,
	} {
		of.Breaker(key, access)
	}
	of.Closed("closed")
	told(t, registry, "chatt2_hub_breaker_open", map[string]float64{"fine": 0, "refused": 1, "down": 1})
	told(t, registry, "chatt2_hub_key_refused", map[string]float64{"fine": 0, "refused": 1, "down": 0})
}

// told compares the values of a metric by their first label.
func told(t *testing.T, registry *prometheus.Registry, name string, want map[string]float64) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if family.GetName() == name {
				got[first(metric.GetLabel())] = metric.GetGauge().GetValue()
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func first(labels []*dto.LabelPair) string {
	if len(labels) == 0 {
		return ""
	}
	return labels[0].GetValue()
}
