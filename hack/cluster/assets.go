package cluster

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrNoBinaries says that the binaries of the control plane are not where they should be.
var ErrNoBinaries = errors.New("no control plane binaries: run `make controlplane`")

// requiredBinaries are looked for before anything is started, so that what is missing is said in one line.
var requiredBinaries = []string{"etcd", "kube-apiserver", "kube-controller-manager", "kubectl"}

// Binary is the path of a binary of the control plane, such as kubectl.
func (c *Cluster) Binary(name string) string {
	return filepath.Join(c.assets, name)
}

// findAssets is the folder of KUBEBUILDER_ASSETS, or else bin/k8s of this module.
func findAssets() (string, error) {
	dir := os.Getenv("KUBEBUILDER_ASSETS")
	if dir == "" {
		root, err := moduleRoot()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(root, "bin", "k8s")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for _, name := range requiredBinaries {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return "", fmt.Errorf("%w (%s)", ErrNoBinaries, err.Error())
		}
	}
	return dir, nil
}

// moduleRoot is the nearest folder upwards that holds this module: tests run in the folder of their package.
func moduleRoot() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "PROJECT")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no folder with a PROJECT file at or above %s", start)
		}
	}
}

func defaultCRDs(root string) []string {
	return []string{filepath.Join(root, "config", "crd", "bases")}
}
