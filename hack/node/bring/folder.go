package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// folder is where everything is: bin/node of the project.
type folder struct{ project string }

// longestSocket is what Linux takes for the path of a socket.
const longestSocket = 107

func findFolder() (folder, error) {
	here, err := os.Getwd()
	if err != nil {
		return folder{}, err
	}
	f := folder{project: filepath.Join(here, "..", "..")}
	if _, err := os.Stat(filepath.Join(f.project, "hack", "node", "bring")); err != nil {
		return folder{}, errors.New("it is to be run in hack/node: make node-up")
	}
	if len(f.socket()) > longestSocket {
		return folder{}, fmt.Errorf("the path of the project is too long for the socket %s", f.socket())
	}
	return f, nil
}

// binary is one that was built for the node, controlPlane one of `make controlplane`.
func (f folder) binary(name string) string {
	return filepath.Join(f.project, "bin", "node", "bin", name)
}

func (f folder) controlPlane(name string) string { return filepath.Join(f.project, "bin", "k8s", name) }

// path is a path in what one node leaves behind.
func (f folder) path(elements ...string) string {
	return filepath.Join(append([]string{f.project, "bin", "node", "run"}, elements...)...)
}

func (f folder) log(name string) string { return f.path("log", name+".log") }

func (f folder) socket() string { return f.path("containerd.sock") }

func (f folder) kubeconfig() string { return f.path("kubeconfig") }

// ready is there once Pods can run.
func (f folder) ready() string { return f.path("ready") }

// covered are folders of the machine that programs of the node write to whatever they are told. The node has its own.
var covered = []string{"/run", "/var/log", "/var/lib/cni", "/var/lib/kubelet"}

// claim makes the folder for a new node, and what is missing for mounts, with a note of it.
func (f folder) claim() error {
	if _, err := os.Stat(f.path()); err == nil {
		return errors.New("a node is up already, or was not brought down; `make node-down` does that")
	}
	for _, name := range []string{
		"log", "pki", "conf", "cni", "etcd", "kubelet", "containerd", "state", "pods", "images",
	} {
		if err := os.MkdirAll(f.path(name), 0o755); err != nil {
			return err
		}
	}
	missing := slices.DeleteFunc(slices.Clone(covered), isFile)
	if err := os.WriteFile(f.path("missing"), []byte(strings.Join(missing, "\n")), 0o600); err != nil {
		return err
	}
	for _, dir := range missing {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// unclaim removes what claim made.
func (f folder) unclaim() error {
	missing, err := os.ReadFile(f.path("missing"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for dir := range strings.FieldsSeq(string(missing)) {
		if err := os.Remove(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return os.RemoveAll(f.path())
}
