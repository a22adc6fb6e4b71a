package main

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// ciRun is the script that runs everything.
var ciRun = filepath.Join(root, ".ci", "run")

var target = regexp.MustCompile(`\bmake ([a-z0-9-]+)`)

// targets are those of make that a file names outside of comments.
func targets(t *testing.T, path string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for line := range strings.Lines(string(read(t, path))) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		for _, match := range target.FindAllStringSubmatch(line, -1) {
			found[match[1]] = true
		}
	}
	if len(found) == 0 {
		t.Fatalf("%s makes nothing", path)
	}
	return found
}

// TestTheWorkflowRunsWhatTheScriptRuns, as it says of itself.
func TestTheWorkflowRunsWhatTheScriptRuns(t *testing.T) {
	run := targets(t, filepath.Join(root, ".github", "workflows", "ci.yml"))
	for _, name := range slices.Sorted(maps.Keys(targets(t, ciRun))) {
		if !run[name] {
			t.Errorf("no job runs make %s", name)
		}
	}
}

// pretend makes a folder in which .ci/run finds programs that do nothing but what these scripts say.
func pretend(t *testing.T, scripts map[string]string) *exec.Cmd {
	t.Helper()
	folder := t.TempDir()
	for _, sub := range []string{".ci", "programs"} {
		if err := os.Mkdir(filepath.Join(folder, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	all := map[string]string{"make": "", "go": "", "git": "", "apt-get": "exit 100", "dpkg-deb": "exit 1"}
	maps.Copy(all, scripts)
	for program, script := range all {
		content := "#!/bin/sh\n" + script + "\n"
		if err := os.WriteFile(filepath.Join(folder, "programs", program), []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	copied := filepath.Join(folder, ".ci", "run")
	if err := os.WriteFile(copied, read(t, ciRun), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), copied)
	cmd.Env = []string{"PATH=" + filepath.Join(folder, "programs") + ":/usr/bin:/bin", "HOME=" + folder}
	return cmd
}

// TestTheScriptEndsWithWhatItLeftOut tells of a machine that does not let a node live.
func TestTheScriptEndsWithWhatItLeftOut(t *testing.T) {
	const why = "this machine has no cgroups"
	noNode := `case "$*" in *check*) echo '` + why + `' >&2; exit 1;; esac`
	out, err := pretend(t, map[string]string{"go": noNode}).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, end, found := strings.Cut(string(out), "left out:\n")
	if !found || strings.Contains(string(out), "all is well") {
		t.Fatalf("it hides that something was left out:\n%s", out)
	}
	for line := range strings.Lines(end) {
		if what, reason, ok := strings.Cut(line, ": "); !ok || !strings.HasPrefix(what, "- ") || len(reason) < 5 {
			t.Errorf("%q is not what was left out, and why", line)
		}
	}
	if !strings.Contains(end, "- real node: "+why) {
		t.Errorf("the node is not among what was left out:\n%s", end)
	}
}

func TestTheScriptRunsTheNodeWhereItCan(t *testing.T) {
	out, err := pretend(t, map[string]string{"make": `echo "made $*"`}).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "made e2e\n") || strings.Contains(string(out), "\n- real node") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestTheScriptStopsAtWhatFails(t *testing.T) {
	out, err := pretend(t, map[string]string{"make": `[ "$1" != lint ]`}).CombinedOutput()
	if err == nil || strings.Contains(string(out), "== tests") {
		t.Errorf("%v\n%s", err, out)
	}
}
