package process_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/hack/cluster"
)

// inOneNamespace starts an operator whose rights are Roles in a namespace, with two webhooks there.
func inOneNamespace(t *testing.T) (w *world, i *installation, namespace string) {
	t.Helper()
	w = newShard(t)
	namespace = cluster.Namespace(t, w.Client)
	i = w.install(onlyIn(namespace))
	w.start(i, "--namespaces="+namespace, "--metrics-secure=false")
	key := w.canary()
	w.hub.AddApplication("application", key)
	w.secret(namespace, "api-key", "apiKey", key)
	w.ready(w.webhook("signed", inNamespace(namespace), signed))
	w.ready(w.webhook("plain", inNamespace(namespace)))
	return w, i, namespace
}

func TestANamespaceThatHoldsTheRightsGoesAfterItsWebhooks(t *testing.T) {
	w, _, namespace := inOneNamespace(t)
	w.refused = true // in the end
	folder, config := w.TempDir(), w.kubeconfig(shared.Config)
	w.shell(folder, config, "kubectl delete c2w --all -n "+namespace)
	w.Expect(w.hub.Webhooks("application")).To(BeEmpty())
	w.shell(folder, config, "kubectl delete namespace "+namespace)
	w.gone(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
}

// recovery are the commands of README.md that free a namespace.
var recovery = regexp.MustCompile(`(?s)\n(    kubectl create clusterrole chatt2-recovery.*?)\n\n`)

func TestANamespaceThatTookTheRightsAlongIsFreedAsTheReadmeSays(t *testing.T) {
	w, i, namespace := inOneNamespace(t)
	w.refused = true
	page, err := os.ReadFile(readme)
	w.must(err)
	found := recovery.FindSubmatch(page)
	w.Expect(found).NotTo(BeNil(), "the commands in README.md")
	// The rights go first.
	w.must(w.DeleteAllOf(w.Context(), &rbacv1.RoleBinding{}, client.InNamespace(namespace)))
	gone := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	w.must(w.Delete(w.Context(), gone))
	// Whichever of the resources and the API key the namespace controller deletes first: its order is not fixed.
	w.wasRefused(i, "get secrets")
	name := i.namespace + "-recovery"
	commands := strings.NewReplacer("chatt2-recovery", name, "team-a", namespace,
		"NAMESPACE:NAME", i.namespace+":"+i.name("controller-manager")).Replace(string(found[1]))
	said := w.shell(w.TempDir(), w.kubeconfig(shared.Config), "set -ex\n"+commands)
	w.gone(gone)
	w.Expect(w.hub.Webhooks("application")).To(BeEmpty(), said)
	w.Expect(said).To(ContainSubstring(`clusterrole.rbac.authorization.k8s.io "` + name + `" deleted`))
}
