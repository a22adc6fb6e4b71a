package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/gomega"
	"github.com/spf13/pflag"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// overlay is a kustomization of config/default with components, which may need it as a neighbour.
func overlay(t *testing.T, components ...string) string {
	t.Helper()
	folder := t.TempDir()
	config, err := filepath.Abs(filepath.Join(root, "config"))
	if err != nil {
		t.Fatal(err)
	}
	if config, err = filepath.Rel(folder, config); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [%s/default]\ncomponents:\n",
		config)
	for _, component := range components {
		fmt.Fprintf(&text, "- %s/components/%s\n", config, component)
	}
	if err := os.WriteFile(filepath.Join(folder, "kustomization.yaml"), []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

// kustomize builds an overlay.
func (s *site) kustomize(folder string) objects {
	s.Helper()
	return parse(s.T, s.shell("kubectl kustomize "+folder))
}

// What config/default installs, and where.
const (
	configNamespace = "chatt2-webhook-operator-system"
	configName      = "chatt2-webhook-operator-controller-manager"
)

// isGone waits until a namespace of that name is gone.
func (s *site) isGone(namespace string) {
	s.Helper()
	s.Eventually(func() bool {
		return apierrors.IsNotFound(s.Get(s.Context(), client.ObjectKey{Name: namespace}, &corev1.Namespace{}))
	}, "60s").Should(BeTrue())
}

func TestEachComponentIsAccepted(t *testing.T) {
	needTools(t)
	folders, err := os.ReadDir(filepath.Join(root, "config", "components"))
	if err != nil || len(folders) == 0 {
		t.Fatalf("found %v, %v", folders, err)
	}
	all := []string{}
	for _, folder := range folders {
		all = append(all, folder.Name())
	}
	s := newSite(t, "helm")
	s.stubs("monitoring.coreos.com", "ServiceMonitor", "PrometheusRule")
	s.stubs("cert-manager.io", "Issuer", "Certificate")
	for name, components := range map[string][]string{"none": nil, "one": {"monitoring"}, "all": all} {
		t.Run(name, func(t *testing.T) {
			folder := overlay(t, components...)
			s.isGone(configNamespace)
			out := s.shell("kubectl apply --server-side -k " + folder)
			defer s.shell("kubectl delete -k " + folder)
			if strings.Contains(out, "Warning") {
				t.Errorf("the API server warns, of Pod security perhaps: %s", out)
			}
			s.established()
			s.podsAreAccepted(configNamespace)
			s.shell("kubectl apply --dry-run=server -f ../../config/components/simulator/sample.yaml")
		})
	}
}

func TestTheComponentNamespacedGivesNoRightElsewhere(t *testing.T) {
	needTools(t)
	s := newSite(t, "helm")

	built := s.kustomize(overlay(t, "namespaced"))

	for _, object := range built.kind("ClusterRoleBinding") {
		if !strings.HasSuffix(object.GetName(), "-metrics-auth-rolebinding") {
			t.Errorf("%s gives rights everywhere", object.GetName())
		}
	}
	var binding rbacv1.RoleBinding
	built.get(t, "RoleBinding", "chatt2-webhook-operator-manager-rolebinding", &binding)
	s.Expect(binding.Namespace).To(Equal(configNamespace))
	s.Expect(binding.Subjects).To(ConsistOf(rbacv1.Subject{
		Kind: "ServiceAccount", Name: configName, Namespace: binding.Namespace,
	}))
	var role rbacv1.ClusterRole
	built.get(t, binding.RoleRef.Kind, binding.RoleRef.Name, &role)
	var deployment appsv1.Deployment
	built.get(t, "Deployment", configName, &deployment)
	s.Expect(deployment.Spec.Template.Spec.Containers[0].Env).To(ConsistOf(corev1.EnvVar{
		Name:      "CHATT2_NAMESPACES",
		ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.namespace"}},
	}))
}

// TestTheDeploymentOfConfigIsThatOfTheChart but for names, and for flags that say what is the default anyway.
func TestTheDeploymentOfConfigIsThatOfTheChart(t *testing.T) {
	needTools(t)
	s := newSite(t, "helm")
	var config, chart appsv1.Deployment
	s.kustomize(overlay(t)).get(t, "Deployment", configName, &config)
	render(t).get(t, "Deployment", release, &chart)
	pod, other := config.Spec.Template.Spec, chart.Spec.Template.Spec
	container, its := pod.Containers[0], other.Containers[0]
	flags := operatorFlags(t)
	s.Expect(flags.Parse(container.Args[1:])).To(Succeed())
	flags.Visit(func(flag *pflag.Flag) {
		s.Expect(its.Args).To(ContainElement("--" + flag.Name + "=" + flag.Value.String()))
	})
	s.Expect(config.Spec.Replicas).To(Equal(chart.Spec.Replicas))
	s.Expect(config.Spec.Template.Annotations).To(Equal(chart.Spec.Template.Annotations))
	// What differs by intention.
	its.Image, its.ImagePullPolicy, its.Args = container.Image, "", container.Args
	other.Containers, other.ServiceAccountName, other.TopologySpreadConstraints = []corev1.Container{its}, configName, nil
	if diff := cmp.Diff(pod, other); diff != "" {
		t.Errorf("config (-) and the chart (+) differ:\n%s", diff)
	}
}

// TestTheSimulatorOfConfigIsThatOfTheChart but for names: the same flags and mounts.
func TestTheSimulatorOfConfigIsThatOfTheChart(t *testing.T) {
	needTools(t)
	s := newSite(t, "helm")
	built, rendered := s.kustomize(overlay(t, "simulator")), render(t, "--set", "simulator.enabled=true")
	for _, name := range []string{"simulator", "receiver"} {
		var config, chart appsv1.Deployment
		built.get(t, "Deployment", name, &config)
		rendered.get(t, "Deployment", release+"-"+name, &chart)
		one, other := config.Spec.Template.Spec.Containers[0], chart.Spec.Template.Spec.Containers[0]
		s.Expect(one.Args).To(Equal(other.Args), name)
		s.Expect(one.VolumeMounts).To(Equal(other.VolumeMounts), name)
		s.Expect(one.SecurityContext).To(Equal(other.SecurityContext), name)
		s.Expect(one.ReadinessProbe).To(Equal(other.ReadinessProbe), name)
		s.Expect(one.Resources).To(Equal(other.Resources), name)
	}
	var operator appsv1.Deployment
	built.get(t, "Deployment", configName, &operator)
	s.Expect(operator.Spec.Template.Spec.Containers[0].Args).To(ContainElements(
		"--hub-url=https://simulator.chatt2-webhook-operator-system.svc", "--hub-ca-file=/etc/chatt2/hub/ca.crt"))
}

// TestTheNetworkPolicyLetsOutToTheSimulator where both components are, and by the same rule to no other Pod.
func TestTheNetworkPolicyLetsOutToTheSimulator(t *testing.T) {
	needTools(t)
	s := newSite(t, "helm")
	built := s.kustomize(overlay(t, "network-policy", "simulator"))
	var policy networkingv1.NetworkPolicy
	built.get(t, "NetworkPolicy", release, &policy)
	open := func(name string) bool {
		var deployment appsv1.Deployment
		built.get(t, "Deployment", name, &deployment)
		pod := deployment.Spec.Template
		return slices.ContainsFunc(policy.Spec.Egress, func(rule networkingv1.NetworkPolicyEgressRule) bool {
			port := pod.Spec.Containers[0].Ports[0]
			return slices.ContainsFunc(rule.Ports, func(p networkingv1.NetworkPolicyPort) bool {
				return *p.Port == intstr.FromString(port.Name) || *p.Port == intstr.FromInt32(port.ContainerPort)
			}) && (len(rule.To) == 0 || slices.ContainsFunc(rule.To, func(peer networkingv1.NetworkPolicyPeer) bool {
				selector, err := metav1.LabelSelectorAsSelector(peer.PodSelector)
				return err == nil && peer.NamespaceSelector == nil && selector.Matches(labels.Set(pod.Labels))
			}))
		})
	}

	s.Expect(open("simulator")).To(BeTrue())
	s.Expect(open("receiver")).To(BeFalse())
}

// TestTheDashboardIsInstalled beside config/default.
func TestTheDashboardIsInstalled(t *testing.T) {
	needTools(t)
	s := newSite(t, "helm")
	s.isGone(configNamespace)
	folder := overlay(t)
	s.shell("kubectl apply --server-side -k " + folder)
	defer s.shell("kubectl delete -k " + folder)

	s.shell("kubectl apply -k " + filepath.Join(root, "config", "grafana"))

	var dashboards corev1.ConfigMapList
	s.Expect(s.List(s.Context(), &dashboards, client.MatchingLabels{"grafana_dashboard": "1"})).To(Succeed())
	s.Expect(dashboards.Items).To(HaveLen(1))
	s.Expect(dashboards.Items[0].Namespace).To(Equal(configNamespace))
}

// TestPodsHaveTheLabelsOfTheChart that the runbooks of the README select them by.
func TestPodsHaveTheLabelsOfTheChart(t *testing.T) {
	needTools(t)
	s := newSite(t, "helm")
	const selector = "app.kubernetes.io/name=chatt2-webhook-operator,app.kubernetes.io/component=operator"
	s.Expect(readFile(t, "README.md")).To(ContainSubstring("-l " + selector))
	parsed, err := labels.Parse(selector)
	s.Expect(err).NotTo(HaveOccurred())
	for name, all := range map[string]objects{
		configName: s.kustomize(overlay(t, "simulator")), release: render(t, "--set", "simulator.enabled=true"),
	} {
		for _, object := range all.kind("Deployment") {
			var deployment appsv1.Deployment
			convert(t, object, &deployment)
			s.Expect(parsed.Matches(labels.Set(deployment.Spec.Template.Labels))).To(Equal(deployment.Name == name), deployment.Name)
		}
	}
}
