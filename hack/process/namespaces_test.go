package process_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/chatt2me/webhook-operator/hack/cluster"
)

// readiness is what /readyz answers, at once.
func (w *world) readiness(o *operator) (int, string) {
	w.Helper()
	hasty := &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	var code int
	var text string
	w.Eventually(func() error {
		answer, err := hasty.Get("http://" + o.probes + "/readyz")
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		code, text = answer.StatusCode, string(body)
		return err
	}).Should(Succeed())
	return code, text
}

// grant gives an installation the rights in another namespace that it has in the first.
func (w *world) grant(i *installation, first, other string) {
	w.Helper()
	meta := metav1.ObjectMeta{Namespace: other, Name: i.name("manager-role")}
	w.must(w.Client.Create(w.Context(), &rbacv1.Role{ObjectMeta: meta, Rules: i.rules(first, meta.Name)}))
	w.must(w.Client.Create(w.Context(), &rbacv1.RoleBinding{
		ObjectMeta: meta, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: meta.Name},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: i.namespace, Name: i.name("controller-manager")}},
	}))
}

func TestANamespaceThatMayNotBeListedIsNamedAndTheOthersAreServed(t *testing.T) {
	w := newShard(t)
	w.refused = true
	second := cluster.Namespace(t, w.Client)
	i := w.install(onlyIn(w.namespace))
	namespaces := "--namespaces=" + w.namespace + "," + second
	o := w.launch(i, namespaces, "--metrics-bind-address=0")

	w.holdsLiveSecret(w.ready(w.webhook("orders", signed)))
	key := w.canary()
	w.hub.AddApplication("second", key)
	w.secret(second, "api-key", "apiKey", key)
	beside := w.webhook("beside", inNamespace(second))
	code, text := w.readiness(o)
	w.Expect(code).To(Equal(http.StatusInternalServerError))
	for _, text := range []string{text, o.log.all()} {
		w.Expect(text).To(ContainSubstring("namespaces that are not served: " + second))
		w.Expect(text).To(MatchRegexp(`cannot list resource .*chatt2webhooks.* in the namespace .*` + second))
	}
	w.Expect(strings.Count(o.log.all(), "Not every namespace is served")).To(Equal(1))
	status, err := w.status("http://" + o.probes + "/healthz")
	w.Expect(status, err).To(Equal(http.StatusOK))

	w.grant(i, w.namespace, second)
	w.Eventually(o.ended).Should(BeClosed(), "it does not start again to serve the namespace: %s", o.log)
	w.Expect(o.log.all()).To(ContainSubstring("the namespace " + second + " may be listed now"))
	w.start(i, namespaces, "--metrics-bind-address=0")
	w.ready(beside)
}

func TestAnOperatorWithoutRightsSaysSoAtOnce(t *testing.T) {
	w := newShard(t)
	w.refused = true
	elsewhere := cluster.Namespace(t, w.Client)
	o := w.launch(w.install(onlyIn(w.namespace)), "--namespaces="+elsewhere)
	w.Eventually(func() string {
		code, text := w.readiness(o)
		w.Expect(code).To(Equal(http.StatusInternalServerError))
		return text
	}).Should(MatchRegexp(`caches failed: .* cannot list resource .* in the namespace .*` + elsewhere))
	code, _ := o.terminate(patience)
	w.Expect(code).To(BeZero())
}
