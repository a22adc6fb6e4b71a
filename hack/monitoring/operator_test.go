package monitoring_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chatt2me/webhook-operator/hack/cluster"
	"github.com/chatt2me/webhook-operator/hack/loopback"
)

// patience is how long a test waits for what is to come. A refused key is tried after a minute.
const patience = 150 * time.Second

// eventually waits for something.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline, tick := time.After(patience), time.NewTicker(100*time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// freeAddress is a loopback address that nobody else uses during the test.
func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := loopback.Reserve(t.Context())
	must(t, err)
	return address.String()
}

// run starts a program and ends it with the test, showing what it said if that failed. stop ends it earlier.
func run(t *testing.T, cmd *exec.Cmd) (stop func()) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	must(t, err)
	cmd.Stdout, cmd.Stderr = log, log
	must(t, cmd.Start())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // it is killed
	}()
	stop = func() {
		_ = cmd.Process.Kill() // it may have ended by itself
		<-ended
	}
	t.Cleanup(func() {
		stop()
		if said := string(read(t, log.Name())); t.Failed() {
			t.Logf("%s said: %s", filepath.Base(cmd.Path), said[max(0, len(said)-3000):])
		}
		log.Close()
	})
	return stop
}

// buildOperator builds the operator of this repository.
func buildOperator(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "chatt2-webhook-operator")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".")
	cmd.Dir = root()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the operator: %v\n%s", err, out)
	}
	return path
}

// startOperator starts a replica and gives the address of its metrics.
func (s *stage) startOperator(binary string, c *cluster.Cluster) (metrics string, stop func()) {
	s.Helper()
	dir := s.TempDir()
	kubeconfig, ca := filepath.Join(dir, "kubeconfig"), filepath.Join(dir, "hub-ca.pem")
	write(s.T, kubeconfig, c.Kubeconfig())
	write(s.T, ca, s.hub.CAPEM)
	probes, metrics := freeAddress(s.T), freeAddress(s.T)
	cmd := exec.Command(binary, "operator", "--kubeconfig="+kubeconfig, "--hub-url="+s.hub.URL, "--hub-ca-file="+ca,
		"--hub-poll-interval=1s", "--hub-qps=100", "--hub-burst=100", "--hub-timeout=5s", "--hub-settle-time=6s",
		"--leader-elect", "--leader-election-namespace=default", "--health-probe-bind-address="+probes,
		"--metrics-bind-address="+metrics)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir}
	stop = run(s.T, cmd)
	eventually(s.T, "the operator answers", func() bool {
		answer, err := http.Get("http://" + probes + "/healthz") //nolint:forbidigo // a probe on loopback, no more
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	return metrics, stop
}
