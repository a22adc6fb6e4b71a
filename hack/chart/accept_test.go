package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// eachName tells the names of a list.
func eachName(list client.ObjectList, tell func(string)) error {
	return meta.EachListItem(list, func(item runtime.Object) error {
		accessor, err := meta.Accessor(item)
		if err == nil {
			tell(accessor.GetName())
		}
		return err
	})
}

// TestEverySetOfValuesIsAccepted by a real API server, Pods by the restricted Pod Security Standard.
func TestEverySetOfValuesIsAccepted(t *testing.T) {
	needTools(t)
	for _, values := range ciValues(t) {
		t.Run(filepath.Base(values), func(t *testing.T) {
			s := newSite(t, "helm")
			s.stubs("monitoring.coreos.com", "ServiceMonitor", "PrometheusRule")
			s.restricted()
			args := []string{"install", release, chartFolder(), "--values", values}
			if strings.Contains(values, "namespaced") {
				args = append(args, "--set", "namespaces={"+s.namespace+"}")
			}

			s.helm(args...)

			s.podsAreAccepted(s.namespace)
			s.helm("uninstall", release)
		})
	}
}

// restricted makes the namespace refuse Pods that do not meet the restricted standard.
func (s *site) restricted() {
	s.Helper()
	var here corev1.Namespace
	s.Expect(s.Get(s.Context(), client.ObjectKey{Name: s.namespace}, &here)).To(Succeed())
	here.Labels["pod-security.kubernetes.io/enforce"] = "restricted"
	here.Labels["pod-security.kubernetes.io/warn"] = "restricted"
	s.Expect(s.Update(s.Context(), &here)).To(Succeed())
}

// podsAreAccepted makes the Pods that the Deployments of a namespace would have.
func (s *site) podsAreAccepted(in string) {
	s.Helper()
	var deployments appsv1.DeploymentList
	s.Expect(s.List(s.Context(), &deployments, client.InNamespace(in))).To(Succeed())
	s.Expect(deployments.Items).NotTo(BeEmpty())
	for _, deployment := range deployments.Items {
		pod := &corev1.Pod{ObjectMeta: deployment.Spec.Template.ObjectMeta, Spec: deployment.Spec.Template.Spec}
		pod.Namespace, pod.Name = in, deployment.Name
		lax := pod.DeepCopy()
		lax.Spec.Containers[0].SecurityContext = nil
		s.Expect(s.Create(s.Context(), pod, client.DryRunAll)).To(Succeed(), deployment.Name)
		for _, container := range pod.Spec.Containers {
			s.Expect(*container.SecurityContext.ReadOnlyRootFilesystem).To(BeTrue(), "%s: read-only root", deployment.Name)
			s.Expect(container.ReadinessProbe).NotTo(BeNil(), "%s: readiness probe", deployment.Name)
			s.Expect(container.Resources.Limits).To(HaveKey(corev1.ResourceMemory), "%s: limit", deployment.Name)
		}
		// The standard is enforced here, or else this test would tell nothing.
		s.Expect(s.Create(s.Context(), lax, client.DryRunAll)).To(MatchError(ContainSubstring("violates PodSecurity")))
	}
}

// stubs installs CRDs of others that take any fields, of the given group, by their kinds.
func (s *site) stubs(group string, kinds ...string) {
	s.Helper()
	for _, kind := range kinds {
		plural := strings.ToLower(kind) + "s"
		crd := namedCRD(plural + "." + group)
		crd.Object["spec"] = map[string]any{
			"group": group, "scope": "Namespaced",
			"names": map[string]any{"kind": kind, "plural": plural},
			"versions": []any{map[string]any{
				"name": "v1", "served": true, "storage": true,
				"schema": map[string]any{"openAPIV3Schema": map[string]any{
					"type": "object", "x-kubernetes-preserve-unknown-fields": true,
				}},
			}},
		}
		s.Expect(client.IgnoreAlreadyExists(s.Create(s.Context(), crd))).To(Succeed())
		list := &unstructured.UnstructuredList{}
		list.SetAPIVersion(group + "/v1")
		list.SetKind(kind + "List")
		s.Eventually(func() error { return s.List(s.Context(), list) }, "2m").Should(Succeed(), "%s is there", kind)
	}
}

// TestTheNotesCanBePasted runs the commands that make something; the others need Pods.
func TestTheNotesCanBePasted(t *testing.T) {
	eachHelm(t, func(s *site) {
		for _, values := range []string{"simulator.enabled=true", "namespaces={" + s.namespace + "}"} {
			s.helm("upgrade", "--install", release, chartFolder(), "--set", values)
			s.established()
			notes := s.helm("get", "notes", release)
			script := between(notes, "2. Declare the webhook, with your endpoint:\n", "3. ")
			name := "received-messages"
			if strings.HasPrefix(values, "simulator") {
				script, name = between(notes, "1. Apply the sample:\n", "2. "), "sample"
			}

			s.shell(script)

			s.Expect(s.shell("kubectl -n " + s.namespace + " get c2w")).To(ContainSubstring(name))
		}
		s.shell("kubectl -n " + s.namespace + " delete c2w --all")
		s.helm("uninstall", release)
	})
}

func between(text, begin, end string) string {
	_, text, _ = strings.Cut(text, begin)
	text, _, _ = strings.Cut(text, end)
	return text
}

// shell runs what a user pastes.
func (s *site) shell(script string) string {
	s.Helper()
	s.Expect(strings.TrimSpace(script)).NotTo(BeEmpty())
	cmd := exec.CommandContext(s.Context(), "bash", "-euo", "pipefail", "-c", script)
	cmd.Env = []string{
		"HOME=" + s.TempDir(), "KUBECONFIG=" + s.kubeconfig,
		"PATH=" + filepath.Dir(shared.Binary("kubectl")) + ":/usr/bin:/bin",
	}
	out, err := cmd.CombinedOutput()
	s.Expect(err).NotTo(HaveOccurred(), "%s\n%s", script, out)
	return string(out)
}
