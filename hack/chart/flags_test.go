package main

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
	appsv1 "k8s.io/api/apps/v1"

	"github.com/chatt2me/webhook-operator/internal/cli"
)

// flagValues are, for each flag of the operator, a value of the chart that sets it and what the flag is then.
var flagValues = map[string]struct{ set, want string }{
	"hub-url":                    {"hub.url=https://hub.example/v1", "https://hub.example/v1"},
	"hub-allow-insecure":         {"hub.allowInsecure=true", "true"},
	"hub-ca-file":                {"hub.ca.configMap=authorities", "/etc/chatt2/hub/ca.crt"},
	"hub-poll-interval":          {"hub.pollInterval=90s", "1m30s"},
	"hub-qps":                    {"hub.qps=2.5", "2.5"},
	"hub-burst":                  {"hub.burst=2000000", "2000000"},
	"hub-timeout":                {"hub.timeout=5s", "5s"},
	"hub-settle-time":            {"hub.settleTime=1m", "1m0s"},
	"max-concurrent-reconciles":  {"maxConcurrentReconciles=2000000", "2000000"},
	"namespaces":                 {"namespaces={one,two}", "[one,two]"},
	"watch-label-selector":       {"watchLabelSelector=shard in (a\\,b)", "shard in (a,b)"},
	"orphan-after":               {"orphanAfter=1h", "1h0m0s"},
	"watch-secrets":              {"secrets.watch=false", "false"},
	"protect-api-key-secrets":    {"secrets.protectAPIKeys=false", "false"},
	"header-secrets-need-opt-in": {"secrets.headersNeedOptIn=true", "true"},
	"leader-elect":               {"leaderElection.enabled=false", "false"},
	"leader-election-namespace":  {"leaderElection.namespace=leases", "leases"},
	"metrics-bind-address":       {"metrics.enabled=false", "0"},
	"metrics-secure":             {"metrics.secure=false", "false"},
	"health-probe-bind-address":  {"healthPort=9081", ":9081"},
	"pprof-bind-address":         {"pprofBindAddress=127.0.0.1:6060", "127.0.0.1:6060"},
	"zap-devel":                  {"log.devel=true", "true"},
	"zap-encoder":                {"log.encoder=console", "console"},
	"zap-log-level":              {"log.level=2", "2"},
	"zap-stacktrace-level":       {"log.stacktraceLevel=panic", "panic"},
	"zap-time-encoding":          {"log.timeEncoding=iso8601", "iso8601"},
}

// noValue are flags that the chart has no value for, with the reason.
var noValue = map[string]string{
	"kubeconfig": "inside a cluster its own access is used; extraArgs can name a file",
	"help":       "nothing to set",
}

// chartDefaults are the flags whose default is another one in the chart, with the reason.
var chartDefaults = map[string]string{
	"leader-elect":         "true",  // an upgrade runs two for a moment
	"metrics-bind-address": ":8443", // as config/default does
}

// flagsOf are the operator's flags as the Deployment of the chart sets them.
func flagsOf(t *testing.T, rendered objects) map[string]string {
	t.Helper()
	var deployment appsv1.Deployment
	rendered.get(t, "Deployment", release, &deployment)
	args := deployment.Spec.Template.Spec.Containers[0].Args
	if args[0] != "operator" {
		t.Fatalf("it does not start the operator: %v", args)
	}
	flags := operatorFlags(t)
	if err := flags.Parse(args[1:]); err != nil {
		t.Fatalf("the operator does not take %v: %v", args, err)
	}
	values := map[string]string{}
	flags.VisitAll(func(flag *pflag.Flag) { values[flag.Name] = flag.Value.String() })
	return values
}

func operatorFlags(t *testing.T) *pflag.FlagSet {
	t.Helper()
	operator, _, err := cli.New().Find([]string{"operator"})
	if err != nil {
		t.Fatal(err)
	}
	return operator.Flags()
}

func TestTheChartStartsTheOperatorWithTheDefaultsOfItsFlags(t *testing.T) {
	want := map[string]string{}
	operatorFlags(t).VisitAll(func(flag *pflag.Flag) { want[flag.Name] = flag.DefValue })
	maps.Copy(want, chartDefaults)
	if diff := cmp.Diff(want, flagsOf(t, render(t))); diff != "" {
		t.Errorf("the operator (-) and the chart (+) differ:\n%s", diff)
	}
}

func TestEachFlagOfTheOperatorHasAValueInTheChart(t *testing.T) {
	operatorFlags(t).VisitAll(func(flag *pflag.Flag) {
		_, value := flagValues[flag.Name]
		if _, none := noValue[flag.Name]; value == none {
			t.Errorf("--%s must be either in flagValues or in noValue", flag.Name)
		}
	})
	for name, value := range flagValues {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flags := flagsOf(t, render(t, "--set", value.set))
			if got, known := flags[name]; !known || got != value.want {
				t.Errorf("%s makes --%s %q, want %q", value.set, name, got, value.want)
			}
		})
	}
}

// TestLargeNumbersOfAFileStayWhole, although Helm reads them as floating-point numbers.
func TestLargeNumbersOfAFileStayWhole(t *testing.T) {
	flags := flagsOf(t, render(t, "--set-json", "hub.burst=2000000", "--set-json", "maxConcurrentReconciles=3000000"))
	if flags["hub-burst"] != "2000000" || flags["max-concurrent-reconciles"] != "3000000" {
		t.Errorf("the flags are %v", flags)
	}
}
