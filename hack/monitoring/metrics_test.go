package monitoring_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// documented is a row of the page about metrics.
type documented struct{ Kind, Labels, Help string }

var row = regexp.MustCompile("(?m)^\\| `(chatt2_[a-z_]+)` \\| ([a-z]+) \\| (.*) \\| (.*) \\|$")

// metricsAreAsDocumented compares the page with what the running operator tells Prometheus.
func metricsAreAsDocumented(t *testing.T, p *monitor) {
	t.Helper()
	want := map[string]documented{}
	for _, match := range row.FindAllStringSubmatch(string(read(t, root("hack", "reference", "metrics.md"))), -1) {
		want[match[1]] = documented{Kind: match[2], Labels: strings.ReplaceAll(match[3], "`", ""), Help: match[4]}
	}
	var all map[string][]struct{ Type, Help string }
	p.get(&all, "metadata", nil)
	got := map[string]documented{}
	for name, about := range all {
		if strings.HasPrefix(name, "chatt2_") {
			got[name] = documented{Kind: about[0].Type, Labels: labelsSeen(t, p, name, about[0].Type), Help: about[0].Help}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the page (-) and the operator (+) differ:\n%s", diff)
	}
}

// labelsSeen are the labels of a metric, without those that Prometheus adds, in alphabetical order.
func labelsSeen(t *testing.T, p *monitor, name, kind string) string {
	t.Helper()
	if kind == "histogram" {
		name += "_count"
	}
	found := p.query(name)
	if len(found) == 0 {
		t.Errorf("the operator never told %s", name)
		return ""
	}
	labels := found[0].Metric
	for _, own := range []string{"__name__", "instance", "job", "pod"} {
		delete(labels, own)
	}
	return strings.Join(slices.Sorted(maps.Keys(labels)), ", ")
}
