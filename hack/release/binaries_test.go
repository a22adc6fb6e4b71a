package main

import (
	goversion "go/version"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// small are the binaries of a program that does nothing, built as those of a release are.
func small(t *testing.T, source string) map[string]string {
	t.Helper()
	r := release{version: version, source: source, out: t.TempDir(), platforms: []string{"linux/amd64", "linux/arm64"}, log: io.Discard}
	if err := r.binaries(t.Context()); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, architecture := range []string{"amd64", "arm64"} {
		files[architecture] = string(read(t, filepath.Join(r.out, r.binary("linux", architecture))))
	}
	return files
}

// TestBinariesAreTheSameWhateverGoIsTold by the environment and by `go env -w`.
func TestBinariesAreTheSameWhateverGoIsTold(t *testing.T) {
	source, settings := t.TempDir(), filepath.Join(t.TempDir(), "env")
	for path, content := range map[string]string{
		filepath.Join(source, "go.mod"):  "module small\n\ngo 1.26.0\n\ntoolchain " + pinned(t) + "\n",
		filepath.Join(source, "main.go"): "package main\n\nfunc main() { println(told) }\n",
		filepath.Join(source, "as.go"):   "//go:build !hostile\n\npackage main\n\nconst told = \"\"\n",
		filepath.Join(source, "not.go"):  "//go:build hostile\n\npackage main\n\nconst told = \"hostile\"\n",
		settings:                         "GOFLAGS=-tags=hostile\nGOAMD64=v2\n",
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := small(t, source)
	for name, value := range map[string]string{
		"GOENV": settings, "GOFLAGS": "-tags=hostile", "GOTOOLCHAIN": "go1.99.0", "GOWORK": "/nowhere/go.work",
		"GOAMD64": "v3", "GOARM64": "v9.0", "GOEXPERIMENT": "nodwarf5", "GOFIPS140": "latest", "CGO_ENABLED": "1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			for architecture, got := range small(t, source) {
				if got != want[architecture] {
					t.Errorf("%s=%s changes the binary for %s", name, value, architecture)
				}
			}
		})
	}
}

var goLine = regexp.MustCompile(`(?m)^go ([0-9.]+)$`)

// pinned is the Go that go.mod pins.
func pinned(t *testing.T) string {
	t.Helper()
	toolchain, err := (&release{source: root}).toolchain()
	if err != nil {
		t.Fatal(err)
	}
	return toolchain
}

// TestThePinnedGoSuitsEveryModule, as workflows and the Dockerfile have that Go and no other.
func TestThePinnedGoSuitsEveryModule(t *testing.T) {
	toolchain := pinned(t)
	out, err := exec.CommandContext(t.Context(), "git", "-C", root, "ls-files", "*go.mod").Output()
	if err != nil {
		t.Fatal(err)
	}
	for file := range strings.FieldsSeq(string(out)) {
		match := goLine.FindSubmatch(read(t, filepath.Join(root, file)))
		if match == nil || goversion.Compare("go"+string(match[1]), toolchain) > 0 {
			t.Errorf("%s needs %q, and %s is pinned", file, match, toolchain)
		}
	}
	if text := string(read(t, filepath.Join(root, "Dockerfile"))); !strings.Contains(text, " golang:"+toolchain[2:]+" AS builder\n") {
		t.Errorf("the Dockerfile does not build with %s", toolchain)
	}
}
