package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// operatorDefaults are the operator's flags, with their defaults as README.md shows them.
var operatorDefaults = map[string]string{
	"hub-url":                    "https://api.chatt2.me",
	"hub-allow-insecure":         "false",
	"hub-ca-file":                "",
	"hub-poll-interval":          "1m0s",
	"hub-qps":                    "10",
	"hub-burst":                  "20",
	"hub-timeout":                "10s",
	"hub-settle-time":            "30s",
	"max-concurrent-reconciles":  "16",
	"namespaces":                 "[]",
	"watch-label-selector":       "",
	"orphan-after":               "15m0s",
	"watch-secrets":              "true",
	"protect-api-key-secrets":    "true",
	"header-secrets-need-opt-in": "false",
	"leader-elect":               "false",
	"leader-election-namespace":  "",
	"metrics-bind-address":       "0",
	"metrics-secure":             "true",
	"health-probe-bind-address":  ":8081",
	"pprof-bind-address":         "0",
	"kubeconfig":                 "",
}

func TestTheOperatorHasItsFlagsWithTheirDefaults(t *testing.T) {
	got := map[string]string{}
	newOperatorCommand().Flags().VisitAll(func(flag *pflag.Flag) {
		if !strings.HasPrefix(flag.Name, "zap-") {
			got[flag.Name] = flag.DefValue
		}
	})
	if diff := cmp.Diff(operatorDefaults, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheOperatorLogsAsItsFlagsSay(t *testing.T) {
	for _, name := range []string{"zap-log-level", "zap-encoder", "zap-devel", "zap-stacktrace-level", "zap-time-encoding"} {
		if newOperatorCommand().Flags().Lookup(name) == nil {
			t.Errorf("there is no --%s", name)
		}
	}
}

func TestWithoutASubcommandTheOperatorRuns(t *testing.T) {
	root := New()
	for name, value := range operatorDefaults {
		if flag := root.Flags().Lookup(name); flag == nil || flag.DefValue != value {
			t.Errorf("the root command has no --%s with the default %q", name, value)
		}
	}
}

// other is a value that differs from the default.
func other(flag *pflag.Flag) string {
	switch flag.Value.Type() {
	case "bool":
		if flag.DefValue == "true" {
			return "false"
		}
		return "true"
	case "duration":
		return "7m0s"
	case "int", "float64":
		return "7"
	case "stringSlice":
		return "one,two"
	}
	return "other"
}

func TestEachFlagOfTheOperatorIsSetFromTheEnvironment(t *testing.T) {
	for name := range operatorDefaults {
		t.Run(name, func(t *testing.T) {
			cmd := newOperatorCommand()
			flag := cmd.Flags().Lookup(name)
			want := other(flag)
			t.Setenv("CHATT2_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_")), want)
			if err := bindEnvironment(cmd, "CHATT2_"); err != nil {
				t.Fatal(err)
			}
			if got := strings.Trim(flag.Value.String(), "[]"); got != want || got == flag.DefValue {
				t.Errorf("it is %q, want %q", got, want)
			}
		})
	}
}

// run runs the operator with flags that do not work, and gives the error. No cluster is there to be reached.
func run(t *testing.T, args ...string) error {
	t.Helper()
	t.Setenv("KUBECONFIG", "/nowhere")
	var f operatorFlags
	flags := pflag.NewFlagSet("operator", pflag.ContinueOnError)
	f.add(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	return f.run(t.Context())
}

func TestTheOperatorRefusesWhatCannotWorkTogether(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--hub-settle-time=10s"}, "--hub-settle-time must be longer than --hub-timeout"},
		{[]string{"--hub-timeout=30s"}, "--hub-settle-time must be longer than --hub-timeout"},
		{[]string{"--orphan-after=0s"}, "--orphan-after must be above 0"},
		{[]string{"--orphan-after=-5m"}, "--orphan-after must be above 0"},
		{[]string{"--hub-timeout=1m", "--hub-settle-time=2m"}, "--hub-timeout must be above 0 and below 30s"},
		{[]string{"--hub-timeout=-1s"}, "--hub-timeout must be above 0"},
		{[]string{"--hub-qps=NaN"}, "--hub-qps must be at least 0.01"},
		{[]string{"--namespaces=a,"}, "--namespaces must be names of namespaces"},
		{[]string{"--hub-qps=0"}, "--hub-qps must be at least 0.01"},
		{[]string{"--hub-qps=-1"}, "--hub-qps must be at least 0.01"},
		{[]string{"--hub-burst=0"}, "--hub-burst at least 1"},
		{[]string{"--hub-poll-interval=10ms"}, "--hub-poll-interval must be at least 1s"},
		{[]string{"--max-concurrent-reconciles=0"}, "--max-concurrent-reconciles must be at least 1"},
		{[]string{"--watch-label-selector=a in"}, "--watch-label-selector"},
		{[]string{"--hub-poll-interval=often"}, "hub-poll-interval"},
		{[]string{"--kubeconfig=/nowhere"}, "--kubeconfig"},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			err := run(t, c.args...)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, want one that says %q", err, c.want)
			}
		})
	}
}

func TestAWrongHubURLIsRefusedAtTheStartAndNotRepeated(t *testing.T) {
	for _, url := range []string{
		"http://hub.example", "https://user:canary@hub.example", "hub.example", "https://hub.example/?key=canary",
	} {
		err := run(t, "--hub-url="+url)
		if err == nil || !strings.Contains(err.Error(), "--hub-url") || strings.Contains(err.Error(), "canary") {
			t.Errorf("the error for %q is %v", url, err)
		}
	}
}

func TestAWrongHubCAFileIsNamedWithoutWhatIsInIt(t *testing.T) {
	f := operatorFlags{hubCAFile: file(t, "canary")}
	_, err := f.transport()
	if err == nil || !strings.Contains(err.Error(), "--hub-ca-file") || strings.Contains(err.Error(), "canary") {
		t.Errorf("the error is %v", err)
	}
}

func TestAWrongEnvironmentOfTheOperatorIsNamedWithoutItsValue(t *testing.T) {
	t.Setenv("CHATT2_HUB_TIMEOUT", "canary")
	cmd := newOperatorCommand()
	cmd.SilenceErrors = true
	cmd.SetArgs([]string{})
	err := cmd.ExecuteContext(t.Context())
	if err == nil || !strings.Contains(err.Error(), "CHATT2_HUB_TIMEOUT") || strings.Contains(err.Error(), "canary") {
		t.Errorf("the error is %v", err)
	}
}

func TestEachShardHasALeaseOfItsOwn(t *testing.T) {
	of := func(selector string, namespaces ...string) string {
		return (&operatorFlags{watchLabelSelector: selector, namespaces: namespaces}).leaseName()
	}
	if whole := of(""); whole != "chatt2-webhook-operator" {
		t.Errorf("without shards the name is %q", whole)
	}
	if of("", "a", "b") != of("", "b", "a", "b") {
		t.Error("the order of namespaces makes another shard")
	}
	names := map[string]bool{}
	for _, name := range []string{of(""), of("a=1"), of("a=2"), of("", "a"), of("", "a", "b"), of("a=1", "a"), of("a")} {
		names[name] = true
	}
	if len(names) != 7 {
		t.Errorf("seven shards share the names %v", names)
	}
}
