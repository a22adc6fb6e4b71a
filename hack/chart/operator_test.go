package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	. "github.com/onsi/gomega"

	"github.com/chatt2me/webhook-operator/hack/cluster"
	"github.com/chatt2me/webhook-operator/hack/loopback"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator/simulatortest"
)

// operator is a running operator.
type operator struct {
	log *buffer
	// probes and metrics are addresses.
	probes, metrics string
	cmd             *exec.Cmd
}

// kill ends it at once, as a crash does.
func (o *operator) kill() {
	_ = o.cmd.Process.Kill() // it may have ended by itself
}

// grace is terminationGracePeriodSeconds of the Deployment.
const grace = 45 * time.Second

// startOperator starts the operator with the flags of a Deployment, but for addresses, and a token of the
// ServiceAccount that the chart made for it. It ends with the test.
func (s *site) startOperator(hub *simulatortest.Hub, flags []string) *operator {
	s.Helper()
	access, err := shared.ServiceAccount(s.Context(), s.namespace, release)
	s.Expect(err).NotTo(HaveOccurred())
	kubeconfig, err := cluster.Kubeconfig(access)
	s.Expect(err).NotTo(HaveOccurred())
	folder := s.TempDir()
	for name, content := range map[string][]byte{"kubeconfig": kubeconfig, "ca.crt": hub.CAPEM} {
		s.Expect(os.WriteFile(filepath.Join(folder, name), content, 0o600)).To(Succeed())
	}
	o := &operator{log: &buffer{}, probes: s.freeAddress(), metrics: s.freeAddress()}
	cmd := exec.Command(binary, append(flags, "--kubeconfig="+filepath.Join(folder, "kubeconfig"),
		"--hub-url="+hub.URL, "--hub-ca-file="+filepath.Join(folder, "ca.crt"), "--hub-poll-interval=1s",
		"--leader-election-namespace="+s.namespace, "--health-probe-bind-address="+o.probes,
		"--metrics-bind-address="+o.metrics)...)
	cmd.Env = []string{"HOME=" + folder}
	cmd.Stdout, cmd.Stderr = o.log, o.log
	o.cmd = cmd
	s.Expect(cmd.Start()).To(Succeed())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // how it ended does not matter
	}()
	s.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
		select {
		case <-ended:
		case <-time.After(grace):
			_ = cmd.Process.Signal(syscall.SIGQUIT) // it tells what it was at
			<-ended
			s.Errorf("the operator does not end within %s of SIGTERM", grace)
		}
		if s.Failed() {
			all := o.log.String()
			s.Log(all[max(len(all)-4000, 0):])
		}
	})
	return o
}

// freeAddress is a loopback address that nobody else uses during the test.
func (s *site) freeAddress() string {
	s.Helper()
	address, err := loopback.Reserve(s.Context())
	s.Expect(err).NotTo(HaveOccurred())
	return address.String()
}

// buffer is a text that a process writes while a test reads it.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write is for package io.
func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// String is all that was written.
func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
