package process_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// metricsOf asks an operator for its metrics; without a token nobody in particular asks.
func (w *world) metricsOf(o *operator, token string) (code int, text string) {
	w.Helper()
	// The operator makes its own certificate.
	insecure := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true, ForceAttemptHTTP2: true,
	}}
	request, err := http.NewRequestWithContext(w.Context(), http.MethodGet, "https://"+o.metrics+"/metrics", nil)
	w.must(err)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	// An operator that is ready may not serve metrics yet.
	w.Eventually(func() error {
		answer, err := insecure.Do(request)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		w.Expect(answer.ProtoMajor).To(Equal(1), "metrics are served by HTTP/2")
		body, err := io.ReadAll(answer.Body)
		code, text = answer.StatusCode, string(body)
		return err
	}).Should(Succeed())
	return code, text
}

// scraper makes a ServiceAccount and gives its token.
func (w *world) scraper(name string) string {
	w.Helper()
	w.must(w.Client.Create(w.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}}))
	access, err := w.in.ServiceAccount(w.Context(), w.namespace, name)
	w.must(err)
	w.canaries = append(w.canaries, access.BearerToken[len(access.BearerToken)-64:])
	return access.BearerToken
}

// mayScrape binds a ServiceAccount to the role of config/rbac for those who scrape.
func (w *world) mayScrape(o *installation, name string) {
	w.Helper()
	w.must(w.Client.Create(w.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: o.name(name)},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: o.name("metrics-reader")},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: w.namespace, Name: name}},
	}))
	w.Eventually(func() (bool, error) {
		review := &authorizationv1.SubjectAccessReview{}
		review.Spec.User = "system:serviceaccount:" + w.namespace + ":" + name
		review.Spec.NonResourceAttributes = &authorizationv1.NonResourceAttributes{Verb: "get", Path: "/metrics"}
		err := w.Client.Create(w.Context(), review)
		return review.Status.Allowed, err
	}).Should(BeTrue())
}

func TestTheOperatorTellsOfItselfToThoseWhoMayKnow(t *testing.T) {
	w := newShard(t)
	i := w.install()
	o := w.start(i)
	for _, path := range []string{"/healthz", "/readyz"} {
		w.Expect(w.status("http://"+o.probes+path)).To(Equal(http.StatusOK), "%s: %s", path, o.log)
	}
	nobody, scraper := w.scraper("nobody"), w.scraper("scraper")
	w.mayScrape(i, "scraper")

	code, text := w.metricsOf(o, "")
	w.Expect(code).To(Or(Equal(http.StatusUnauthorized), Equal(http.StatusForbidden)), "asked anonymously")
	w.Expect(text).NotTo(ContainSubstring("chatt2_"))
	code, _ = w.metricsOf(o, nobody)
	w.Expect(code).To(Equal(http.StatusForbidden), "asked without the role")

	w.keepBusy()
	code, text = w.metricsOf(o, scraper)
	w.Expect(code).To(Equal(http.StatusOK), "asked with the role")
	w.hasAllMetrics(text)
	w.findNoCanary(text)
}

// keepBusy makes the operator do all that it counts.
func (w *world) keepBusy() {
	w.Helper()
	c := w.webhook("orders", signed)
	w.ready(c)
	w.rotate(c, "once")
	w.must(w.hub.AddFault(simulator.Fault{
		Kind: simulator.TooManyRequests, Match: simulator.Match{Operation: "listWebhooks"}, Times: 1, RetryAfter: "1",
	}))
	w.Eventually(w.hub.Faults).Should(BeEmpty())
	w.secret(w.namespace, "wrong-key", "apiKey", w.canary())
	refused := w.webhook("refused", func(c *v1alpha1.Chatt2Webhook) { c.Spec.APIKeySecretRef.Name = "wrong-key" })
	w.Eventually(func() string { return readyReason(w.get(refused)) }).Should(Equal(v1alpha1.ReasonAPIKeyRefused))
}

// hasAllMetrics asserts that what dashboards rely on is there.
func (w *world) hasAllMetrics(text string) {
	w.Helper()
	own := `namespace="` + w.namespace + `"`
	for _, line := range []string{
		`(?m)^chatt2_hub_requests_total\{code="201",operation="createWebhook"\} 1$`,
		`(?m)^chatt2_hub_requests_total\{code="401",operation="listWebhooks"\} [1-9]`,
		`(?m)^chatt2_hub_request_duration_seconds_bucket\{operation="redefineSignature",le="\+Inf"\} 1$`,
		`(?m)^chatt2_hub_throttled_seconds_total [0-9.e-]*[1-9]`,
		`(?m)^chatt2_hub_breaker_open(\{[^}]*\})? 1$`,
		`(?m)^chatt2_webhooks\{ready="true",verified="true"\} 1$`,
		`(?m)^chatt2_webhooks\{ready="false",verified="false"\} 1$`,
		`(?m)^chatt2_webhook_delivery_errors\{name="orders",` + own + `\} 0$`,
		`(?m)^chatt2_signing_secret_age_seconds\{name="orders",` + own + `\} [0-9]`,
		`(?m)^chatt2_rotations_total\{result="[a-z]+",trigger="request"\} 1$`,
		`(?m)^chatt2_webhooks_orphaned_total 0$`,
		`(?m)^chatt2_inventory_age_seconds(\{[^}]*\})? [0-9]`,
		`(?m)^controller_runtime_reconcile_total\{`,
	} {
		w.Expect(text).To(MatchRegexp(line))
	}
}

// scrape gives the metrics of an operator, read with all rights that it takes.
func (w *world) scrape(i *installation, o *operator) string {
	w.Helper()
	token := w.scraper("scraper")
	w.mayScrape(i, "scraper")
	code, text := w.metricsOf(o, token)
	w.Expect(code).To(Equal(http.StatusOK))
	return text
}
