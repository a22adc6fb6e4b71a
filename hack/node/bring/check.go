package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// namespaces are what a node has of its own.
const namespaces = syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC

// check tells why no node can be brought up on this machine: a package is missing, or the machine does not let this
// process do what a node does.
func check(ctx context.Context) error {
	if err := checkNeeds(); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe", probeCommand)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("this machine does not let a node live: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// probe does in namespaces of its own what a machine may forbid to a node. Nothing of it outlives the process.
func probe(ctx context.Context) error {
	return errors.Join(probeMounts(), connect(ctx), probeFilters(ctx), probeCgroups())
}

func probeMounts() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	if err := syscall.Mount("own", "/run", "tmpfs", 0, ""); err != nil {
		return fmt.Errorf("mount a tmpfs: %w", err)
	}
	for _, dir := range []string{"lower", "upper", "work", "merged"} {
		if err := os.Mkdir(filepath.Join("/run", dir), 0o755); err != nil {
			return err
		}
	}
	// containerd's way to put the layers of an image on each other.
	const layers = "lowerdir=/run/lower,upperdir=/run/upper,workdir=/run/work"
	if err := syscall.Mount("overlay", "/run/merged", "overlay", 0, layers); err != nil {
		return fmt.Errorf("mount an overlay: %w", err)
	}
	return nil
}

// probeFilters makes a rule as kube-proxy makes them, and an interface as a Pod has one.
func probeFilters(ctx context.Context) error {
	for _, args := range []string{
		"ip link add pod type veth peer name node",
		"iptables -t nat -A POSTROUTING -m comment --comment probe -m mark --mark 0x4000/0x4000 -j MASQUERADE",
		"iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
		"iptables -t nat -A OUTPUT -m statistic --mode random --probability 0.5 -j RETURN",
	} {
		fields := strings.Fields(args)
		//nolint:gosec // the commands above
		if out, err := exec.CommandContext(ctx, fields[0], fields[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", args, err, out)
		}
	}
	return nil
}

func probeCgroups() error {
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	if len(roots) == 0 {
		return errors.New("there are no cgroups")
	}
	for _, root := range roots {
		dir, err := os.MkdirTemp(root, cgroupRoot+"-probe-")
		if err != nil {
			return err
		}
		if err := os.Remove(dir); err != nil {
			return err
		}
	}
	return nil
}
