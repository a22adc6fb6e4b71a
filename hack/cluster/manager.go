package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/chatt2me/webhook-operator/hack/loopback"
)

const (
	managerStartTimeout = time.Minute
	managerStopTimeout  = 20 * time.Second
	managerControllers  = "namespace-controller,garbage-collector-controller,serviceaccount-controller"
)

// controllerManager is a running kube-controller-manager.
type controllerManager struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed once the process has ended
}

// startControllerManager starts kube-controller-manager and waits until it is healthy.
func (c *Cluster) startControllerManager(ctx context.Context, output io.Writer) (*controllerManager, error) {
	m := &controllerManager{exited: make(chan struct{})}
	address, err := loopback.Reserve(ctx)
	if err != nil {
		return nil, err
	}
	kubeconfig := filepath.Join(c.dir, "manager", "kubeconfig")
	if err := os.WriteFile(kubeconfig, c.kubeconfig, 0o600); err != nil {
		return nil, err
	}
	// It lives until Stop, whatever becomes of the context of Start.
	binary, flags := c.Binary("kube-controller-manager"), c.managerFlags(kubeconfig, address)
	m.cmd = exec.CommandContext(context.WithoutCancel(ctx), binary, flags...)
	m.cmd.Stdout, m.cmd.Stderr = output, output
	// A group of its own: Ctrl-C at the terminal is for the parent, which then stops this in order.
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := m.cmd.Start(); err != nil {
		return nil, err
	}
	go func(cmd *exec.Cmd) {
		defer close(m.exited)
		_ = cmd.Wait() // How it ended is of no use to anybody: why stands in its output.
	}(m.cmd)
	if err := m.waitHealthy(ctx, address, c.env.ControlPlane.GetAPIServer().CA); err != nil {
		return nil, errors.Join(fmt.Errorf("start kube-controller-manager: %w", err), m.stop())
	}
	return m, nil
}

func (c *Cluster) managerFlags(kubeconfig string, address netip.AddrPort) []string {
	certs := c.env.ControlPlane.GetAPIServer().CertDir
	return []string{
		"--kubeconfig=" + kubeconfig,
		"--authentication-kubeconfig=" + kubeconfig,
		"--authorization-kubeconfig=" + kubeconfig,
		"--controllers=" + managerControllers,
		"--service-account-private-key-file=" + filepath.Join(certs, "sa-signer.key"),
		"--leader-elect=false",
		"--bind-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(int(address.Port())),
		// The API server's certificate is for loopback too, and its CA is known here.
		"--tls-cert-file=" + filepath.Join(certs, "apiserver.crt"),
		"--tls-private-key-file=" + filepath.Join(certs, "apiserver.key"),
		"--concurrent-namespace-syncs=5",
		"--concurrent-gc-syncs=5",
	}
}

func (m *controllerManager) waitHealthy(ctx context.Context, address netip.AddrPort, ca []byte) error {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 5 * time.Second}

	ctx, cancel := context.WithTimeout(ctx, managerStartTimeout)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if healthy(ctx, client, address) {
			return nil
		}
		select {
		case <-m.exited:
			m.cmd = nil
			return errors.New("it ended before it was healthy; what it printed goes to Options.Output")
		case <-ctx.Done():
			return fmt.Errorf("it is not healthy: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

func healthy(ctx context.Context, client *http.Client, address netip.AddrPort) bool {
	url := "https://" + address.String() + "/healthz"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	return errors.Join(response.Body.Close()) == nil && response.StatusCode == http.StatusOK
}

// stop ends the process, if it still runs.
func (m *controllerManager) stop() error {
	if m.cmd == nil {
		return nil
	}
	if err := m.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-m.exited:
		return nil
	case <-time.After(managerStopTimeout):
		err := m.cmd.Process.Kill()
		<-m.exited
		return errors.Join(errors.New("kube-controller-manager did not end on SIGTERM and was killed"), err)
	}
}
