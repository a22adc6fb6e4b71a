package monitoring_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// kustomize is what kubectl makes of a folder of config.
func kustomize(t *testing.T, folder string) string {
	t.Helper()
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		assets = root("bin", "k8s")
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(assets, "kubectl"), "kustomize", root("config", folder))
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil || complaints.Len() > 0 {
		t.Fatalf("kubectl kustomize %s: %v %s", folder, err, complaints.String())
	}
	return string(out)
}

func TestTheManifestsAreBuilt(t *testing.T) {
	for folder, want := range map[string][]string{
		"prometheus": {"kind: ServiceMonitor", "kind: PrometheusRule", "alert: Chatt2OperatorDown"},
		"grafana":    {"kind: ConfigMap", `grafana_dashboard: "1"`, "Is anything wrong now?"},
	} {
		built := kustomize(t, folder)
		for _, text := range want {
			if !strings.Contains(built, text) {
				t.Errorf("%s lacks %q", folder, text)
			}
		}
	}
}
