package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var root = filepath.Join("..", "..")

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestThePagesAreUpToDate(t *testing.T) {
	all, err := pages(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range all {
		if diff := cmp.Diff(want, read(t, name)); diff != "" {
			t.Errorf("%s is not what the code says (-code +file); run make docs:\n%s", name, diff)
		}
	}
}

func TestEveryPageIsNamedInTheIndex(t *testing.T) {
	index := read(t, "README.md")
	found, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range found {
		if name != "README.md" && !strings.Contains(index, "("+name+")") {
			t.Errorf("the index does not name %s", name)
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)

func TestLinksLeadSomewhere(t *testing.T) {
	found, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range found {
		for _, match := range link.FindAllStringSubmatch(read(t, name), -1) {
			if _, err := os.Stat(match[1]); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestTheAPIPageNamesEveryType is about a page that is not written by the code of this folder.
func TestTheAPIPageNamesEveryType(t *testing.T) {
	page := read(t, "api.md")
	sources, err := filepath.Glob(filepath.Join(root, "api", "v1alpha1", "*_types.go"))
	if err != nil || len(sources) == 0 {
		t.Fatalf("found %v, %v", sources, err)
	}
	field := regexp.MustCompile("json:\"([A-Za-z]+)[,\"]")
	for _, source := range sources {
		for _, match := range field.FindAllStringSubmatch(read(t, source), -1) {
			if name := match[1]; name != "items" && !strings.Contains(page, "| `"+name+"` ") {
				t.Errorf("api.md lacks the field %s; run make docs", name)
			}
		}
	}
}
