package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// startAll starts the programs of the node, by their process ids, each once it can work.
func startAll(ctx context.Context, f folder, client *http.Client) (map[int]string, error) {
	members := map[int]string{}
	for _, m := range []member{f.etcd(), f.apiServer(), f.containerd()} {
		if err := f.add(members, m); err != nil {
			return nil, err
		}
	}
	err := until(ctx, "containerd has the image of a Pod's sandbox", func() error {
		return f.importImage(ctx, pauseImage, f.path("images", "pause"))
	})
	if err != nil {
		return nil, err
	}
	err = until(ctx, "kube-apiserver is ready", func() error {
		_, err := get(ctx, client, "/readyz", nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, m := range f.rest() {
		if err := f.add(members, m); err != nil {
			return nil, err
		}
	}
	return members, nil
}

func (f folder) add(members map[int]string, m member) error {
	process, err := f.start(m)
	if err != nil {
		return fmt.Errorf("start %s: %w", m.name, err)
	}
	members[process.Pid] = m.name
	return nil
}

// importImage gives the image in a tar file to containerd.
func (f folder) importImage(ctx context.Context, name, layout string) error {
	tar := layout + ".tar"
	//nolint:gosec // whoever runs this names the folder
	if out, err := exec.CommandContext(ctx, "tar", "-C", layout, "-cf", tar, ".").CombinedOutput(); err != nil {
		return fmt.Errorf("tar: %w: %s", err, out)
	}
	defer os.Remove(tar)
	//nolint:gosec // whoever runs this names the image
	out, err := exec.CommandContext(ctx, f.binary("ctr"), "--address", f.socket(), "--namespace", "k8s.io",
		"images", "import", "--index-name", name, tar).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ctr images import: %w: %s", err, out)
	}
	return nil
}

// nodeReady says why the node is not ready, and that the account of its Pods is there.
func nodeReady(ctx context.Context, client *http.Client) error {
	var node struct {
		Status struct {
			Conditions []struct{ Type, Status, Message string }
		}
	}
	status, err := get(ctx, client, "/api/v1/nodes/"+nodeName, &node)
	if err != nil {
		return err
	}
	if status == http.StatusNotFound {
		return errors.New("the kubelet has not come")
	}
	for _, c := range node.Status.Conditions {
		if c.Type == "Ready" && c.Status != "True" {
			return errors.New(c.Message)
		}
	}
	status, err = get(ctx, client, "/api/v1/namespaces/default/serviceaccounts/default", nil)
	if err == nil && status == http.StatusNotFound {
		err = errors.New("there is no default ServiceAccount")
	}
	return err
}

// until tries until it works.
func until(ctx context.Context, what string, try func() error) error {
	deadline := time.NewTimer(stepTimeout)
	defer deadline.Stop()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline.C:
			return fmt.Errorf("not within %s: %s: %w", stepTimeout, what, err)
		case <-tick.C:
		}
	}
}

// reap does what the first process has to: it takes notice of every process that ends. One of the node's programs that
// ends is an error.
func reap(members map[int]string) error {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("wait for processes: %w", err)
		}
		if name, ours := members[pid]; ours {
			return fmt.Errorf("%s ended (status %d, signal %d)", name, status.ExitStatus(), status.Signal())
		}
	}
}
