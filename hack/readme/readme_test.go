// Package readme tests that what README.md and the other pages name is there.
package readme

import (
	"bufio"
	"bytes"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

func root(elements ...string) string {
	return filepath.Join(append([]string{"..", ".."}, elements...)...)
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// constants are the values of the string constants of a file whose names begin with one of the prefixes.
func constants(t *testing.T, path string, prefixes ...string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		literal, ok := spec.Values[0].(*ast.BasicLit)
		if !ok || !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(spec.Names[0].Name, p) }) {
			return true
		}
		value, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, value)
		return true
	})
	if len(values) == 0 {
		t.Fatalf("%s has no constants %v", path, prefixes)
	}
	slices.Sort(values)
	return values
}

func TestEveryAnnotationFinalizerAndKeyIsNamed(t *testing.T) {
	text := read(t, root("README.md"))
	for _, value := range constants(t, root("api", "v1alpha1", "metadata.go"),
		"Annotation", "Label", "SecretKey", "WebhookFinalizer", "APIKeyFinalizer") {
		if !strings.Contains(text, "`"+value+"`") && !strings.Contains(text, "`"+value+":") {
			t.Errorf("%s is not in README.md", value)
		}
	}
}

var block = regexp.MustCompile("(?s)```yaml\n(.*?)```")

func TestTheManifestsCanBeRead(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	manifests := 0
	for _, match := range block.FindAllStringSubmatch(read(t, root("README.md")), -1) {
		documents := yaml.NewYAMLReader(bufio.NewReader(strings.NewReader(match[1])))
		for {
			document, err := documents.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(document, []byte("\nkind: Kustomization\n")) {
				continue // the API server knows of none
			}
			if _, _, err := decoder.Decode(document, nil, nil); err != nil {
				t.Errorf("%v in\n%s", err, bytes.TrimSpace(document))
			}
			manifests++
		}
	}
	if manifests == 0 {
		t.Error("there is no manifest")
	}
}
