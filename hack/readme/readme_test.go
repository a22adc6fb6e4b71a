// Package readme tests that README.md tells everything that a user can meet, and nothing else.
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

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/cli"
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

var heading = regexp.MustCompile(`(?m)^#+ (.*)$`)

// section is what stands under a heading, up to the next one that is not deeper.
func section(t *testing.T, title string) string {
	t.Helper()
	text := read(t, root("README.md"))
	depth, from := 0, 0
	for _, at := range heading.FindAllStringSubmatchIndex(text, -1) {
		level := strings.IndexByte(text[at[0]:], ' ')
		switch {
		case depth == 0 && text[at[2]:at[3]] == title:
			depth, from = level, at[1]
		case depth > 0 && level <= depth:
			return text[from:at[0]]
		}
	}
	if depth == 0 {
		t.Fatalf("there is no section %q", title)
	}
	return text[from:]
}

var firstCell = regexp.MustCompile("(?m)^\\| `([^`]+)`")

// rows are the first cells of the tables of a text, which stand in backquotes.
func rows(text string) []string {
	var cells []string
	for _, match := range firstCell.FindAllStringSubmatch(text, -1) {
		cells = append(cells, match[1])
	}
	slices.Sort(cells)
	return cells
}

func TestEveryReasonIsExplained(t *testing.T) {
	reasons := constants(t, root("api", "v1alpha1", "conditions.go"), "Reason")
	if diff := cmp.Diff(reasons, rows(section(t, "Reasons, and what to do"))); diff != "" {
		t.Errorf("code (-) and README (+) differ:\n%s", diff)
	}
}

func TestEveryConditionIsExplained(t *testing.T) {
	conditions := constants(t, root("api", "v1alpha1", "conditions.go"), "Condition")
	table, _, _ := strings.Cut(section(t, "Conditions"), "###")
	if diff := cmp.Diff(conditions, rows(table)); diff != "" {
		t.Errorf("code (-) and README (+) differ:\n%s", diff)
	}
}

func TestEveryEventIsExplained(t *testing.T) {
	events := constants(t, root("api", "v1alpha1", "conditions.go"), "Event")
	// These are reasons of conditions, too.
	events = append(events, v1alpha1.ReasonVerified, v1alpha1.ReasonRemotelyDeleted)
	slices.Sort(events)
	if diff := cmp.Diff(events, rows(section(t, "Events"))); diff != "" {
		t.Errorf("code (-) and README (+) differ:\n%s", diff)
	}
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

func TestEveryFlagIsExplainedWithItsDefault(t *testing.T) {
	operator, _, err := cli.New().Find([]string{"operator"})
	if err != nil {
		t.Fatal(err)
	}
	text := section(t, "Flags of the operator")
	operator.LocalFlags().VisitAll(func(flag *pflag.Flag) {
		name := "`--" + flag.Name + "`"
		switch {
		case flag.Name == "help":
		case strings.HasPrefix(flag.Name, "zap-"), flag.DefValue == "", flag.DefValue == "[]":
			if !strings.Contains(text, name) {
				t.Errorf("%s is not explained", name)
			}
		case !strings.Contains(text, "| "+name+" | `"+flag.DefValue+"` |"):
			t.Errorf("there is no row of %s with the default %q", name, flag.DefValue)
		}
	})
	for _, row := range rows(text) {
		if name, ok := strings.CutPrefix(row, "--"); !ok || operator.Flags().Lookup(name) == nil {
			t.Errorf("the operator has no flag %s", row)
		}
	}
}

// schema is what a CRD says of a field.
type schema struct {
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
}

// specSchema is that of spec.
func specSchema(t *testing.T) schema {
	t.Helper()
	var crd struct {
		Spec struct {
			Versions []struct {
				Schema struct {
					OpenAPIV3Schema schema `json:"openAPIV3Schema"`
				} `json:"schema"`
			} `json:"versions"`
		} `json:"spec"`
	}
	manifest := read(t, root("config", "crd", "bases", "hub.chatt2.me_chatt2webhooks.yaml"))
	if err := sigsyaml.Unmarshal([]byte(manifest), &crd); err != nil {
		t.Fatal(err)
	}
	spec := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	if len(spec.Properties) == 0 {
		t.Fatal("the CRD has no spec")
	}
	return spec
}

func TestEveryFieldOfSpecIsExplained(t *testing.T) {
	text := section(t, "Fields of spec")
	var missing []string
	var walk func(path string, of schema)
	walk = func(path string, of schema) {
		for name, field := range of.Properties {
			at := strings.TrimPrefix(path+"."+name, ".")
			if strings.Contains(text, "| `"+at+"` |") {
				if field.Items != nil {
					walk(at+"[]", *field.Items)
				}
				continue
			}
			if len(field.Properties) == 0 {
				missing = append(missing, at)
				continue
			}
			walk(at, field)
		}
	}
	walk("", specSchema(t))
	if len(missing) > 0 {
		t.Errorf("these fields are not explained: %v", missing)
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
