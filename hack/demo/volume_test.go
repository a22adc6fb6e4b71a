package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shown is what a program sees of a folder: names and contents, hidden names apart.
func shown(t *testing.T, folder string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "[^.]*"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = string(content)
	}
	return files
}

func TestAFolderShowsTheSecretAsItIsNow(t *testing.T) {
	folder := t.TempDir()
	for _, files := range []map[string]string{
		{"secret": "first"},
		{"secret": "second", "previousSecret": "first"},
		{"secret": "second"},
	} {
		data := map[string][]byte{}
		for name, content := range files {
			data[name] = []byte(content)
		}
		if err := publish(folder, data); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(files, shown(t, folder)); diff != "" {
			t.Error(diff)
		}
	}
	versions, err := filepath.Glob(filepath.Join(folder, "..version-*"))
	if err != nil || len(versions) != 1 {
		t.Errorf("old versions are left: %v, %v", versions, err)
	}
}

func TestAllFilesChangeAtOneInstant(t *testing.T) {
	folder := t.TempDir()
	if err := publish(folder, map[string][]byte{"secret": []byte("first")}); err != nil {
		t.Fatal(err)
	}
	// Each name leads through the one link that is turned.
	target, err := os.Readlink(filepath.Join(folder, "secret"))
	if err != nil || target != filepath.Join("..data", "secret") {
		t.Errorf("the name leads to %q, %v", target, err)
	}
}
