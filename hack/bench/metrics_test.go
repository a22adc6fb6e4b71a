package main

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const exposition = `# HELP controller_runtime_reconcile_total Total number of reconciliations per controller
# TYPE controller_runtime_reconcile_total counter
controller_runtime_reconcile_total{controller="api-key-guard",result="success"} 2
controller_runtime_reconcile_total{controller="chatt2webhook",result="error"} 3
controller_runtime_reconcile_total{controller="chatt2webhook",result="success"} 1.25e+03
chatt2_webhook_delivery_errors{name="a",namespace="b"} 7
workqueue_queue_duration_seconds_bucket{controller="chatt2webhook",name="chatt2webhook",le="0.1"} 5
workqueue_queue_duration_seconds_bucket{controller="chatt2webhook",name="chatt2webhook",le="1"} 8
workqueue_queue_duration_seconds_bucket{controller="chatt2webhook",name="chatt2webhook",le="+Inf"} 8
workqueue_queue_duration_seconds_bucket{controller="api-key-guard",name="api-key-guard",le="+Inf"} 99
go_goroutines 42
`

func TestMetricsAreRead(t *testing.T) {
	m, err := readMetrics(strings.NewReader(exposition), perResource...)
	if err != nil {
		t.Fatal(err)
	}
	if got := m.sum("controller_runtime_reconcile_total", "controller", "chatt2webhook"); got != 1253 {
		t.Errorf("the sum of one controller is %v", got)
	}
	want := map[string]float64{"api-key-guard": 2, "chatt2webhook": 1253}
	if diff := cmp.Diff(want, m.by("controller_runtime_reconcile_total", "controller")); diff != "" {
		t.Error(diff)
	}
	if m.sum("go_goroutines") != 42 || !m.has("go_goroutines") {
		t.Error("a series without labels is not read")
	}
	if m.has("chatt2_webhook_delivery_errors") {
		t.Error("a series of single resources is kept")
	}
	buckets := []bucket{{0.1, 5}, {1, 8}, {math.Inf(1), 8}}
	if diff := cmp.Diff(buckets, m.histogram("workqueue_queue_duration_seconds", "name", queueName), cmp.AllowUnexported(bucket{})); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsNoMetricIsAnError(t *testing.T) {
	for _, line := range []string{"nothing", "42", "name{a=\"b\"} many"} {
		if _, err := readMetrics(strings.NewReader(line)); err == nil {
			t.Errorf("%q is taken", line)
		}
	}
}

func TestTheLongestWaitIsThatOfTheHighestBucketInUse(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		name          string
		before, after []bucket
		want          float64
	}{
		{"nothing waited", nil, []bucket{{0.1, 0}, {1, 0}, {inf, 0}}, 0},
		{"some waited short, one long", nil, []bucket{{0.1, 5}, {1, 6}, {10, 6}, {inf, 6}}, 1},
		{"the long one was before", []bucket{{0.1, 5}, {1, 6}, {inf, 6}}, []bucket{{0.1, 7}, {1, 8}, {inf, 8}}, 0.1},
		{"above all bounds", nil, []bucket{{0.1, 5}, {1, 6}, {inf, 7}}, inf},
	} {
		if got := longest(c.before, c.after); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestSecondsAreWrittenForAPerson(t *testing.T) {
	for s, want := range map[float64]string{
		0: "0 s", 10: "10 s", 1000: "1000 s", 0.1: "100 ms", 9.999999999999999e-05: "0.1 ms", math.Inf(1): "more",
	} {
		if got := seconds(s); got != want {
			t.Errorf("%v is written %q, want %q", s, got, want)
		}
	}
}
