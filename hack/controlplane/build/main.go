// Command build puts the binaries of a Kubernetes control plane into a folder: downloaded by setup-envtest where that
// works, else built from the Go modules that hack/controlplane pins. It does nothing when they are there already. It
// is run in hack/controlplane, by `make controlplane`.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// binary is one program of the control plane and the package it is built from.
type binary struct{ name, pkg string }

var binaries = []binary{
	{"etcd", "./etcd"},
	{"kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"},
	{"kubectl", "k8s.io/kubernetes/cmd/kubectl"},
	{"kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"},
}

func main() {
	dir := flag.String("o", filepath.Join("..", "..", "bin", "k8s"), "folder for the binaries")
	offline := flag.Bool("offline", os.Getenv("CONTROLPLANE_OFFLINE") != "", "build, without a try to download")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, *dir, *offline); err != nil {
		fmt.Fprintln(os.Stderr, "controlplane:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string, offline bool) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	want, err := readPins()
	if err != nil {
		return err
	}
	if len(missing(dir, want)) == 0 {
		return nil
	}
	unlock, err := lock(dir)
	if err != nil {
		return err
	}
	defer unlock()
	// Another run may have done some of it while this one waited for the lock.
	todo := missing(dir, want)
	if len(todo) == 0 {
		return nil
	}
	if !offline && download(ctx, dir, want, todo) {
		todo = missing(dir, want)
	}
	return build(ctx, dir, want, todo)
}

// missing are the binaries that are not there, or were made for other pins.
func missing(dir string, want pins) []binary {
	var todo []binary
	for _, b := range binaries {
		stamp, err := os.ReadFile(stampFile(dir, b))
		if err != nil || string(stamp) != want.stamp {
			todo = append(todo, b)
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, b.name)); err != nil {
			todo = append(todo, b)
		}
	}
	return todo
}

// install moves a finished binary to its place; the stamp, which says so, is written last.
func install(dir string, b binary, want pins, from string) error {
	if err := os.Remove(stampFile(dir, b)); err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := os.Rename(from, filepath.Join(dir, b.name)); err != nil {
		return err
	}
	return os.WriteFile(stampFile(dir, b), []byte(want.stamp), 0o644)
}

func stampFile(dir string, b binary) string {
	return filepath.Join(dir, "."+b.name+".stamp")
}

// lock makes a second run wait for the first one.
func lock(dir string) (func(), error) {
	file, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		fmt.Println("controlplane: another run is at it, waiting for it to end")
		if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
			return nil, fmt.Errorf("lock %s: %w", file.Name(), err)
		}
	}
	// Closing the file gives the lock back.
	return func() { _ = file.Close() }, nil
}
