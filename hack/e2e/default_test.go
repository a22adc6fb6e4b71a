package e2e

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// overlay is what a user makes of config/default to try it without an account on the Hub, with two replicas.
const overlay = `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../../config/default]
components: [../../config/components/simulator]
replicas:
- {name: chatt2-webhook-operator-controller-manager, count: 2}
images:
- {name: chatt2-webhook-operator, newName: %q, newTag: %q}
`

func TestConfigDefaultIsInstalledAndRemoved(t *testing.T) {
	s := newStage(t, "chatt2-webhook-operator-system")
	s.operator, s.simulator, s.receiver = "chatt2-webhook-operator-controller-manager", "simulator", "receiver"
	manifests := s.withoutCertManager(s.kustomize())
	t.Cleanup(func() { s.removeAll(manifests) })
	t.Cleanup(func() { s.tryIfFailed("kubectl", "delete", "c2w", "--all", "--timeout", "1m") })
	t.Cleanup(s.tellWhy)
	s.apply(manifests, "--server-side")
	for _, name := range []string{s.simulator, s.receiver} {
		s.issue(name)
	}
	for _, name := range []string{s.simulator, s.receiver, s.operator} {
		s.kubectl("rollout", "status", "deployment/"+name, "--timeout", patience.String())
	}
	s.step("installed")
	s.Expect(s.pods(s.WithT, s.operator)).To(HaveLen(2))

	h := s.reachHub()
	s.kubectl("apply", "--filename", filepath.Join(s.root, "config", "components", "simulator", "sample.yaml"))
	h.tell()

	h.removed()
	s.removeAll(manifests)
	roles := &rbacv1.ClusterRoleList{}
	s.Expect(s.List(s.Context(), roles)).To(Succeed())
	for _, role := range roles.Items {
		s.Expect(role.Name).NotTo(HavePrefix(release))
	}
	s.step("removed")
}

// kustomize builds config/default with the Hub in memory and the image of the tests.
func (s *stage) kustomize() string {
	s.Helper()
	repository, tag := s.imageParts()
	content := fmt.Sprintf(overlay, repository, tag)
	s.Expect(os.WriteFile(filepath.Join(s.folder, "kustomization.yaml"), []byte(content), 0o600)).To(Succeed())
	return s.must(nil, "kustomize", "build", s.folder)
}

// withoutCertManager takes out what cert-manager would make certificates of: a test does that in its place, by issue.
func (s *stage) withoutCertManager(manifests string) string {
	s.Helper()
	var kept strings.Builder
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(manifests), 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			return kept.String()
		}
		s.Expect(err).NotTo(HaveOccurred())
		if object.GroupVersionKind().Group == "cert-manager.io" {
			continue
		}
		content, err := object.MarshalJSON()
		s.Expect(err).NotTo(HaveOccurred())
		fmt.Fprintf(&kept, "---\n%s", content)
	}
}

// issue makes the Secret that cert-manager would make for a server.
func (s *stage) issue(name string) {
	s.Helper()
	authority, certificate, key := s.certificate(name + "." + s.namespace + ".svc")
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: name + "-tls"}, Type: corev1.SecretTypeTLS,
		Data: map[string][]byte{"ca.crt": authority, corev1.TLSCertKey: certificate, corev1.TLSPrivateKeyKey: key},
	}
	s.Expect(s.Create(s.Context(), secret)).To(Succeed())
}

// removeAll removes what manifests hold, and waits until the namespace is gone.
func (s *stage) removeAll(manifests string) {
	s.Helper()
	_, err := s.run(s.afterwards(), strings.NewReader(manifests), "kubectl", "delete", "--ignore-not-found",
		"--filename", "-", "--timeout", patience.String())
	s.Expect(err).NotTo(HaveOccurred())
	err = s.Get(s.afterwards(), s.key(s.namespace), &corev1.Namespace{})
	s.Expect(apierrors.IsNotFound(err)).To(BeTrue(), "%v", err)
}
