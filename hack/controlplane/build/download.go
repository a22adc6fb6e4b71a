package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	indexTimeout    = 10 * time.Second
	downloadTimeout = 5 * time.Minute
)

// downloadable is what setup-envtest offers; it has no kube-controller-manager.
var downloadable = []string{"etcd", "kube-apiserver", "kubectl"}

// download gets what setup-envtest offers of todo, and reports whether it got it. Failing is nothing to stop for, as
// all of it can be built.
func download(ctx context.Context, dir string, want pins, todo []binary) bool {
	offered := slices.DeleteFunc(slices.Clone(todo), func(b binary) bool { return !slices.Contains(downloadable, b.name) })
	if len(offered) == 0 {
		return false
	}
	if err := fetch(ctx, dir, want, offered); err != nil {
		fmt.Printf("controlplane: nothing to download (%v), building from source\n", err)
		return false
	}
	fmt.Printf("controlplane: downloaded etcd, kube-apiserver and kubectl %s\n", want.minor())
	return true
}

func fetch(ctx context.Context, dir string, want pins, offered []binary) error {
	tool := filepath.Join(dir, ".setup-envtest")
	defer os.Remove(tool)
	err := exec.CommandContext(ctx, "go", "-C", filepath.Join("..", "tools"), "build", "-o", tool,
		"sigs.k8s.io/controller-runtime/tools/setup-envtest").Run()
	if err != nil {
		return fmt.Errorf("setup-envtest cannot be built")
	}
	// The index is asked for alone first: where it cannot be reached, that should show within seconds.
	if _, err := output(ctx, indexTimeout, tool, "list", "--remote-only", want.minor()); err != nil {
		return fmt.Errorf("its index cannot be reached")
	}
	store, err := os.MkdirTemp(dir, ".envtest-")
	if err != nil {
		return err
	}
	defer removeAll(store)
	from, err := output(ctx, downloadTimeout, tool, "use", want.minor(), "--bin-dir", store, "-p", "path")
	if err != nil {
		return fmt.Errorf("the download failed")
	}
	for _, b := range offered {
		if err := install(dir, b, want, filepath.Join(strings.TrimSpace(from), b.name)); err != nil {
			return err
		}
	}
	return nil
}

func output(ctx context.Context, timeout time.Duration, command string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, command, args...)
	cmd.Stderr = io.Discard
	out, err := cmd.Output()
	return string(out), err
}

// removeAll removes a folder of setup-envtest, which makes its folders read-only.
func removeAll(dir string) {
	_ = filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			return os.Chmod(path, 0o755)
		}
		return nil
	})
	_ = os.RemoveAll(dir)
}
