package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// wanted are the wrong protocols that must be among the mutants.
var wanted = []string{
	"no intent", "look-up of the first page only", "partial listing taken for whole", "any error taken for absent",
	"5xx taken for not committed", "no settle", "404 trusted after a key change", "no rotation intent",
	"previous shifted on an unknown answer", "status before Secret trusted", "finalizer after POST",
	"finalizer dropped on 401/403/5xx", "secret in an error", "Hub body in an event", "retry inside Retry-After",
	"redirect followed", "Idempotency-Key sent", "wait time-out goes on",
}

func theMutants(t *testing.T) []mutant {
	t.Helper()
	all, err := readMutants("protocols")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTheMutantsAreThoseThatWereWanted(t *testing.T) {
	known := map[string]bool{}
	for _, m := range theMutants(t) {
		known[m.name] = true
	}
	for _, name := range wanted {
		if !known[name] {
			t.Errorf("there is no mutant %q", name)
		}
	}
}

func TestEveryMutantAppliesToTheOperatorAsItIs(t *testing.T) {
	for _, m := range theMutants(t) {
		files, err := m.mutated(filepath.Join("..", ".."))
		if err != nil {
			t.Error(err)
		}
		for path := range files {
			if !strings.HasPrefix(path, "internal/") || strings.HasSuffix(path, "_test.go") {
				t.Errorf("mutant %q changes %s, which is no part of the operator", m.name, path)
			}
		}
	}
}

func TestAMutantIsReadAsItIsWritten(t *testing.T) {
	got, err := parseMutant("name: n\nwrong: it is: wrong\nsuite: plan\nsuite: campaign TestCampaign/a\n\n" +
		"--- a.go\n@@\n one\n-two\n+2\n\n@@\n-three\n--- b.go\n@@\n+four\n five\n")
	if err != nil {
		t.Fatal(err)
	}
	want := mutant{
		name: "n", wrong: "it is: wrong",
		runs: []suiteRun{{"plan", ""}, {"campaign", "TestCampaign/a"}},
		edits: []edit{
			{"a.go", "one\ntwo\n\n", "one\n2\n\n"}, {"a.go", "three\n", ""}, {"b.go", "five\n", "four\nfive\n"},
		},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(mutant{}, suiteRun{}, edit{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatIsNoMutantIsRefused(t *testing.T) {
	const head = "name: n\nwrong: w\nsuite: plan\n\n"
	for text, want := range map[string]string{
		"":                                     "missing",
		"nobody: n\n\n":                        "neither",
		"name: n\n\n--- a\n@@\n-b":             "missing",
		head:                                   "missing",
		"name: n\nwrong: w\nsuite: nobody\n\n": "no suite",
		head + "@@\n-b\n":                      "before the first change",
		head + "--- a\n-b\n":                   "before the first change",
		head + "--- a\n@@\nb\n":                "neither a space",
	} {
		if _, err := parseMutant(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want an error about %q", text, err, want)
		}
	}
}

func TestAnEditAppliesToWholeLinesThatAreThereOnce(t *testing.T) {
	e := edit{"a.go", "b\n", "x\n"}
	for text, want := range map[string]string{
		"a\nb\nc\n": "a\nx\nc\n",
		"b\n":       "x\n",
		"ab\nb\n":   "ab\nx\n",
	} {
		if got, err := e.in(text); err != nil || got != want {
			t.Errorf("%q became %q, %v; want %q", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"ab\n": "no longer", "bc\n": "no longer", "b\na\nb\n": "more than once",
	} {
		if _, err := e.in(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want an error that says %q", text, err, want)
		}
	}
}

// aModule is a repository whose plan says how many webhooks one resource makes, and a test of that.
func aModule(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for path, text := range map[string]string{
		"go.mod":                     "module example\n\ngo 1.26\n",
		"internal/plan/plan.go":      "package plan\n\n// Webhooks of a resource.\nfunc Webhooks() int {\n\treturn 1\n}\n",
		"internal/plan/plan_test.go": "package plan\n\nimport \"testing\"\n\nfunc TestOne(t *testing.T) {\n\tt.Run(\"webhook\", func(t *testing.T) {\n\t\tif Webhooks() != 1 {\n\t\t\tt.Error(\"S1: two\")\n\t\t}\n\t})\n}\n",
	} {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestAMutantIsCaughtOrSurvivesOrDoesNotCompile(t *testing.T) {
	root := aModule(t)
	b := &bench{root: root, folder: t.TempDir(), atOnce: 2, say: func(line string) { t.Log(line) }}
	returning := func(name, what string) mutant {
		return mutant{name: name, wrong: "w", runs: []suiteRun{{suite: "plan"}}, edits: []edit{{
			"internal/plan/plan.go", "\treturn 1\n", "\treturn " + what + "\n",
		}}}
	}
	all := []mutant{returning("caught", "2"), returning("equal", "3 - 2"), returning("no Go", `"1"`), {
		name: "old", runs: []suiteRun{{suite: "plan"}}, edits: []edit{{"internal/plan/plan.go", "\treturn 7\n", "\n"}},
	}, returning("unselected", "2"), returning("dead", "func() int { panic(1) }()")}
	all[4].runs[0].pattern = "TestNothing"
	if err := b.control(t.Context(), all[:4]); err != nil {
		t.Fatal(err)
	}
	verdicts := b.judge(t.Context(), all)
	var results []string
	for _, v := range verdicts {
		results = append(results, v.result())
	}
	want := []string{"TestOne/webhook (S1)", "survived", "ERROR", "ERROR", "ERROR", "TestOne/webhook"}
	if diff := cmp.Diff(want, results); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	err := failures(verdicts)
	for _, part := range []string{
		`"equal" survived plan`, `"no Go", plan: does not compile`, `mutant "old": internal/plan/plan.go has not`,
		"selects no test",
	} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("the failures do not say %q: %v", part, err)
		}
	}
	if strings.Contains(err.Error(), `"caught"`) {
		t.Errorf("a mutant that was caught is called a failure: %v", err)
	}
	if text, failed := os.ReadFile(filepath.Join(root, "internal/plan/plan.go")); failed != nil || strings.Contains(string(text), "return 2") {
		t.Errorf("the sources were touched: %s, %v", text, failed)
	}
}

func TestNothingIsJudgedByASuiteThatFailsOnTheOperatorAsItIs(t *testing.T) {
	root := aModule(t)
	if err := os.WriteFile(filepath.Join(root, "internal/plan/plan.go"),
		[]byte("package plan\n\nfunc Webhooks() int { return 2 }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := &bench{root: root, folder: t.TempDir(), atOnce: 1, say: func(string) {}}
	err := b.control(t.Context(), []mutant{{name: "m", runs: []suiteRun{{suite: "plan"}}}})
	if err == nil || !strings.Contains(err.Error(), "the operator as it is fails: plan") {
		t.Errorf("%v", err)
	}
}
