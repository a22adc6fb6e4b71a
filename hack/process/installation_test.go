package process_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/hack/cluster"
)

// The names of what config/default installs.
const (
	installedNamespace = "chatt2-webhook-operator-system"
	installedPrefix    = "chatt2-webhook-operator-"
)

// installation is a ServiceAccount of the operator with the rights that config/rbac gives it, in a namespace of its
// own. Every name in it begins with the name of that namespace, so that tests do not share rights.
type installation struct {
	namespace string
	// objects are the ServiceAccount, the roles and their bindings, as they are applied.
	objects []client.Object
	access  *rest.Config
}

// user is the operator's name to the API server.
func (i *installation) user() string {
	return "system:serviceaccount:" + i.namespace + ":" + i.name("controller-manager")
}

// name is the name under which something of config/rbac is installed.
func (i *installation) name(base string) string { return i.namespace + "-" + base }

// manifests are what config/default installs, in YAML.
var manifests = sync.OnceValues(func() (string, error) {
	// A test is run anew when what it has read itself has changed, and kubectl does not count.
	files, err := filepath.Glob(filepath.Join("..", "..", "config", "*", "*.yaml"))
	for _, file := range files {
		if _, err := os.ReadFile(file); err != nil {
			return "", err
		}
	}
	if err != nil {
		return "", err
	}
	cmd := exec.Command(shared.Binary("kubectl"), "kustomize", filepath.Join("..", "..", "config", "default"))
	out, err := cmd.Output()
	return string(out), err
})

// install applies the operator's own rights; change says what is special about them.
func (w *world) install(change ...func(*installation)) *installation {
	w.Helper()
	text, err := manifests()
	w.must(err)
	i := &installation{namespace: cluster.Namespace(w.T, w.Client)}
	text = strings.ReplaceAll(text, installedNamespace, i.namespace)
	text = strings.ReplaceAll(text, " "+installedPrefix, " "+i.namespace+"-")
	for document := range strings.SplitSeq(text, "\n---\n") {
		object, _, err := codecs.UniversalDeserializer().Decode([]byte(document), nil, nil)
		if err != nil {
			continue // the CRD, which is installed already
		}
		switch object := object.(type) {
		case *corev1.ServiceAccount, *rbacv1.Role, *rbacv1.RoleBinding, *rbacv1.ClusterRole, *rbacv1.ClusterRoleBinding:
			i.objects = append(i.objects, object.(client.Object))
		}
	}
	for _, do := range change {
		do(i)
	}
	for _, object := range i.objects {
		w.must(w.Client.Create(w.Context(), object))
	}
	for _, object := range i.objects {
		w.waitForRights(i, object)
	}
	i.access, err = w.in.ServiceAccount(w.Context(), i.namespace, i.name("controller-manager"))
	w.must(err)
	return i
}

// waitForRights waits until the API server has taken note of a binding, so that no refusal is due to the test.
func (w *world) waitForRights(i *installation, object client.Object) {
	w.Helper()
	var namespace, role string
	switch binding := object.(type) {
	case *rbacv1.RoleBinding:
		namespace, role = binding.Namespace, binding.RoleRef.Name
	case *rbacv1.ClusterRoleBinding:
		role = binding.RoleRef.Name
	default:
		return
	}
	rules := i.rules(namespace, role)
	if len(rules) == 0 {
		w.Fatalf("there is no role %q for its binding", role)
	}
	w.Eventually(func() (bool, error) {
		review := &authorizationv1.SubjectAccessReview{}
		review.Spec.User = i.user()
		review.Spec.ResourceAttributes = &authorizationv1.ResourceAttributes{
			Verb: rules[0].Verbs[0], Group: rules[0].APIGroups[0], Resource: rules[0].Resources[0], Namespace: namespace,
		}
		err := w.Client.Create(w.Context(), review)
		return review.Status.Allowed, err
	}).Should(BeTrue(), "the rights of %s", object.GetName())
}

// rules are those of a role of the installation.
func (i *installation) rules(namespace, role string) []rbacv1.PolicyRule {
	for _, object := range i.objects {
		switch object := object.(type) {
		case *rbacv1.Role:
			if object.Name == role && object.Namespace == namespace {
				return object.Rules
			}
		case *rbacv1.ClusterRole:
			if object.Name == role && namespace == "" {
				return object.Rules
			}
		}
	}
	return nil
}

// kubeconfig writes a kubeconfig of an access.
func (w *world) kubeconfig(access *rest.Config) string {
	w.Helper()
	content, err := cluster.Kubeconfig(access)
	w.must(err)
	file := filepath.Join(w.TempDir(), "kubeconfig")
	w.must(os.WriteFile(file, content, 0o600))
	return file
}

// withoutListingSecrets takes away what --watch-secrets=false does without.
func withoutListingSecrets(i *installation) {
	for _, object := range i.objects {
		role, ok := object.(*rbacv1.ClusterRole)
		if !ok || role.Name != i.name("manager-role") {
			continue
		}
		for n := range role.Rules {
			if rule := &role.Rules[n]; rule.Resources[0] == "secrets" {
				rule.Verbs = without(rule.Verbs, "list", "watch")
			}
		}
	}
}

// onlyIn gives the rights of the operator in some namespaces instead of in all.
func onlyIn(namespaces ...string) func(*installation) {
	return func(i *installation) {
		manager := i.name("manager-role")
		rules := i.rules("", manager)
		var objects []client.Object
		for _, object := range i.objects {
			// Neither the ClusterRole nor any ClusterRoleBinding.
			if _, ok := object.(*rbacv1.ClusterRoleBinding); !ok && object.GetName() != manager {
				objects = append(objects, object)
			}
		}
		for _, namespace := range namespaces {
			meta := metav1.ObjectMeta{Namespace: namespace, Name: manager}
			objects = append(objects, &rbacv1.Role{ObjectMeta: meta, Rules: rules}, &rbacv1.RoleBinding{
				ObjectMeta: meta, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: manager},
				Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: i.namespace, Name: i.name("controller-manager")}},
			})
		}
		i.objects = objects
	}
}
