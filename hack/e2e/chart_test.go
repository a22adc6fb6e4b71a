package e2e

import (
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	release = "chatt2-webhook-operator"
	crdName = "chatt2webhooks.hub.chatt2.me"
	// previous is the version that the chart is packed under to be upgraded from.
	previous = "0.0.1"
)

func TestTheChartIsInstalledUpgradedAndUninstalled(t *testing.T) {
	s := newStage(t, "chatt2-e2e")
	s.operator, s.simulator, s.receiver = release, release+"-simulator", release+"-receiver"
	chart := filepath.Join(s.root, "charts", release)
	s.helm("package", chart, "--version", previous, "--destination", s.folder)
	s.makeNamespace()
	repository, tag := s.imageParts()
	s.helm("install", release, filepath.Join(s.folder, release+"-"+previous+".tgz"),
		"--wait", "--timeout", patience.String(), "--set", "simulator.enabled=true,replicas=2",
		"--set", "image.repository="+repository, "--set-string", "image.tag="+tag)
	s.step("installed")
	s.Expect(s.pods(s.WithT, s.operator)).To(HaveLen(2))

	h := s.reachHub()
	s.apply(s.kubectl("get", "configmap", release+"-sample", "--output", `jsonpath={.data.sample\.yaml}`))
	h.tell()

	before := s.state()
	s.helm("upgrade", release, chart, "--wait", "--timeout", patience.String(), "--reuse-values",
		"--set", "hub.pollInterval=5s")
	s.Eventually(func(g Gomega) {
		for _, pod := range s.pods(g, s.operator) {
			g.Expect(pod.Spec.Containers[0].Args).To(ContainElement("--hub-poll-interval=5s"))
		}
		g.Expect(s.webhook(g).IsReady()).To(BeTrue())
	}).Should(Succeed())
	s.Expect(s.kubectl("get", "crd", crdName, "--output", `jsonpath={.metadata.labels.helm\.sh/chart}`)).
		NotTo(HaveSuffix(previous), "the CRD is upgraded, too")
	h.accepted()
	s.Expect(s.state()).To(Equal(before), "an upgrade registers and rotates nothing")
	s.step("upgraded")

	h.removed()
	s.helm("uninstall", release, "--wait", "--timeout", patience.String())
	s.Eventually(func(g Gomega) { g.Expect(s.left(g)).To(BeEmpty()) }).Should(Succeed())
	s.kubectl("get", "crd", crdName)
	s.step("uninstalled")
	s.kubectl("delete", "crd", crdName)
}

// makeNamespace makes the namespace, which enforces the restricted Pod Security Standard, until the test ends.
func (s *stage) makeNamespace() {
	s.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: s.namespace, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}
	s.Expect(s.Create(s.Context(), namespace)).To(Succeed())
	s.Cleanup(func() { s.Expect(s.Delete(s.afterwards(), namespace)).To(Succeed()) })
	s.Cleanup(func() {
		s.tryIfFailed("kubectl", "delete", "c2w", "--all", "--timeout", "1m")
		s.tryIfFailed("helm", "uninstall", release, "--ignore-not-found", "--wait", "--timeout", "1m")
		s.tryIfFailed("kubectl", "delete", "crd", crdName, "--ignore-not-found", "--timeout", "1m")
	})
	// Told before the namespace goes.
	s.Cleanup(s.tellWhy)
	s.Eventually(func() error {
		return s.Get(s.Context(), s.key("default"), &corev1.ServiceAccount{})
	}).Should(Succeed())
}

// left is what is still there of a release, by kind and name.
func (s *stage) left(g Gomega) []string {
	var left []string
	own := client.MatchingLabels{"app.kubernetes.io/instance": release}
	for kind, list := range map[string]client.ObjectList{
		"Deployment": &appsv1.DeploymentList{}, "Pod": &corev1.PodList{}, "Service": &corev1.ServiceList{},
		"Secret": &corev1.SecretList{}, "ConfigMap": &corev1.ConfigMapList{},
		"ServiceAccount": &corev1.ServiceAccountList{}, "Role": &rbacv1.RoleList{},
		"ClusterRole": &rbacv1.ClusterRoleList{}, "ClusterRoleBinding": &rbacv1.ClusterRoleBindingList{},
	} {
		g.Expect(s.List(s.Context(), list, own)).To(Succeed())
		g.Expect(meta.EachListItem(list, func(object runtime.Object) error {
			accessor, err := meta.Accessor(object)
			if err == nil {
				left = append(left, kind+" "+accessor.GetName())
			}
			return err
		})).To(Succeed())
	}
	return left
}
