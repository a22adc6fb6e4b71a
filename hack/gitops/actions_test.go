package gitops_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// actionTests are what Argo CD's own test of actions reads.
type actionTests struct {
	DiscoveryTests []struct {
		InputPath string   `json:"inputPath"`
		Result    []action `json:"result"`
	} `json:"discoveryTests"`
	ActionTests []actionTest `json:"actionTests"`
}

type actionTest struct {
	Action             string `json:"action"`
	InputPath          string `json:"inputPath"`
	ExpectedOutputPath string `json:"expectedOutputPath"`
}

// actionInputs are the states that actions are tested on, by the file in actions/testdata.
var actionInputs = map[string]string{
	"signed": "healthy_signed", "unsigned": "healthy", "suspended": "suspended", "deleting": "progressing_deletion_blocked",
}

// outcomes are what an action shall make of an input, and nothing else.
var outcomes = []struct {
	input, output, action string
	field                 []string
	value                 any
}{
	{"signed", "signed-synced", "sync", annotation(v1alpha1.AnnotationReconcileRequestedAt), someTime},
	{"unsigned", "unsigned-synced", "sync", annotation(v1alpha1.AnnotationReconcileRequestedAt), someTime},
	{"signed", "signed-rotated", "rotate-secret", annotation(v1alpha1.AnnotationRotateRequestedAt), someTime},
	{"signed", "signed-suspended", "suspend", []string{"spec", "suspend"}, true},
	{"suspended", "suspended-resumed", "resume", []string{"spec", "suspend"}, false},
}

func annotation(name string) []string { return []string{"metadata", "annotations", name} }

// writeActionTests writes what is in actions/testdata.
func writeActionTests(t *testing.T) {
	t.Helper()
	for name, state := range actionInputs {
		content := string(read(t, customization("testdata", state+".yaml")))
		write(t, customization("actions", "testdata", name+".yaml"), content)
	}
	for _, one := range outcomes {
		object := readObject(t, customization("actions", "testdata", one.input+".yaml"))
		if err := unstructured.SetNestedField(object.Object, one.value, one.field...); err != nil {
			t.Fatal(err)
		}
		content, err := yaml.Marshal(object.Object)
		if err != nil {
			t.Fatal(err)
		}
		write(t, customization("actions", "testdata", one.output+".yaml"), string(content))
	}
}

// TestTheTestsOfActionsPass does what Argo CD's own test does.
func TestTheTestsOfActionsPass(t *testing.T) {
	if *update {
		writeActionTests(t)
	}
	ours := builtIn(t)
	var tests actionTests
	if err := yaml.UnmarshalStrict(read(t, customization("actions", "action_test.yaml")), &tests); err != nil {
		t.Fatal(err)
	}
	for _, with := range []libraries{open, closed} {
		for _, one := range tests.DiscoveryTests {
			t.Run(fmt.Sprintf("discovery, %s, %s", one.InputPath, with), func(t *testing.T) {
				want := map[string]action{}
				for _, a := range one.Result {
					want[a.Name] = a
				}
				got := ours.discover(t, with, readObject(t, customization("actions", one.InputPath)))
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("want (-), got (+)\n%s", diff)
				}
			})
		}
		for _, one := range tests.ActionTests {
			t.Run(fmt.Sprintf("%s, %s, %s", one.Action, one.InputPath, with), func(t *testing.T) {
				got := ours.press(t, one.Action, with, readObject(t, customization("actions", one.InputPath)))
				atSomeTime(t, got)
				want := readObject(t, customization("actions", one.ExpectedOutputPath))
				if diff := cmp.Diff(want.Object, got.Object); diff != "" {
					t.Errorf("want (-), got (+)\n%s", diff)
				}
			})
		}
	}
	everyOutcomeIsTested(t, tests)
}

// everyOutcomeIsTested compares the tests in YAML with those in Go.
func everyOutcomeIsTested(t *testing.T, tests actionTests) {
	t.Helper()
	var want []actionTest
	for _, one := range outcomes {
		want = append(want, actionTest{one.action, "testdata/" + one.input + ".yaml", "testdata/" + one.output + ".yaml"})
	}
	if diff := cmp.Diff(want, tests.ActionTests); diff != "" {
		t.Errorf("actionTests: want (-), got (+)\n%s", diff)
	}
	var discovered []string
	for _, one := range tests.DiscoveryTests {
		discovered = append(discovered, strings.TrimSuffix(strings.TrimPrefix(one.InputPath, "testdata/"), ".yaml"))
	}
	slices.Sort(discovered)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(actionInputs)), discovered); diff != "" {
		t.Errorf("discoveryTests: want (-), got (+)\n%s", diff)
	}
}

// atSomeTime replaces the time of a request, which must be about now.
func atSomeTime(t *testing.T, object *unstructured.Unstructured) {
	t.Helper()
	annotations := object.GetAnnotations()
	for _, name := range []string{v1alpha1.AnnotationReconcileRequestedAt, v1alpha1.AnnotationRotateRequestedAt} {
		value, ok := annotations[name]
		if !ok {
			continue
		}
		at, err := time.Parse("2006-01-02T15:04:05Z", value)
		if err != nil || time.Since(at).Abs() > time.Minute {
			t.Errorf("%s is %q, which is not now: %v", name, value, err)
		}
		annotations[name] = someTime
		object.SetAnnotations(annotations)
	}
}
