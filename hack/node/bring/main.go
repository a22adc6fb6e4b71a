// Command bring brings a real Kubernetes node up on this machine, without a registry or a container engine, and down
// again: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubelet, kube-proxy, containerd and runc, in
// namespaces of their own for processes, network and mounts. Nothing outside of these and of bin/node is changed, and
// ending the first process of theirs ends all of it. The API server is reached on loopback. It needs Linux and root.
//
//	go -C hack/node run ./bring up                    # writes bin/node/run/kubeconfig
//	go -C hack/node run ./bring load NAME LAYOUT      # gives the node an image, made by hack/image
//	go -C hack/node run ./bring down
//	go -C hack/node run ./bring needs                 # prints the packages of Debian that are missing
//	go -C hack/node run ./bring check                 # tells why there can be no node here
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// insideCommand and probeCommand are how the program calls itself in namespaces of their own.
const (
	insideCommand = "inside"
	probeCommand  = "probe"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
		os.Exit(1) //nolint:gocritic // nothing is left for stop to do
	}
}

func run(ctx context.Context, args []string) error {
	f, err := findFolder()
	if err != nil {
		return err
	}
	switch {
	case len(args) == 1 && args[0] == "up":
		return up(ctx, f)
	case len(args) == 1 && args[0] == "down":
		return down(ctx, f)
	case len(args) == 3 && args[0] == "load":
		return load(ctx, f, args[1], args[2])
	case len(args) == 1 && args[0] == "needs":
		fmt.Println(strings.Join(missingPackages(), " "))
		return nil
	case len(args) == 1 && args[0] == "check":
		return check(ctx)
	case len(args) == 1 && args[0] == probeCommand:
		return probe(ctx)
	case len(args) == 1 && args[0] == insideCommand:
		return inside(ctx, f)
	}
	return errors.New("usage: bring up | down | needs | check | load NAME LAYOUT")
}
