package process_test

import (
	"cmp"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	. "github.com/onsi/gomega"

	"github.com/chatt2me/webhook-operator/hack/loopback"
)

// operator is a running operator.
type operator struct {
	world *world
	cmd   *exec.Cmd
	// log is what it prints, on standard output and standard error.
	log *buffer
	// probes and metrics are addresses.
	probes, metrics string
	ended           chan struct{}
}

// start starts an operator with the rights of an installation and waits until it is ready to work. Flags are laid over
// those that every test needs.
func (w *world) start(i *installation, flags ...string) *operator {
	w.Helper()
	o := w.launch(i, flags...)
	w.Eventually(func() (int, error) {
		select {
		case <-o.ended:
			return 0, StopTrying("it has ended")
		default:
			return w.status("http://" + o.probes + "/readyz")
		}
	}).Should(Equal(http.StatusOK), "the operator is not ready: %s", o.log)
	return o
}

func (w *world) launch(i *installation, flags ...string) *operator {
	w.Helper()
	o := &operator{world: w, log: &buffer{}, probes: w.freeAddress(), metrics: w.freeAddress(), ended: make(chan struct{})}
	o.cmd = exec.Command(binary, append([]string{
		"operator", "--kubeconfig=" + w.kubeconfig(i.access), "--hub-url=" + cmp.Or(w.hubURL, w.hub.URL), "--hub-ca-file=" + w.hubCA(),
		"--hub-poll-interval=1s", "--hub-qps=100", "--hub-burst=100", "--hub-timeout=5s", "--hub-settle-time=6s",
		"--leader-election-namespace=" + i.namespace, "--health-probe-bind-address=" + o.probes,
		"--metrics-bind-address=" + o.metrics, "--zap-log-level=10",
	}, append(w.flags, flags...)...)...)
	o.cmd.Env = append(environment(w.TempDir()), w.env...)
	o.cmd.Stdout, o.cmd.Stderr = o.log, o.log
	w.must(o.cmd.Start())
	go func() {
		defer close(o.ended)
		_ = o.cmd.Wait() // how it ended is read from its state
	}()
	w.operators = append(w.operators, o)
	w.Cleanup(o.kill)
	return o
}

// environment is what a process needs, without anything that would set a flag or give access to a cluster.
func environment(home string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + home}
}

// kill ends the operator like a crash does.
func (o *operator) kill() {
	_ = o.cmd.Process.Kill() // it may have ended by itself
	<-o.ended
}

// terminate asks the operator to stop and gives its exit code and how long it took.
func (o *operator) terminate(grace time.Duration) (code int, took time.Duration) {
	o.world.Helper()
	asked := time.Now()
	o.world.must(o.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-o.ended:
	case <-time.After(grace):
		o.world.Fatalf("the operator does not end within %s: %s", grace, o.log)
	}
	return o.cmd.ProcessState.ExitCode(), time.Since(asked)
}

// freeAddress is a loopback address that nobody else uses during the test.
func (w *world) freeAddress() string {
	w.Helper()
	address, err := loopback.Reserve(w.Context())
	w.must(err)
	return address.String()
}

// status is the status code of a GET.
func (w *world) status(url string) (int, error) {
	answer, err := w.plain.Get(url)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}

func (w *world) hubCA() string {
	w.Helper()
	file := filepath.Join(w.TempDir(), "hub-ca.pem")
	w.must(os.WriteFile(file, w.hub.CAPEM, 0o600))
	return file
}

// buffer is a text that several write to.
type buffer struct {
	mu sync.Mutex
	b  strings.Builder
}

// Write is for package io.
func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) all() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// String is the end of it, for a message of a test.
func (b *buffer) String() string {
	all := b.all()
	return all[max(len(all)-4000, 0):]
}
