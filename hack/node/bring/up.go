package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// up brings the node up and leaves it running.
func up(ctx context.Context, f folder) (err error) {
	if err := checkNeeds(); err != nil {
		return err
	}
	if err := build(ctx, f); err != nil {
		return err
	}
	if err := f.claim(); err != nil {
		return err
	}
	started := time.Now()
	defer func() {
		if err != nil {
			f.printTails()
			// The context may have ended: that is why we are here.
			err = errors.Join(err, down(context.WithoutCancel(ctx), f))
		}
	}()
	if err := makeImage(ctx, f); err != nil {
		return err
	}
	first, err := enter(ctx, f)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- first.Wait() }()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !isFile(f.ready()) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-ended:
			return fmt.Errorf("the node ended: %w", err)
		case <-tick.C:
		}
	}
	fmt.Printf("node: up after %s; export KUBECONFIG=%s\n", time.Since(started).Round(time.Second), f.kubeconfig())
	return nil
}

// makeImage makes the image of a Pod's sandbox.
func makeImage(ctx context.Context, f folder) error {
	cmd := exec.CommandContext(ctx, "go", "-C", f.project+"/hack/image", "run", ".",
		"-dockerfile", f.project+"/hack/node/pause/Dockerfile", "-o", f.path("images", "pause"),
		"linux/"+runtime.GOARCH+"="+f.binary("pause"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make the image of a Pod's sandbox: %w\n%s", err, out)
	}
	return nil
}

// enter starts the first process of the node in namespaces of its own.
func enter(ctx context.Context, f folder) (*exec.Cmd, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	tcp, ok := listener.(*net.TCPListener)
	if !ok {
		return nil, fmt.Errorf("%T is no TCP listener", listener)
	}
	socket, err := tcp.File()
	if err != nil {
		return nil, err
	}
	defer socket.Close()
	log, err := os.Create(f.log("node"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	// It lives until `down`, whatever becomes of the context of `up`.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), "/proc/self/exe", insideCommand)
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = log, log, []*os.File{socket}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: namespaces,
		Setsid:     true, // Ctrl-C is for `up`
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("make namespaces: %w", err)
	}
	identity, err := identify(cmd.Process.Pid)
	if err != nil {
		return nil, errors.Join(err, cmd.Process.Kill())
	}
	content := strconv.Itoa(cmd.Process.Pid) + " " + identity
	return cmd, os.WriteFile(f.path("pid"), []byte(content), 0o600)
}

// load gives an image to the node that is up.
func load(ctx context.Context, f folder, name, layout string) error {
	if !isFile(f.ready()) {
		return errors.New("no node is up")
	}
	return f.importImage(ctx, name, layout)
}
