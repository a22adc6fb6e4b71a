package monitoring_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/cluster"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// TestPrometheusSeesWhatGoesWrong lets a real Prometheus scrape two replicas of the operator while one thing after the
// other goes wrong, until every alert has fired. On the way it asks what every panel of the dashboard asks, and
// compares the metrics with the page about them. In short, no key is refused or throttled, and nobody meddles.
func TestPrometheusSeesWhatGoesWrong(t *testing.T) {
	log.SetLogger(logr.Discard())
	c, err := cluster.Start(t.Context(), cluster.Options{})
	must(t, err)
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	s := newStage(t, c)
	binary := buildOperator(t)
	first, stopFirst := s.startOperator(binary, c)
	second, stopSecond := s.startOperator(binary, c)
	p := startPrometheus(t, s.scraper(c), map[string]string{"operator-0": first, "operator-1": second})
	// What happens before the first scrape is no change to Prometheus.
	eventually(t, "both replicas are scraped", func() bool { return len(p.query("chatt2_webhooks_orphaned_total")) == 2 })
	began := time.Now()

	fine := s.populate()
	for _, one := range alerts(t).Groups[0].Rules {
		if name := one.Alert; name != "Chatt2RotationOverdue" && name != "Chatt2WebhookUnverified" {
			p.quiet(name)
		}
	}
	s.letPeopleGoWrong(p, fine)
	s.letTheHubGoWrong(p)

	t.Run("every panel shows something", func(t *testing.T) { panelsShowSomething(t, p) })
	t.Run("the page about metrics is right", func(t *testing.T) { metricsAreAsDocumented(t, p) })
	if *update {
		draw(t, p, began, time.Now())
	}
	stopFirst()
	stopSecond()
	p.fires("Chatt2OperatorDown")
}

// populate declares webhooks. Those that it returns are ready, and not signed.
func (s *stage) populate() []*v1alpha1.Chatt2Webhook {
	s.Helper()
	var fine []*v1alpha1.Chatt2Webhook
	for i := range 8 {
		fine = append(fine, s.webhook(shop, "messages-"+strconv.Itoa(i)))
	}
	s.ready(fine...)
	s.ready(s.webhook(shop, "orders", signed, rotated), s.webhook(shop, "failing"), s.webhook(partner, "partner"))
	return fine
}

// letTheHubGoWrong comes last, as the operator then takes its time. The key that is refused is tried again after a
// minute, and told of then.
func (s *stage) letTheHubGoWrong(p *monitor) {
	s.Helper()
	s.fault(simulator.Fault{Kind: simulator.ErrorBeforeCommit, Status: http.StatusServiceUnavailable})
	p.fires("Chatt2HubDown")
	s.hub.ClearFaults()
	if testing.Short() {
		return
	}
	p.quiet("Chatt2HubDown")

	must(s.T, s.hub.RevokeKey(partner, ""))
	s.fault(simulator.Fault{
		Kind: simulator.TooManyRequests, RetryAfter: "1", Match: simulator.Match{Application: shop},
	})
	p.fires("Chatt2Throttled")
	s.hub.ClearFaults()
	p.fires("Chatt2APIKeyRefused")
}

// letPeopleGoWrong is about endpoints, signing secrets, and what people do to webhooks.
func (s *stage) letPeopleGoWrong(p *monitor, fine []*v1alpha1.Chatt2Webhook) {
	s.Helper()
	s.webhook(shop, "unverified")
	invoices := s.webhook(shop, "invoices", signed)
	s.ready(invoices)
	s.fault(simulator.Fault{
		Kind: simulator.ErrorBeforeCommit, Times: 1, Match: simulator.Match{Operation: "redefineSignature"},
	})
	s.annotate(invoices, v1alpha1.AnnotationRotateRequestedAt, "now")

	orphan := s.webhook(shop, "orphan")
	s.ready(orphan)
	s.annotate(orphan, v1alpha1.AnnotationForceOrphan, s.now(orphan).Status.WebhookID)
	must(s.T, s.Delete(s.Context(), orphan))
	p.fires("Chatt2WebhookOrphaned")

	for range 20 {
		_, err := s.hub.SendEvent(shop, []byte(`{"eventType":"Message","messageId":"1"}`))
		must(s.T, err)
	}
	fire := []string{"Chatt2DeliveryErrors", "Chatt2WebhookUnverified", "Chatt2RotationOverdue"}
	if !testing.Short() {
		s.meddle(fine...)
		fire = append(fire, "Chatt2DriftFight")
	}
	for _, alert := range fire {
		p.fires(alert)
	}
	eventually(s.T, "a rotation failed and one was made", func() bool {
		return len(p.query(`sum by (result) (chatt2_rotations_total{trigger="request"})`)) == 2
	})
}

func (s *stage) fault(f simulator.Fault) {
	s.Helper()
	must(s.T, s.hub.AddFault(f))
}

// panelsShowSomething asks what Grafana asks.
func panelsShowSomething(t *testing.T, p *monitor) {
	t.Helper()
	for _, panel := range readDashboard(t).Panels {
		for _, target := range panel.Targets {
			if expression := asGrafana.Replace(target.Expr); len(p.query(expression)) == 0 {
				t.Errorf("%s: nothing is found by %s", panel.Title, expression)
			}
		}
	}
	for _, v := range readDashboard(t).Templating.List {
		if v.Type == "query" {
			var values []string
			p.get(&values, "label/"+v.Name+"/values", nil)
			if len(values) == 0 {
				t.Errorf("there is nothing to choose for %s", v.Name)
			}
		}
	}
}
