package main

import (
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// sample is an object of a page for GitOps.
func sample(t *testing.T, folder, kind string) *unstructured.Unstructured {
	t.Helper()
	found := parse(t, readFile(t, "config", folder, "operator.yaml")).kind(kind)
	if len(found) != 1 {
		t.Fatalf("config/%s/operator.yaml has %d objects of kind %s", folder, len(found), kind)
	}
	return found[0]
}

// field is a text in an object.
func field(t *testing.T, object *unstructured.Unstructured, path ...string) string {
	t.Helper()
	text, found, err := unstructured.NestedString(object.Object, path...)
	if err != nil || !found {
		t.Fatalf("%s has no %v: %v", object.GetKind(), path, err)
	}
	return text
}

// renderSample renders the chart with the values of a sample.
func renderSample(t *testing.T, object *unstructured.Unstructured, path ...string) objects {
	t.Helper()
	values, found, err := unstructured.NestedMap(object.Object, path...)
	if err != nil || !found {
		t.Fatalf("%s has no %v: %v", object.GetKind(), path, err)
	}
	content, err := yaml.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return render(t, "--values", file)
}

// version is that of the chart in this tree.
func version(t *testing.T) string {
	t.Helper()
	var file struct {
		Version string `json:"version"`
	}
	if err := yaml.Unmarshal([]byte(readFile(t, chart, "Chart.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	return file.Version
}

func TestTheApplicationOfTheOperatorIsOfTheChart(t *testing.T) {
	g := NewWithT(t)
	application := sample(t, "argocd", "Application")

	crds := renderSample(t, application, "spec", "source", "helm", "valuesObject").kind("CustomResourceDefinition")

	g.Expect("oci://" + field(t, application, "spec", "source", "repoURL") + "/" +
		field(t, application, "spec", "source", "chart")).To(Equal(published))
	g.Expect(field(t, application, "spec", "source", "targetRevision")).To(Equal(version(t)))
	g.Expect(crds).To(HaveLen(1))
	g.Expect(crds[0].GetAnnotations()).To(HaveKeyWithValue("argocd.argoproj.io/sync-options", "Prune=false,Delete=false"))
}

func TestTheHelmReleaseOfTheOperatorIsOfTheChart(t *testing.T) {
	g := NewWithT(t)
	repository, helmRelease := sample(t, "flux", "OCIRepository"), sample(t, "flux", "HelmRelease")

	deployments := renderSample(t, helmRelease, "spec", "values").kind("Deployment")

	g.Expect(deployments).To(HaveLen(1))
	g.Expect(field(t, repository, "spec", "url")).To(Equal(published))
	g.Expect(field(t, repository, "spec", "ref", "tag")).To(Equal(version(t)))
	g.Expect(field(t, helmRelease, "spec", "chartRef", "name")).To(Equal(repository.GetName()))
	g.Expect(field(t, helmRelease, "spec", "chartRef", "kind")).To(Equal(repository.GetKind()))
	g.Expect(helmRelease.GetNamespace()).To(Equal(repository.GetNamespace()))
}

// TestTheApplicationOfWebhooksAppliesAllOfGit: what is ignored with RespectIgnoreDifferences is not applied, and nobody
// is told.
func TestTheApplicationOfWebhooksAppliesAllOfGit(t *testing.T) {
	g := NewWithT(t)
	applications := parse(t, readFile(t, "config", "argocd", "application.yaml"))
	g.Expect(applications).To(HaveLen(1))
	options, _, err := unstructured.NestedStringSlice(applications[0].Object, "spec", "syncPolicy", "syncOptions")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(options).NotTo(ContainElement(ContainSubstring("RespectIgnoreDifferences")))
	_, ignores, err := unstructured.NestedSlice(applications[0].Object, "spec", "ignoreDifferences")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(ignores).To(BeFalse())
}
