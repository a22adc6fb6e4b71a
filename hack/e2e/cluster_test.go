package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// cluster is a cluster with nodes: the one of KUBECONFIG, or else a node that hack/node brings up on this machine.
type cluster struct {
	client.Client
	root, image, tools, kubeconfig string
	// node: it is the node of hack/node; ours: it was brought up here.
	node, ours bool
	// folder is for what the tests make.
	folder string
}

// begin finds the cluster, and gives it the image of the present code if it is the node of hack/node.
func (c *cluster) begin(ctx context.Context) (err error) {
	if err := os.MkdirAll(filepath.Join(c.root, "bin"), 0o755); err != nil {
		return err
	}
	// Kustomize takes a folder of the repository by a relative path only.
	if c.folder, err = os.MkdirTemp(filepath.Join(c.root, "bin"), "e2e-"); err != nil {
		return err
	}
	if c.kubeconfig = os.Getenv("KUBECONFIG"); c.kubeconfig == "" {
		if err := c.bringUp(ctx); err != nil {
			return err
		}
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules() // KUBECONFIG may name several files
	if c.node {
		rules.ExplicitPath = c.kubeconfig
	}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		return err
	}
	config.QPS, config.Burst = 50, 100
	if err := v1alpha1.AddToScheme(scheme.Scheme); err != nil {
		return err
	}
	c.Client, err = client.New(config, client.Options{Scheme: scheme.Scheme})
	return err
}

// bringUp uses the node that is up, or brings one up.
func (c *cluster) bringUp(ctx context.Context) error {
	c.node, c.kubeconfig = true, filepath.Join(c.nodeFolder(), "kubeconfig")
	if _, err := os.Stat(filepath.Join(c.nodeFolder(), "ready")); err != nil {
		// It cleans up by itself when it fails.
		if err := c.bring(ctx, "up"); err != nil {
			return err
		}
		c.ours = true
	}
	layout, err := c.makeImage(ctx)
	if err != nil {
		return err
	}
	name := c.image
	if !strings.Contains(name, "/") {
		name = "docker.io/library/" + name // what the kubelet takes such a name for
	}
	return c.bring(ctx, "load", name, layout)
}

// imageParts are the name of the image and its tag.
func (c *cluster) imageParts() (repository, tag string) {
	at := strings.LastIndex(c.image, ":")
	if at <= strings.LastIndex(c.image, "/") {
		return c.image, "latest"
	}
	return c.image[:at], c.image[at+1:]
}

// bring calls hack/node and shows what it says.
func (c *cluster) bring(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"-C", filepath.Join(c.root, "hack", "node"), "run", "./bring"}, args...)...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	// An interrupted one has to clean up.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	return cmd.Run()
}

// nodeFolder is where the node of hack/node keeps its files.
func (c *cluster) nodeFolder() string { return filepath.Join(c.root, "bin", "node", "run") }

// makeImage makes the image that the Dockerfile describes, as an OCI layout.
func (c *cluster) makeImage(ctx context.Context) (layout string, err error) {
	binary := filepath.Join(c.folder, "chatt2-webhook-operator")
	layout = filepath.Join(c.folder, "image")
	for _, args := range [][]string{
		{"build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", binary, c.root},
		{
			"-C", filepath.Join(c.root, "hack", "image"), "run", ".", "-dockerfile", filepath.Join(c.root, "Dockerfile"),
			"-o", layout, "linux/" + runtime.GOARCH + "=" + binary,
		},
	} {
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return layout, nil
}

func (c *cluster) end(ctx context.Context) error {
	var errs []error
	if c.ours {
		errs = append(errs, c.bring(ctx, "down"))
	}
	if c.folder != "" {
		errs = append(errs, os.RemoveAll(c.folder))
	}
	return errors.Join(errs...)
}

// run runs kubectl, helm or kustomize.
func (c *cluster) run(ctx context.Context, input io.Reader, name string, args ...string) (string, error) {
	var out, complaints bytes.Buffer
	cmd := c.command(ctx, name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = input, &out, &complaints
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, complaints.String())
	}
	return out.String(), nil
}

func (c *cluster) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	path := filepath.Join(c.tools, name)
	if name == "kubectl" {
		path = filepath.Join(c.root, "bin", "k8s", name)
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+c.kubeconfig, "HELM_CACHE_HOME="+c.folder, "HELM_CONFIG_HOME="+c.folder)
	return cmd
}
