package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"time"
)

// program is one that is built from the modules of hack/node.
type program struct {
	name, pkg, tags string
	// cgo is for runc alone, which is given its seccomp profile by a library of C.
	cgo bool
}

const withoutC = "no_btrfs no_devmapper no_zfs"

var programs = []program{
	{name: "pause", pkg: "./pause"},
	{name: "runc", pkg: "github.com/opencontainers/runc", tags: "seccomp", cgo: true},
	{name: "ctr", pkg: "github.com/containerd/containerd/v2/cmd/ctr", tags: withoutC},
	{name: "containerd", pkg: "github.com/containerd/containerd/v2/cmd/containerd", tags: withoutC},
	{
		name: "containerd-shim-runc-v2", pkg: "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
		tags: withoutC,
	},
	{name: "kube-proxy", pkg: "k8s.io/kubernetes/cmd/kube-proxy"},
	{name: "kube-scheduler", pkg: "k8s.io/kubernetes/cmd/kube-scheduler"},
	{name: "kubelet", pkg: "k8s.io/kubernetes/cmd/kubelet"},
}

var kubernetesVersion = regexp.MustCompile(`(?m)^\s+k8s\.io/kubernetes (v[0-9]\S*)`)

// build builds what is not there, or was built for other pins.
func build(ctx context.Context, f folder) error {
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		return err
	}
	sums, err := os.ReadFile("go.sum")
	if err != nil {
		return err
	}
	version := kubernetesVersion.FindSubmatch(mod)
	if version == nil {
		return errors.New("go.mod does not require k8s.io/kubernetes")
	}
	stamp := fmt.Sprintf("%s %s %x\n", runtime.Version(), runtime.GOARCH, sha256.Sum256(append(mod, sums...)))
	if err := os.MkdirAll(filepath.Dir(f.binary("")), 0o755); err != nil {
		return err
	}
	for _, p := range programs {
		stampFile := f.binary("." + p.name + ".stamp")
		if done, err := os.ReadFile(stampFile); err == nil && string(done) == stamp && isFile(f.binary(p.name)) {
			continue
		}
		fmt.Printf("node: building %s (kubelet and containerd take minutes the first time)\n", p.name)
		started := time.Now()
		if err := p.build(ctx, f, string(version[1])); err != nil {
			return err
		}
		fmt.Printf("node: built %s in %s\n", p.name, time.Since(started).Round(time.Second))
		if err := os.WriteFile(stampFile, []byte(stamp), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (p program) build(ctx context.Context, f folder, kubernetes string) error {
	ldflags := "-s -w -X k8s.io/component-base/version.gitVersion=" + kubernetes
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", p.tags, "-ldflags", ldflags,
		"-o", f.binary(p.name), p.pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if p.cgo {
		cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", p.name, err, out)
	}
	return nil
}
