package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
)

// hierarchies are the cgroup file systems of the machine: one of version 2, or one for each controller.
func hierarchies() ([]string, error) {
	if isFile("/sys/fs/cgroup/cgroup.controllers") {
		return []string{"/sys/fs/cgroup"}, nil
	}
	return filepath.Glob("/sys/fs/cgroup/*")
}

// makeCgroups makes the cgroup that all Pods are below.
func makeCgroups() error {
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	for _, root := range roots {
		own := filepath.Join(root, cgroupRoot)
		if err := os.MkdirAll(own, 0o755); err != nil {
			return err
		}
		// A cpuset takes no process before it has these, and inherits none.
		for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
			content, err := os.ReadFile(filepath.Join(root, name))
			if errors.Is(err, os.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(own, name), content, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// removeCgroups removes it, the inner ones first. Their processes have ended.
func removeCgroups() error {
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	var errs []error
	for _, root := range roots {
		var found []string
		_ = filepath.WalkDir(filepath.Join(root, cgroupRoot), func(path string, entry os.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				found = append(found, path)
			}
			return nil
		})
		for _, path := range slices.Backward(found) {
			if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}
