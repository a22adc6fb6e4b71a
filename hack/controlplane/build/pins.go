package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// pins are the versions that go.mod of this module asks for.
type pins struct {
	kubernetes string // such as v1.37.2
	stamp      string // differs whenever a binary must be made anew
}

var kubernetesVersion = regexp.MustCompile(`(?m)^\s+k8s\.io/kubernetes (v[0-9][^\s]*)`)

func readPins() (pins, error) {
	sum := sha256.New()
	for _, name := range []string{"go.mod", "go.sum", filepath.Join("etcd", "main.go")} {
		content, err := os.ReadFile(name)
		if err != nil {
			return pins{}, fmt.Errorf("%w (to be run in hack/controlplane)", err)
		}
		sum.Write(content)
	}
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		return pins{}, err
	}
	version := kubernetesVersion.FindSubmatch(mod)
	if version == nil {
		return pins{}, fmt.Errorf("go.mod does not require k8s.io/kubernetes")
	}
	kubernetes := string(version[1])
	stamp := fmt.Sprintf("kubernetes %s %s/%s %x\n", kubernetes, runtime.GOOS, runtime.GOARCH, sum.Sum(nil))
	return pins{kubernetes: kubernetes, stamp: stamp}, nil
}

// minor is the pinned version as setup-envtest wants it: any patch of the minor version, such as 1.37.x.
func (p pins) minor() string {
	parts := strings.SplitN(strings.TrimPrefix(p.kubernetes, "v"), ".", 3)
	return parts[0] + "." + parts[1] + ".x"
}
