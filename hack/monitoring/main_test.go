// Package monitoring_test holds the alerts of config/prometheus and the dashboard of config/grafana to the metrics that
// the operator has, and runs the alerts through Prometheus's own tool.
package monitoring_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/promql/parser"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/chatt2me/webhook-operator/internal/controller"
)

func root(elements ...string) string {
	return filepath.Join(append([]string{"..", ".."}, elements...)...)
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// targetLabels are those that Prometheus puts on every series of a Pod.
var targetLabels = []string{"job", "instance", "pod", "namespace"}

var description = regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`)

// knownMetrics are the labels of each metric that the operator has: its own, and those of controller-runtime.
func knownMetrics(t *testing.T) map[string][]string {
	t.Helper()
	own := prometheus.NewRegistry()
	counted := controller.NewMetrics(own)
	descriptions := make(chan *prometheus.Desc)
	go func() {
		defer close(descriptions)
		own.Describe(descriptions)
		(&controller.Collector{Metrics: counted}).Describe(descriptions)
		if all, ok := metrics.Registry.(prometheus.Collector); ok {
			all.Describe(descriptions)
		}
	}()
	known := map[string][]string{}
	for one := range descriptions {
		match := description.FindStringSubmatch(one.String())
		if match == nil {
			t.Fatalf("cannot read %s", one)
		}
		known[match[1]] = strings.FieldsFunc(match[2], func(r rune) bool { return r == ',' || r == ' ' })
	}
	for _, name := range []string{"chatt2_webhooks", "chatt2_rotations_total", "controller_runtime_reconcile_total"} {
		if _, ok := known[name]; !ok {
			t.Fatalf("the operator does not have %s", name)
		}
	}
	return known
}

// labelsOf are the labels that a series may have, nil for one that there is not. A histogram has three series.
func labelsOf(known map[string][]string, series string) []string {
	for _, suffix := range []string{"", "_bucket", "_sum", "_count"} {
		if own, ok := known[strings.TrimSuffix(series, suffix)]; ok && strings.HasSuffix(series, suffix) {
			all := append([]string{"__name__"}, targetLabels...)
			if suffix == "_bucket" {
				all = append(all, "le")
			}
			return append(all, own...)
		}
	}
	return nil
}

// checkExpression parses an expression and looks at what it names.
func checkExpression(t *testing.T, known map[string][]string, expression string) {
	t.Helper()
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expression)
	if err != nil {
		t.Errorf("%v in %s", err, expression)
		return
	}
	selectors := 0
	inspect(t, parsed, func(node parser.Node) {
		switch node := node.(type) {
		case *parser.VectorSelector:
			selectors++
			allowed := labelsOf(known, node.Name)
			if allowed == nil {
				t.Errorf("there is no metric %q in %s", node.Name, expression)
				return
			}
			for _, matcher := range node.LabelMatchers {
				checkLabel(t, allowed, matcher.Name, expression)
			}
		case *parser.AggregateExpr:
			var allowed []string
			inspect(t, node.Expr, func(inner parser.Node) {
				if selector, ok := inner.(*parser.VectorSelector); ok {
					allowed = append(allowed, labelsOf(known, selector.Name)...)
				}
			})
			for _, label := range node.Grouping {
				checkLabel(t, allowed, label, expression)
			}
		}
	})
	if selectors == 0 {
		t.Errorf("%s names no metric", expression)
	}
}

func inspect(t *testing.T, node parser.Node, do func(parser.Node)) {
	t.Helper()
	parser.Inspect(node, func(node parser.Node, _ []parser.Node) error {
		if node != nil {
			do(node)
		}
		return nil
	})
}

func checkLabel(t *testing.T, allowed []string, label, expression string) {
	t.Helper()
	if !slices.Contains(allowed, label) {
		t.Errorf("no metric has the label %q in %s", label, expression)
	}
}
