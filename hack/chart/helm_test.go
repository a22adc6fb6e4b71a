package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// The release that tests render.
const (
	release   = "chatt2-webhook-operator"
	namespace = "chatt2-system"
)

// versions are the Helms that the chart is for, by the names of their binaries.
var versions = []string{"helm", "helm3"}

// helm runs a Helm that is not told of any cluster but by its arguments.
func helm(t *testing.T, version string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	return program(t, filepath.Join(tools, version), args...)
}

// program runs a program with a home of its own.
func program(t *testing.T, name string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, complaints bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, args...)
	home := t.TempDir()
	cmd.Env = []string{"HOME=" + home, "TMPDIR=" + home, "PATH=" + os.Getenv("PATH"), "KUBECONFIG=" + filepath.Join(home, "none")}
	cmd.Stdout, cmd.Stderr = &out, &complaints
	err = cmd.Run()
	return out.String(), complaints.String(), err
}

func chartFolder() string { return filepath.Join(root, chart) }

// ciValues are the values files that lint and tests go through.
func ciValues(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(chartFolder(), "ci", "*-values.yaml"))
	if err != nil || len(files) < 4 {
		t.Fatalf("found %v, %v", files, err)
	}
	return files
}

func ciFile(name string) string { return filepath.Join(chartFolder(), "ci", name+"-values.yaml") }

// render gives what `helm template` makes of the chart.
func render(t *testing.T, args ...string) objects {
	t.Helper()
	return renderWith(t, "helm", args...)
}

func renderWith(t *testing.T, version string, args ...string) objects {
	t.Helper()
	needTools(t)
	args = append([]string{"template", release, chartFolder(), "--namespace", namespace}, args...)
	out, complaints, err := helm(t, version, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", version, strings.Join(args, " "), err, complaints)
	}
	return parse(t, out)
}

// objects are manifests.
type objects []*unstructured.Unstructured

// parse reads manifests as strictly as kustomize does: a key that stands twice is an error.
func parse(t *testing.T, manifests string) objects {
	t.Helper()
	var all objects
	documents := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(manifests)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return all
		}
		object := &unstructured.Unstructured{}
		if err == nil {
			err = yaml.UnmarshalStrict(document, &object.Object)
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, manifests)
		}
		if len(object.Object) > 0 {
			all = append(all, object)
		}
	}
}

// kind are the objects of a kind.
func (o objects) kind(kind string) objects {
	var some objects
	for _, object := range o {
		if object.GetKind() == kind {
			some = append(some, object)
		}
	}
	return some
}

// get reads the one object of a kind and name into what has its type.
func (o objects) get(t *testing.T, kind, name string, into any) {
	t.Helper()
	for _, object := range o.kind(kind) {
		if object.GetName() == name {
			convert(t, object, into)
			return
		}
	}
	t.Fatalf("there is no %s %s", kind, name)
}

// convert refuses fields that the type does not have.
func convert(t *testing.T, object *unstructured.Unstructured, into any) {
	t.Helper()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, into, true); err != nil {
		t.Fatalf("%s %s: %v", object.GetKind(), object.GetName(), err)
	}
}
