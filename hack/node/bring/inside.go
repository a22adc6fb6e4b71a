package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// stepTimeout is how long a part of the node may take to answer.
const stepTimeout = 3 * time.Minute

// listenerFile is what the first process of the node is given: a socket that listens outside of its network.
const listenerFile = 3

// inside is the first process in the namespaces of the node. When it ends, the kernel ends all others there.
func inside(ctx context.Context, f folder) error {
	pki, err := makePKI(f.path("pki"))
	if err != nil {
		return err
	}
	outside, err := net.FileListener(os.NewFile(listenerFile, "listener"))
	if err != nil {
		return err
	}
	if err := errors.Join(isolate(f), connect(ctx), makeCgroups()); err != nil {
		return err
	}
	if err := writeConfigs(f, pki, outside.Addr().String()); err != nil {
		return err
	}
	config, err := pki.client()
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: config}}
	conn, err := (&net.ListenConfig{}).ListenPacket(ctx, "udp", nodeIP+":53")
	if err != nil {
		return err
	}
	go names{client}.serve(ctx, conn)
	go letIn(ctx, outside)
	members, err := startAll(ctx, f, client)
	if err != nil {
		return err
	}
	go func() {
		if err := until(ctx, "the node is ready", func() error { return nodeReady(ctx, client) }); err != nil {
			fmt.Fprintln(os.Stderr, "node:", err)
			os.Exit(1)
		}
		if err := os.WriteFile(f.ready(), nil, 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "node:", err)
			os.Exit(1)
		}
	}()
	return reap(members)
}

// isolate gives the node its own mounts: its own /proc and folders of state, and kernel settings that the kubelet finds
// to be what it wants, for it would change those of the machine.
func isolate(f folder) error {
	const private = syscall.MS_REC | syscall.MS_PRIVATE
	if err := syscall.Mount("", "/", "", private, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	for _, dir := range covered {
		if err := syscall.Mount("own", dir, "tmpfs", 0, ""); err != nil {
			return fmt.Errorf("cover %s: %w", dir, err)
		}
	}
	for name, value := range map[string]string{
		"vm/overcommit_memory": "1", "vm/panic_on_oom": "0", "kernel/panic": "10", "kernel/panic_on_oops": "1",
		"kernel/keys/root_maxkeys": "1000000", "kernel/keys/root_maxbytes": "25000000",
	} {
		file := f.path("conf", strings.ReplaceAll(name, "/", "-"))
		if err := os.WriteFile(file, []byte(value+"\n"), 0o644); err != nil {
			return err
		}
		if err := syscall.Mount(file, "/proc/sys/"+name, "", syscall.MS_BIND, ""); err != nil {
			return fmt.Errorf("cover %s: %w", name, err)
		}
	}
	return nil
}

// connect sets the network of the node up, which has nothing but loopback so far, and that is down.
func connect(ctx context.Context) error {
	for _, args := range []string{
		"link set lo up",
		"link add uplink type bridge", "addr add " + nodeNet + " dev uplink", "link set uplink up",
		// Without a way out the addresses of Services could not be reached: they are changed on the way.
		"route add default dev uplink",
	} {
		if out, err := exec.CommandContext(ctx, "ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", args, err, out)
		}
	}
	return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1\n"), 0o644)
}

// letIn takes connections from outside to the API server.
func letIn(ctx context.Context, outside net.Listener) {
	for {
		near, err := outside.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, "node:", err)
			return
		}
		go func() {
			defer near.Close()
			far, err := (&net.Dialer{}).DialContext(ctx, "tcp", apiServer)
			if err != nil {
				return // As if nobody listened.
			}
			defer far.Close()
			go func() {
				_, _ = io.Copy(far, near)
				_ = far.Close()
			}()
			_, _ = io.Copy(near, far)
		}()
	}
}
