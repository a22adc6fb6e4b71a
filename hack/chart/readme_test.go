package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/yaml"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

func TestTheReadmeTellsTheValues(t *testing.T) {
	needTools(t)
	out, complaints, err := program(t, filepath.Join(tools, "helm-docs"), "--dry-run", "--chart-search-root", chartFolder())
	if err != nil {
		t.Fatal(complaints)
	}
	readme, err := os.ReadFile(filepath.Join(chartFolder(), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.TrimSpace(out), strings.TrimSpace(string(readme))); diff != "" {
		t.Errorf("README.md is not up to date, run `make helm-generate`:\n%s", diff)
	}
	for line := range strings.SplitSeq(string(readme), "\n") {
		if strings.HasPrefix(line, "| ") && strings.HasSuffix(line, "|  |") {
			t.Errorf("this value is not explained: %s", line)
		}
	}
}

// artifactHub reads an annotation for Artifact Hub.
func artifactHub(t *testing.T, name string, into any) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(chartFolder(), "Chart.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Annotations map[string]string `json:"annotations"`
	}
	if err := yaml.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(file.Annotations["artifacthub.io/"+name]), into); err != nil {
		t.Fatal(err)
	}
}

func TestArtifactHubIsToldTheTruth(t *testing.T) {
	rendered := render(t)
	var images []struct {
		Image string `json:"image"`
	}
	artifactHub(t, "images", &images)
	var deployment appsv1.Deployment
	rendered.get(t, "Deployment", release, &deployment)
	if got := deployment.Spec.Template.Spec.Containers[0].Image; len(images) != 1 || images[0].Image != got {
		t.Errorf("the images are %v, the chart uses %s", images, got)
	}
	var crds []struct{ Kind, Version, Name string }
	artifactHub(t, "crds", &crds)
	if have := rendered.kind("CustomResourceDefinition"); len(crds) != 1 || len(have) != 1 ||
		crds[0].Name != have[0].GetName() || crds[0].Kind != "Chatt2Webhook" || crds[0].Version != v1alpha1.GroupVersion.Version {
		t.Errorf("the CRDs are %v", crds)
	}
	var examples []map[string]any
	artifactHub(t, "crdsExamples", &examples)
	decoder := strictDecoder(t)
	for _, example := range examples {
		content, err := yaml.Marshal(example)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := decoder.Decode(content, nil, &v1alpha1.Chatt2Webhook{}); err != nil {
			t.Error(err)
		}
	}
	if len(examples) == 0 {
		t.Error("there is no example")
	}
}

func strictDecoder(t *testing.T) runtime.Decoder {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	return serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
}
