package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

const version = "v0.0.0-test"

var root = filepath.Join("..", "..")

// tools is the folder with helm and cyclonedx-gomod. Without it there is nothing to run, as in a plain go test.
func tools(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("RELEASE_TOOLS")
	if folder == "" {
		t.Skip("RELEASE_TOOLS is not set: run make release-test")
	}
	return folder
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// made is a release, for this machine's platform only, made from the repository at source.
func made(t *testing.T, source string) map[string][]byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "dist")
	args := []string{
		"-version", version, "-source", source, "-o", out, "-tools", tools(t),
		"-kubectl", filepath.Join(root, "bin", "k8s", "kubectl"), "-platforms", runtime.GOOS + "/" + runtime.GOARCH,
	}
	if err := run(t.Context(), args, io.Discard); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(out)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, e := range entries {
		files[e.Name()] = read(t, filepath.Join(out, e.Name()))
	}
	return files
}

// elsewhere is a copy of what a release is made from, in another folder and with other dates.
func elsewhere(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for _, part := range []string{"api", "internal", "config", "charts"} {
		if err := os.CopyFS(filepath.Join(folder, part), os.DirFS(filepath.Join(root, part))); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"main.go", "go.mod", "go.sum"} {
		if err := os.WriteFile(filepath.Join(folder, file), read(t, filepath.Join(root, file)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// TestARelease looks at one that is made, and at another one made elsewhere.
func TestARelease(t *testing.T) {
	first := made(t, root)
	binary := fmt.Sprintf("%s_0.0.0-test_%s_%s", name, runtime.GOOS, runtime.GOARCH)
	archive, bill := name+"-0.0.0-test.tgz", name+"_0.0.0-test.cdx.json"

	t.Run("holds what was promised", func(t *testing.T) {
		want := slices.Sorted(slices.Values([]string{"install.yaml", "crds.yaml", "checksums.txt", binary, archive, bill}))
		if got := slices.Sorted(maps.Keys(first)); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
	t.Run("is the same when made elsewhere", func(t *testing.T) {
		second := made(t, elsewhere(t))
		for file := range first {
			if string(first[file]) != string(second[file]) {
				t.Errorf("%s differs: %d and %d bytes", file, len(first[file]), len(second[file]))
			}
		}
	})
	t.Run("has checksums of all files", func(t *testing.T) { checksumsAreRight(t, first) })
	t.Run("names its image", func(t *testing.T) {
		if n := strings.Count(string(first["install.yaml"]), "image: "+registry+":0.0.0-test\n"); n != 1 {
			t.Errorf("install.yaml names the image %d times", n)
		}
		if strings.Contains(string(first["install.yaml"]), ":dev") {
			t.Error("install.yaml names an image that is not released")
		}
	})
	t.Run("has the CRD apart", func(t *testing.T) {
		if crds := string(first["crds.yaml"]); strings.Count(crds, "\nkind: ") != 1 || !strings.Contains(crds, "CustomResourceDefinition") {
			t.Errorf("crds.yaml is not the CRD alone: %.300s", crds)
		}
	})
	t.Run("has a chart that Helm takes", func(t *testing.T) { helmTakes(t, archive, first[archive]) })
	t.Run("has a bill of materials", func(t *testing.T) { billIsWhole(t, first[bill]) })
	t.Run("has a binary that knows its version", func(t *testing.T) { knowsItsVersion(t, first[binary]) })
}

func checksumsAreRight(t *testing.T, files map[string][]byte) {
	t.Helper()
	said := map[string]string{}
	for line := range strings.Lines(string(files["checksums.txt"])) {
		sum, file, _ := strings.Cut(strings.TrimSpace(line), "  ")
		said[file] = sum
	}
	for file, content := range files {
		if file != "checksums.txt" && said[file] != fmt.Sprintf("%x", sha256.Sum256(content)) {
			t.Errorf("the checksum of %s is %q", file, said[file])
		}
	}
}

func helmTakes(t *testing.T, file string, archive []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), file)
	if err := os.WriteFile(path, archive, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(tools(t), "helm"), "template", "x", path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(string(out), registry+":0.0.0-test") {
		t.Error("the chart does not run the image of the release")
	}
	metadata, err := exec.CommandContext(t.Context(), filepath.Join(tools(t), "helm"), "show", "chart", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"\nversion: 0.0.0-test\n", "\nappVersion: 0.0.0-test\n", `artifacthub.io/prerelease: "true"`, registry + ":0.0.0-test\n",
	} {
		if !strings.Contains(string(metadata), line) {
			t.Errorf("Chart.yaml lacks %q:\n%s", line, metadata)
		}
	}
}

func billIsWhole(t *testing.T, content []byte) {
	t.Helper()
	var bill struct {
		BOMFormat  string `json:"bomFormat"`
		Components []struct {
			Name, Version string
		} `json:"components"`
	}
	if err := json.Unmarshal(content, &bill); err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, c := range bill.Components {
		found[c.Name] = c.Version
	}
	if bill.BOMFormat != "CycloneDX" || len(found) < 30 {
		t.Errorf("%s with %d components", bill.BOMFormat, len(found))
	}
	for _, module := range []string{"sigs.k8s.io/controller-runtime", "k8s.io/client-go", "std"} {
		if found[module] == "" {
			t.Errorf("%s is not in it", module)
		}
	}
}

func knowsItsVersion(t *testing.T, binary []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, binary, 0o700); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), path, "--version").Output()
	if err != nil || !strings.Contains(string(out), version) {
		t.Errorf("it says %q, %v", out, err)
	}
}

func TestAVersionIsAskedFor(t *testing.T) {
	for _, wrong := range []string{"", "1.2.3", "v1.2", "latest", "v1.2.3 "} {
		err := run(context.Background(), []string{"-version", wrong, "-o", t.TempDir()}, io.Discard)
		if err == nil || !strings.Contains(err.Error(), "v1.2.3") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

// TestTheImageIsBuiltWithTheSameFlags compares with the Dockerfile.
func TestTheImageIsBuiltWithTheSameFlags(t *testing.T) {
	dockerfile := string(read(t, filepath.Join(root, "Dockerfile")))
	for _, text := range []string{
		"CGO_ENABLED=0", "go build -trimpath -buildvcs=false",
		`-ldflags "-s -w -X github.com/chatt2me/webhook-operator/internal/cli.released=$VERSION"`,
	} {
		if !strings.Contains(dockerfile, text) {
			t.Errorf("the Dockerfile lacks %s", text)
		}
	}
}
