package gitops_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the states that the operator reaches into config/argocd")

// healthTests are what Argo CD's own test of health scripts reads.
type healthTests struct {
	Tests []healthTest `json:"tests"`
}

type healthTest struct {
	HealthStatus health `json:"healthStatus"`
	InputPath    string `json:"inputPath"`
}

// TestEveryStateHasItsHealth brings a resource into each state, asks the scripts, Flux and kstatus about it, and
// compares it with the file that Argo CD's own tests read.
func TestEveryStateHasItsHealth(t *testing.T) {
	ours := builtIn(t)
	for _, s := range states {
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t)
			object := s.reach(w)
			for _, with := range []libraries{open, closed} {
				if diff := cmp.Diff(s.wanted(object), ours.assess(t, with, object)); diff != "" {
					t.Errorf("health with %s libraries: want (-), got (+)\n%s", with, diff)
				}
			}
			if got := fluxStatus(t, object); got != s.flux {
				t.Errorf("Flux: want %s, got %s", s.flux, got)
			}
			if got := kstatusOf(t, object); got != s.kstatus {
				t.Errorf("kstatus: want %s, got %s", s.kstatus, got)
			}
			w.takesEveryButton(object)
			w.comesToBe(customization("testdata", s.name+".yaml"), object)
		})
	}
}

// comesToBe waits until a resource is what a file says, for a state may be told in more than one write. With -update it
// writes the file once the resource has stayed as it is for a while.
func (w *world) comesToBe(path string, object *unstructured.Unstructured) {
	w.Helper()
	now := func() string {
		w.Expect(w.Get(w.Context(), client.ObjectKeyFromObject(object), object)).To(Succeed())
		return w.anonymous(object)
	}
	if *update {
		var last string
		w.Eventually(func() bool {
			was := last
			last = now()
			return was == last
		}).WithPolling(3 * time.Second).Should(BeTrue())
		write(w.T, path, last)
		return
	}
	want := string(read(w.T, path))
	w.Eventually(func() string { return cmp.Diff(want, now()) }).Should(BeEmpty(),
		"%s (-) is not what the operator writes (+); if that is right, run this test with -update", path)
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestTheTestsOfHealthPass does what Argo CD's own test does, with the libraries that it has there and those that a
// script of argocd-cm has.
func TestTheTestsOfHealthPass(t *testing.T) {
	ours := builtIn(t)
	if *update {
		writeHealthTests(t)
	}
	var tests healthTests
	if err := yaml.UnmarshalStrict(read(t, customization("health_test.yaml")), &tests); err != nil {
		t.Fatal(err)
	}
	var tested []string
	for _, one := range tests.Tests {
		tested = append(tested, one.InputPath)
		for _, with := range []libraries{open, closed} {
			t.Run(fmt.Sprintf("%s, %s", one.InputPath, with), func(t *testing.T) {
				got := ours.assess(t, with, readObject(t, customization(one.InputPath)))
				if diff := cmp.Diff(one.HealthStatus, got); diff != "" {
					t.Errorf("want (-), got (+)\n%s", diff)
				}
			})
		}
	}
	files, err := filepath.Glob(customization("testdata", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, s := range states {
		want = append(want, "testdata/"+s.name+".yaml")
	}
	for i := range files {
		files[i] = "testdata/" + filepath.Base(files[i])
	}
	slices.Sort(want)
	slices.Sort(tested)
	if diff := cmp.Diff(want, tested); diff != "" {
		t.Errorf("not every state is tested (-), or one that there is not (+)\n%s", diff)
	}
	if diff := cmp.Diff(want, files); diff != "" {
		t.Errorf("not every state has its file (-), or a file is left over (+)\n%s", diff)
	}
}

// writeHealthTests writes what health_test.yaml must say of the states in testdata.
func writeHealthTests(t *testing.T) {
	t.Helper()
	var tests healthTests
	for _, s := range states {
		path := "testdata/" + s.name + ".yaml"
		tests.Tests = append(tests.Tests, healthTest{s.wanted(readObject(t, customization(path))), path})
	}
	content, err := yaml.Marshal(tests)
	if err != nil {
		t.Fatal(err)
	}
	write(t, customization("health_test.yaml"), string(content))
}

// TestAScriptThatNeedsMoreLibrariesFails is for the tests above: what argocd-cm does not offer is not there in them.
func TestAScriptThatNeedsMoreLibrariesFails(t *testing.T) {
	for _, script := range []string{
		`return {status = string.upper("healthy")}`, `return {status = math.max(1, 2)}`, `return {status = os.date()}`,
	} {
		if got, err := runLua(script, closed, nil); err == nil {
			t.Errorf("%s returned %v", script, got)
		}
		if _, err := runLua(script, open, nil); err != nil {
			t.Errorf("with open libraries %s: %v", script, err)
		}
	}
	// What is required is the small one, with open libraries, too.
	for _, with := range []libraries{open, closed} {
		if got, err := runLua(`return {status = require("os").getenv("HOME")}`, with, nil); err == nil {
			t.Errorf("with %s libraries getenv returned %v", with, got)
		}
	}
}

// TestWhatIsHardlyToldIsProgressing is about what the operator never writes, and somebody else may.
func TestWhatIsHardlyToldIsProgressing(t *testing.T) {
	ready := func(status string) map[string]any {
		return map[string]any{"type": "Ready", "status": status, "reason": "Pending", "message": "wait"}
	}
	for name, test := range map[string]struct {
		status  any
		message string
	}{
		"no status":     {nil, unseen},
		"an old status": {map[string]any{"observedGeneration": int64(1), "conditions": []any{ready("True")}}, unseen},
		"no conditions": {map[string]any{"observedGeneration": int64(2)}, "Waiting for the condition Ready"},
		"Ready Unknown": {map[string]any{"observedGeneration": int64(2), "conditions": []any{ready("Unknown")}}, "Pending: wait"},
		"Ready False":   {map[string]any{"observedGeneration": int64(2), "conditions": []any{ready("False")}}, "Pending: wait"},
	} {
		object := &unstructured.Unstructured{Object: map[string]any{
			"metadata": map[string]any{"generation": int64(2)}, "spec": map[string]any{}, "status": test.status,
		}}
		for _, with := range []libraries{open, closed} {
			want := health{progressing, test.message}
			if got := builtIn(t).assess(t, with, object); got != want {
				t.Errorf("%s, with %s libraries: want %v, got %v", name, with, want, got)
			}
		}
	}
}
