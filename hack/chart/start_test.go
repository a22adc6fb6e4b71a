package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// starts tells what the operator itself says to the flags of a Deployment, up to where it needs a cluster.
func starts(t *testing.T, rendered objects) error {
	t.Helper()
	var deployment appsv1.Deployment
	rendered.get(t, "Deployment", release, &deployment)
	args := deployment.Spec.Template.Spec.Containers[0].Args
	// Neither file is here.
	_, complaints, err := program(t, binary, append(args, "--hub-ca-file=", "--kubeconfig=/nowhere")...)
	if err == nil || !strings.Contains(complaints, "no access to a cluster") {
		return fmt.Errorf("%w: %s", err, complaints)
	}
	return nil
}

// TestWhatIsRenderedStarts at the limits of what the chart takes.
func TestWhatIsRenderedStarts(t *testing.T) {
	needTools(t)
	var cases [][]string
	for _, values := range ciValues(t) {
		cases = append(cases, []string{"--values", values})
	}
	for _, set := range []string{
		"hub.timeout=29.9s", "hub.timeout=1ns", "hub.timeout=10s,hub.settleTime=10.001s", "hub.settleTime=0h0m10001ms",
		"hub.pollInterval=1s", "hub.pollInterval=1000ms", "hub.pollInterval=1.5h2m", "hub.qps=0.01", "hub.qps=1",
		"hub.burst=1,maxConcurrentReconciles=1", "orphanAfter=1ns", "namespaces={one,two-2}",
		"hub.url=https://[2001:db8::1]:8443/a%20b", "hub.url=https://hub_1.example:65535/", "log.level=127",
		"pprofBindAddress=localhost:6060,metrics.port=1,healthPort=65535", "metrics.enabled=false,metrics.port=8081",
	} {
		cases = append(cases, []string{"--set", set})
	}
	for _, args := range cases {
		t.Run(filepath.Base(args[1]), func(t *testing.T) {
			t.Parallel()
			if err := starts(t, render(t, args...)); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestSelectorsAreThoseOfKubernetes: what the chart takes and what it refuses.
func TestSelectorsAreThoseOfKubernetes(t *testing.T) {
	needTools(t)
	for selector, want := range map[string]bool{
		"shard=a": true, "shard==a,!other": true, "shard != a": true, "shard in (a, b)": true, "shard notin (a,)": true,
		"hub.example.com/shard=a": true, "shard": true, "! shard": true, "n>1,n < 3": true, "shard=": true,
		" shard = a , b ": true, "A_b.c=D-e_f": true,
		"a in": false, "a=b=c": false, "a,": false, "in (a)": false, "a in a": false, "-a": false, "a=-": false, "a/b/c": false,
		"a=" + strings.Repeat("b", 64): false, "n>x": false, "a b": false, "a=(b)": false, "Upper.example/a": false,
	} {
		t.Run(selector, func(t *testing.T) {
			t.Parallel()
			_, complaints, err := helm(t, "helm", "template", release, chartFolder(), "--set-json",
				fmt.Sprintf("watchLabelSelector=%q", selector))
			if (err == nil) != want {
				t.Errorf("want %t, got %v %s", want, err, complaints)
			}
			if _, err := labels.Parse(selector); (err == nil) != want {
				t.Errorf("Kubernetes says otherwise: %v", err)
			}
		})
	}
}
