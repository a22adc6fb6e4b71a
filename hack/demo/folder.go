package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// storyteller is the name under which the demo itself stands among the processes while it tells.
const storyteller = "demo"

// stopTime is how long a process may take to end before it is killed. The demo itself ends all the others first.
const (
	stopTime            = 30 * time.Second
	storytellerStopTime = 2 * time.Minute
)

// folder is where a demo keeps everything: bin/demo of the project.
type folder struct {
	root string
	// processes are those that were started, in the order in which they were.
	processes []process
}

func demoPath() (string, error) {
	root, err := os.Getwd()
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(root, "config", "samples")); err != nil {
		return "", errors.New("run it from the folder of the project: make demo")
	}
	return filepath.Join(root, "bin", "demo"), nil
}

// claimFolder makes the folder for a new demo. It fails when another one is running; what is left of one that is not
// is removed.
func claimFolder() (*folder, error) {
	old, err := findFolder()
	if err != nil {
		return nil, err
	}
	if old != nil {
		if slices.ContainsFunc(old.processes, process.alive) {
			return nil, errors.New("a demo is running already; `make demo-down` ends it")
		}
		if err := os.RemoveAll(old.root); err != nil {
			return nil, err
		}
	}
	path, err := demoPath()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		return nil, fmt.Errorf("%w; is another demo about to start?", err)
	}
	f := &folder{root: path}
	for _, name := range []string{"log", "tmp", "keys", "tls"} {
		if err := os.Mkdir(f.path(name), 0o700); err != nil {
			return nil, err
		}
	}
	// Files of the control plane land in the folder, too.
	if err := os.Setenv("TMPDIR", f.path("tmp")); err != nil {
		return nil, err
	}
	return f, f.record(storyteller, os.Getpid())
}

// findFolder is the folder of an earlier demo, nil when there is none.
func findFolder() (*folder, error) {
	path, err := demoPath()
	if err != nil {
		return nil, err
	}
	f := &folder{root: path}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // that there is none is no error
	}
	content, err := os.ReadFile(f.processFile())
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(content, &f.processes); err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", f.processFile(), err)
	}
	return f, nil
}

func (f *folder) path(elements ...string) string {
	return filepath.Join(append([]string{f.root}, elements...)...)
}

func (f *folder) log(name string) string { return f.path("log", name+".log") }

func (f *folder) processFile() string { return f.path("processes.json") }

// record writes down a process that is running, so that `demo down` finds it.
func (f *folder) record(name string, pid int) error {
	identity, ok := identify(pid)
	if !ok {
		return fmt.Errorf("%s ended at once", name)
	}
	f.processes = append(f.processes, process{Name: name, PID: pid, Identity: identity})
	content, err := json.MarshalIndent(f.processes, "", "  ")
	if err != nil {
		return err
	}
	// A reader sees the old list or the new one.
	if err := os.WriteFile(f.processFile()+".new", content, 0o600); err != nil {
		return err
	}
	return os.Rename(f.processFile()+".new", f.processFile())
}

// clear ends the processes of the demo, the last one first, and removes the folder. A demo that is still telling is
// asked to clear up by itself.
func (f *folder) clear(ctx context.Context) error {
	var errs []error
	for i, p := range f.processes {
		if p.Name == storyteller && p.PID != os.Getpid() {
			errs = append(errs, p.stop(ctx, storytellerStopTime))
			f.processes = slices.Delete(slices.Clone(f.processes), i, i+1)
			break
		}
	}
	for _, p := range slices.Backward(f.processes) {
		if p.PID != os.Getpid() {
			errs = append(errs, p.stop(ctx, stopTime))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return os.RemoveAll(f.root)
}
