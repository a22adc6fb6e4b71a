package process_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/cluster"
)

// orders are the orders in which what is in a namespace may be asked to go before the namespace is.
var orders = map[string]func(w *world, namespace string){
	"the namespace":             func(*world, string) {},
	"the API key":               func(w *world, namespace string) { w.deleteSecret(namespace, "api-key") },
	"the signing Secret":        func(w *world, namespace string) { w.deleteSecret(namespace, "signed-signing") },
	"the resources":             func(w *world, namespace string) { w.deleteWebhooks(namespace) },
	"the API key and resources": func(w *world, namespace string) { w.deleteSecret(namespace, "api-key"); w.deleteWebhooks(namespace) },
	"the resources and API key": func(w *world, namespace string) { w.deleteWebhooks(namespace); w.deleteSecret(namespace, "api-key") },
	"all Secrets": func(w *world, namespace string) {
		w.must(w.DeleteAllOf(w.Context(), &corev1.Secret{}, client.InNamespace(namespace)))
	},
}

func (w *world) deleteSecret(namespace, name string) {
	w.Helper()
	w.must(w.Delete(w.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}))
}

func (w *world) deleteWebhooks(namespace string) {
	w.Helper()
	w.must(w.DeleteAllOf(w.Context(), &v1alpha1.Chatt2Webhook{}, client.InNamespace(namespace)))
}

// settle makes a namespace with an API key of its own, a webhook that is signed and one that is not.
func (w *world) settle(application string) (namespace string, all []*v1alpha1.Chatt2Webhook) {
	w.Helper()
	namespace = cluster.Namespace(w.T, w.Client)
	key := w.canary()
	w.hub.AddApplication(application, key)
	w.secret(namespace, "api-key", "apiKey", key)
	return namespace, []*v1alpha1.Chatt2Webhook{
		w.webhook("signed", inNamespace(namespace), signed), w.webhook("plain", inNamespace(namespace)),
	}
}

func TestANamespaceGoesWhateverInItGoesFirst(t *testing.T) {
	for name, duringOutage := range map[string]bool{"while the operator runs": false, "while no operator runs": true} {
		t.Run(name, func(t *testing.T) {
			w := newShard(t)
			// A namespace that is going refuses what is made in it.
			w.refused = true
			i := w.install()
			o := w.start(i)
			namespaces := map[string]string{}
			for order := range orders {
				namespace, all := w.settle(order)
				namespaces[order] = namespace
				for _, c := range all {
					w.ready(c)
				}
			}
			if duringOutage {
				o.kill()
			}
			for order, namespace := range namespaces {
				orders[order](w, namespace)
				w.must(w.Delete(w.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}))
			}
			if duringOutage {
				w.start(i)
			}
			for order, namespace := range namespaces {
				w.Logf("first %s", order)
				w.gone(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
				w.Expect(w.hub.Webhooks(order)).To(BeEmpty(), "left behind where %s went first", order)
				// The API server refuses events in a namespace that is going, which is no error.
				w.Expect(o.log.all()).NotTo(MatchRegexp(`"level":"error".*Server rejected event`))
			}
		})
	}
}

// TestADeletionThatAKilledProcessBeganIsEndedByTheNext kills the operator while it deletes.
func TestADeletionThatAKilledProcessBeganIsEndedByTheNext(t *testing.T) {
	w := newShard(t)
	i := w.install()
	for n := range 2 {
		o := w.start(i)
		namespace, all := w.settle("application")
		for _, c := range all {
			w.ready(c)
		}
		before := w.hub.Count("deleteWebhook")
		w.refused = true
		w.must(w.Delete(w.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}))
		w.Eventually(func() int { return w.hub.Count("deleteWebhook") }).WithPolling(time.Millisecond).Should(
			BeNumerically(">", before))
		<-time.After(time.Duration(n) * 10 * time.Millisecond)
		o.kill()
		last := w.start(i)
		w.gone(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
		w.Expect(w.hub.Webhooks("application")).To(BeEmpty())
		last.kill()
	}
}
