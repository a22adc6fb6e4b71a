package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/client-go/rest"

	"github.com/chatt2me/webhook-operator/hack/cluster"
)

// install gives the operator the rights that config/default gives it.
func (w *world) install(ctx context.Context) error {
	admin := filepath.Join(w.dir, "kubeconfig-admin")
	if err := os.WriteFile(admin, w.cluster.Kubeconfig(), 0o600); err != nil {
		return err
	}
	manifests, err := w.kubectl(ctx, nil, "kustomize", filepath.Join("config", "default"))
	if err != nil {
		return err
	}
	// The CRD is there already; while it is changed its resources are not.
	documents := slices.DeleteFunc(bytes.Split(manifests, []byte("\n---\n")), func(document []byte) bool {
		return bytes.Contains(document, []byte("\nkind: CustomResourceDefinition\n"))
	})
	rest := bytes.Join(documents, []byte("\n---\n"))
	if _, err = w.kubectl(ctx, rest, "--kubeconfig="+admin, "apply", "--server-side", "-f", "-"); err != nil {
		return err
	}
	if w.access, err = w.cluster.AddUser(operatorAccount); err != nil {
		return err
	}
	if err := w.writeKubeconfig(w.access); err != nil {
		return err
	}
	return w.prepareNamespace(ctx)
}

func (w *world) kubectl(ctx context.Context, input []byte, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, w.cluster.Binary("kubectl"), args...)
	cmd.Stdin = bytes.NewReader(input)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("kubectl %s: %w\n%s", strings.Join(args, " "), err, complaints.Bytes())
	}
	return out, nil
}

func (w *world) writeKubeconfig(access *rest.Config) error {
	content, err := cluster.Kubeconfig(access)
	if err != nil {
		return err
	}
	w.kubeconfig = filepath.Join(w.dir, "kubeconfig-operator")
	return os.WriteFile(w.kubeconfig, content, 0o600)
}
