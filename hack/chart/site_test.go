package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/cluster"
)

// site is where a Helm installs the chart: a namespace of its own, with a cluster that has no CRD.
type site struct {
	*testing.T
	client.Client
	Gomega
	version    string
	namespace  string
	kubeconfig string
}

// eachHelm runs a test with Helm 4 and with Helm 3, one after the other as there can be only one CRD.
func eachHelm(t *testing.T, test func(*site)) {
	t.Helper()
	needTools(t)
	for _, version := range versions {
		t.Run(version, func(t *testing.T) { test(newSite(t, version)) })
	}
}

// newSite is a site whose test may install a CRD. It must not run beside others.
func newSite(t *testing.T, version string) *site {
	t.Helper()
	s := (&site{version: version}).neighbour(t)
	t.Cleanup(s.removeCRD)
	return s
}

// neighbour is a site for a test within a test, with the CRD that is there.
func (s *site) neighbour(t *testing.T) *site {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	c, err := client.New(shared.Config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, shared.Kubeconfig(), 0o600); err != nil {
		t.Fatal(err)
	}
	return &site{
		T: t, Client: c, Gomega: NewWithT(t), version: s.version, namespace: cluster.Namespace(t, c), kubeconfig: file,
	}
}

// removeCRD waits until the CRD is gone, for the next one to install it, with webhooks that no operator is there for.
func (s *site) removeCRD() {
	ctx := context.Background() // the test's own is done by now
	var left v1alpha1.Chatt2WebhookList
	if s.List(ctx, &left) == nil { // else there is no CRD
		for i := range left.Items {
			release := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))
			s.Expect(client.IgnoreNotFound(s.Patch(ctx, &left.Items[i], release))).To(Succeed())
		}
	}
	crd := namedCRD("chatt2webhooks.hub.chatt2.me")
	s.Expect(client.IgnoreNotFound(s.Delete(ctx, crd))).To(Succeed())
	s.Eventually(func() bool {
		return apierrors.IsNotFound(s.Get(ctx, client.ObjectKeyFromObject(crd), crd))
	}, "2m").Should(BeTrue(), "the CRD goes")
}

// installCRD installs the CRD without Helm.
func (s *site) installCRD() {
	s.Helper()
	s.shell("kubectl apply --server-side -k " + filepath.Join(root, "config", "crd"))
	s.established()
}

// helm runs a command of Helm on the cluster and must succeed.
func (s *site) helm(args ...string) string {
	s.Helper()
	out, complaints, err := s.try(args...)
	if err != nil {
		s.Fatalf("%s %s: %v\n%s", s.version, strings.Join(args, " "), err, complaints)
	}
	if strings.Contains(complaints, "Warning") || strings.Contains(complaints, "would violate") {
		s.Errorf("%s %s warns: %s", s.version, args[0], complaints)
	}
	return out
}

func (s *site) try(args ...string) (stdout, stderr string, err error) {
	s.Helper()
	return helm(s.T, s.version, append(args, "--kubeconfig", s.kubeconfig, "--namespace", s.namespace)...)
}

// namedCRD is a CRD of which only the name is known.
func namedCRD(name string) *unstructured.Unstructured {
	crd := &unstructured.Unstructured{}
	crd.SetAPIVersion("apiextensions.k8s.io/v1")
	crd.SetKind("CustomResourceDefinition")
	crd.SetName(name)
	return crd
}

// crd is the installed CRD.
func (s *site) crd() (*unstructured.Unstructured, error) {
	crd := namedCRD("chatt2webhooks.hub.chatt2.me")
	return crd, s.Get(s.Context(), client.ObjectKeyFromObject(crd), crd)
}

// args are those that the Deployment starts the operator with.
func (s *site) args() []string {
	s.Helper()
	var deployment appsv1.Deployment
	s.Expect(s.Get(s.Context(), client.ObjectKey{Namespace: s.namespace, Name: release}, &deployment)).To(Succeed())
	return deployment.Spec.Template.Spec.Containers[0].Args
}

// left are the objects in the namespace that Helm made.
func (s *site) left() []string {
	s.Helper()
	var names []string
	for _, list := range []client.ObjectList{
		&appsv1.DeploymentList{}, &corev1.ServiceList{}, &corev1.SecretList{}, &corev1.ConfigMapList{},
		&corev1.ServiceAccountList{},
	} {
		s.Expect(s.List(s.Context(), list, client.InNamespace(s.namespace),
			client.MatchingLabels{"app.kubernetes.io/managed-by": "Helm"})).To(Succeed())
		s.Expect(eachName(list, func(name string) { names = append(names, name) })).To(Succeed())
	}
	return names
}

// established waits until the API server serves the kind.
func (s *site) established() {
	s.Helper()
	s.Eventually(func() error { return s.List(s.Context(), &v1alpha1.Chatt2WebhookList{}) }, "2m").Should(Succeed())
}
