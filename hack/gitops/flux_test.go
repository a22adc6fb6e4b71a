package gitops_test

import (
	"strings"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/ext"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// healthCheck is one of spec.healthCheckExprs of a Kustomization of Flux.
type healthCheck struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	InProgress string `json:"inProgress,omitempty"`
	Failed     string `json:"failed,omitempty"`
	Current    string `json:"current"`
}

// ourHealthCheck is the one of config/flux.
func ourHealthCheck(t *testing.T) healthCheck {
	t.Helper()
	var kustomization struct {
		Spec struct {
			Wait             bool          `json:"wait"`
			HealthCheckExprs []healthCheck `json:"healthCheckExprs"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(read(t, config("flux", "verified.yaml")), &kustomization); err != nil {
		t.Fatal(err)
	}
	if !kustomization.Spec.Wait {
		t.Error("without wait nothing is checked")
	}
	if n := len(kustomization.Spec.HealthCheckExprs); n != 1 {
		t.Fatalf("want one health check, got %d", n)
	}
	return kustomization.Spec.HealthCheckExprs[0]
}

// fluxStatus is what Flux makes of a resource that is not being deleted: it compares the generations, then asks whether
// the resource is in progress, whether it has failed and whether it is current. One for which nothing holds is in
// progress.
func fluxStatus(t *testing.T, object *unstructured.Unstructured) string {
	t.Helper()
	check := ourHealthCheck(t)
	if check.APIVersion != object.GetAPIVersion() || check.Kind != object.GetKind() {
		t.Fatalf("the health check is about %s %s", check.APIVersion, check.Kind)
	}
	observed, found, err := unstructured.NestedInt64(object.Object, "status", "observedGeneration")
	if err != nil {
		t.Fatal(err)
	}
	if found && observed != object.GetGeneration() {
		return "InProgress"
	}
	for _, question := range []struct{ status, expression string }{
		{"InProgress", check.InProgress}, {"Failed", check.Failed}, {"Current", check.Current},
	} {
		if question.expression != "" && holds(t, question.expression, object.Object) {
			return question.status
		}
	}
	return "InProgress"
}

// holds evaluates an expression in the environment that Flux makes: parsed and not type-checked, so that every field of
// the resource is a variable, and one that is not there an error.
func holds(t *testing.T, expression string, object map[string]any) bool {
	t.Helper()
	env, err := cel.NewEnv(
		cel.HomogeneousAggregateLiterals(), cel.EagerlyValidateDeclarations(true), cel.DefaultUTCTimeZone(true),
		cel.CrossTypeNumericComparisons(true), cel.OptionalTypes(), ext.Strings(), ext.Sets(), ext.Encoders(),
	)
	if err != nil {
		t.Fatal(err)
	}
	parsed, issues := env.Parse(expression)
	if issues.Err() != nil {
		t.Fatalf("%s: %v", expression, issues.Err())
	}
	program, err := env.Program(parsed, cel.EvalOptions(cel.OptOptimize), cel.InterruptCheckFrequency(100))
	if err != nil {
		t.Fatal(err)
	}
	result, _, err := program.ContextEval(t.Context(), object)
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	is, ok := result.Value().(bool)
	if !ok {
		t.Fatalf("%s is %v", expression, result)
	}
	return is
}

// kstatusOf is what Flux makes of a resource without health checks of ours.
func kstatusOf(t *testing.T, object *unstructured.Unstructured) string {
	t.Helper()
	result, err := status.Compute(object)
	if err != nil {
		t.Fatal(err)
	}
	return result.Status.String()
}

// TestTheExpressionsDoNotMindWhatIsMissing: an error would hold a Kustomization up until its time is over.
func TestTheExpressionsDoNotMindWhatIsMissing(t *testing.T) {
	check := ourHealthCheck(t)
	for _, object := range []map[string]any{
		{"spec": map[string]any{}, "status": map[string]any{}},
		{"spec": map[string]any{}, "status": map[string]any{"conditions": []any{}}},
		{"status": map[string]any{"conditions": []any{map[string]any{"type": "Ready", "status": "True", "reason": "Ready"}}}},
	} {
		for _, expression := range []string{check.Failed, check.Current} {
			if holds(t, expression, object) {
				t.Errorf("%s holds for %v", strings.TrimSpace(expression), object)
			}
		}
	}
}
