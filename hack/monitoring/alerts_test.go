package monitoring_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// rule is an alert of config/prometheus/rules.yaml.
type rule struct {
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	For         string            `json:"for,omitempty"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

// groups are what Prometheus reads.
type groups struct {
	Groups []struct {
		Name  string `json:"name"`
		Rules []rule `json:"rules"`
	} `json:"groups"`
}

// alerts are what is under spec of the PrometheusRule.
func alerts(t *testing.T) groups {
	t.Helper()
	var manifest struct {
		APIVersion string         `json:"apiVersion"`
		Kind       string         `json:"kind"`
		Metadata   map[string]any `json:"metadata"`
		Spec       groups         `json:"spec"`
	}
	if err := yaml.UnmarshalStrict(read(t, root("config", "prometheus", "rules.yaml")), &manifest); err != nil {
		t.Fatal(err)
	}
	if manifest.APIVersion != "monitoring.coreos.com/v1" || manifest.Kind != "PrometheusRule" || len(manifest.Spec.Groups) != 1 {
		t.Fatalf("want a PrometheusRule with one group, got %s %s", manifest.APIVersion, manifest.Kind)
	}
	return manifest.Spec
}

func TestAlertsNameWhatThereIs(t *testing.T) {
	known := knownMetrics(t)
	for _, one := range alerts(t).Groups[0].Rules {
		t.Run(one.Alert, func(t *testing.T) { checkExpression(t, known, one.Expr) })
	}
}

// runbook is where a section of the README is found.
const runbook = "https://github.com/chatt2me/webhook-operator/blob/main/README.md#"

func TestAlertsSayWhatTheyMeanAndWhereToReadOn(t *testing.T) {
	for _, one := range alerts(t).Groups[0].Rules {
		for _, name := range []string{"summary", "description"} {
			if text := one.Annotations[name]; len(text) < 20 || !strings.HasSuffix(text, ".") {
				t.Errorf("%s: the %s is no sentence: %q", one.Alert, name, text)
			}
		}
		if severity := one.Labels["severity"]; severity != "warning" && severity != "critical" {
			t.Errorf("%s: the severity is %q", one.Alert, severity)
		}
		if got, want := one.Annotations["runbook_url"], runbook+strings.ToLower(one.Alert); got != want {
			t.Errorf("%s: the runbook is %q, want %q", one.Alert, got, want)
		}
	}
}

var title = regexp.MustCompile(`(?m)^#+ (Chatt2[A-Za-z]+)$`)

func TestEveryAlertHasItsSection(t *testing.T) {
	text := string(read(t, root("README.md")))
	if !strings.Contains(text, "\n## Alerts\n") {
		t.Fatal("the README does not tell of alerts")
	}
	told := map[string]bool{}
	for _, match := range title.FindAllStringSubmatch(text, -1) {
		told[match[1]] = true
	}
	for _, one := range alerts(t).Groups[0].Rules {
		if !told[one.Alert] {
			t.Errorf("the README has no section %s", one.Alert)
		}
		delete(told, one.Alert)
	}
	for name := range told {
		t.Errorf("there is no alert %s", name)
	}
}

// TestAlertsFireWhenTheyShould runs config/prometheus/rules_test.yaml.
func TestAlertsFireWhenTheyShould(t *testing.T) {
	dir := t.TempDir()
	content, err := yaml.Marshal(alerts(t))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "chatt2-webhook-operator.yaml"), content)
	write(t, filepath.Join(dir, "rules_test.yaml"), read(t, root("config", "prometheus", "rules_test.yaml")))
	tool := program(t, "promtool")
	for _, args := range [][]string{
		{"check", "rules", "--lint=all", "--lint-fatal", "chatt2-webhook-operator.yaml"}, {"test", "rules", "rules_test.yaml"},
	} {
		cmd := exec.CommandContext(t.Context(), tool, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}

// TestEveryAlertIsSeenToFire looks for each in the tests that promtool runs.
func TestEveryAlertIsSeenToFire(t *testing.T) {
	tests := string(read(t, root("config", "prometheus", "rules_test.yaml")))
	for _, one := range alerts(t).Groups[0].Rules {
		seen := `labels: 'ALERTS{alertname="` + one.Alert + `",alertstate="firing"`
		if !strings.Contains(tests, seen) && !strings.Contains(tests, "alertname: "+one.Alert+"\n") {
			t.Errorf("no test makes %s fire", one.Alert)
		}
	}
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
