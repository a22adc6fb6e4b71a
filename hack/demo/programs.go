package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/chatt2me/webhook-operator/hack/cluster"
)

// startEndpoints starts two receivers, and what plays the kubelet for the first one.
func (w *world) startEndpoints(ctx context.Context) error {
	ca, err := w.folder.newAuthority("endpoints")
	if err != nil {
		return err
	}
	cert, key, err := w.folder.issue(ca)
	if err != nil {
		return err
	}
	serve := []string{
		"receiver", "--bind-address=127.0.0.1:0", "--tls-cert-file=" + cert, "--tls-private-key-file=" + key,
	}
	volume := w.folder.path("volume")
	if err := os.Mkdir(volume, 0o700); err != nil {
		return err
	}
	program, err := operatorBinary()
	if err != nil {
		return err
	}
	if err := w.folder.launch("receiver-shop", true, program, serve...); err != nil {
		return err
	}
	err = w.folder.launch("receiver-chat", true, program, append(serve,
		"--path="+signedPath, "--signing-secret-dir="+volume,
		"--require-header="+headerName+"="+w.folder.path("keys", "endpoint-token"))...)
	if err != nil {
		return err
	}
	if w.signedURL, err = w.address(ctx, "receiver-chat-errors"); err != nil {
		return err
	}
	if w.unsignedURL, err = w.address(ctx, "receiver-shop-errors"); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return w.folder.launch("volume", false, self, volumeCommand, "--kubeconfig="+w.folder.path("kubeconfig"),
		"--namespace=chat", "--secret="+signedSecret, "--into="+volume)
}

func (w *world) address(ctx context.Context, log string) (string, error) {
	found, err := w.folder.addresses(ctx, log, 1)
	if err != nil {
		return "", err
	}
	return found[0], nil
}

func (w *world) startHub(ctx context.Context) error {
	ca, err := w.folder.newAuthority("hub")
	if err != nil {
		return err
	}
	cert, key, err := w.folder.issue(ca)
	if err != nil {
		return err
	}
	program, err := operatorBinary()
	if err != nil {
		return err
	}
	err = w.folder.launch("hub", false, program, "hub-simulator",
		"--bind-address=127.0.0.1:0", "--admin-bind-address=127.0.0.1:0", "--tls-cert-file="+cert,
		"--tls-private-key-file="+key, "--applications-file="+w.folder.path("keys", "applications.yaml"),
		"--endpoint-ca-file="+w.folder.caFile("endpoints"))
	if err != nil {
		return err
	}
	found, err := w.folder.addresses(ctx, "hub", 2)
	if err != nil {
		return err
	}
	w.hubURL, w.adminURL = found[0], found[1]
	return nil
}

// startOperator starts the operator with the rights of its ServiceAccount: a client certificate for that name does not
// expire as a token would.
func (w *world) startOperator() error {
	config, err := w.cluster.AddUser(operatorAccount)
	if err != nil {
		return err
	}
	kubeconfig, err := cluster.Kubeconfig(config)
	if err != nil {
		return err
	}
	path := w.folder.path("kubeconfig-operator")
	if err := os.WriteFile(path, kubeconfig, 0o600); err != nil {
		return err
	}
	program, err := operatorBinary()
	if err != nil {
		return err
	}
	return w.folder.launch("operator", false, program, "operator", "--kubeconfig="+path, "--hub-url="+w.hubURL,
		"--hub-ca-file="+w.folder.caFile("hub"), "--hub-poll-interval=5s", "--health-probe-bind-address=0")
}

func operatorBinary() (string, error) {
	path, err := filepath.Abs(filepath.Join("bin", "chatt2-webhook-operator"))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%w: run `make build`, or `make demo`, which does", err)
	}
	return path, nil
}
