package process_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestABadStartIsToldInOneLine(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	good := filepath.Join(home, "kubeconfig")
	write(t, good, string(shared.Kubeconfig()))
	garbage := filepath.Join(home, "garbage")
	write(t, garbage, "this is no PEM")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"an unknown flag":        {[]string{"--no-such-flag"}, "--no-such-flag"},
		"an unknown command":     {[]string{"no-such-command"}, "no-such-command"},
		"a wrong value":          {[]string{"operator", "--hub-timeout=soon"}, "--hub-timeout"},
		"plain HTTP":             {[]string{"operator", "--kubeconfig=" + good, "--hub-url=http://127.0.0.1:1"}, "hub"},
		"too short to settle":    {[]string{"operator", "--kubeconfig=" + good, "--hub-settle-time=10s"}, "--hub-settle-time"},
		"no such kubeconfig":     {[]string{"operator", "--kubeconfig=/nowhere/kubeconfig"}, "/nowhere/kubeconfig"},
		"no kubeconfig":          {[]string{"operator"}, "--kubeconfig"},
		"no such CA file":        {[]string{"operator", "--kubeconfig=" + good, "--hub-ca-file=/nowhere/ca.pem"}, "/nowhere/ca.pem"},
		"a CA file without a CA": {[]string{"operator", "--kubeconfig=" + good, "--hub-ca-file=" + garbage}, "--hub-ca-file"},
		"no place for the lease": {[]string{"operator", "--kubeconfig=" + good, "--leader-elect"}, "leader"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out := runToEnd(t, home, c.args)
			if code == 0 {
				t.Errorf("it ends with the exit code 0")
			}
			if lines := strings.Split(strings.TrimSpace(out), "\n"); len(lines) != 1 || !strings.Contains(lines[0], c.want) {
				t.Errorf("want one line that says %q, got\n%s", c.want, out)
			}
			if strings.Contains(out, "goroutine") || strings.Contains(out, ".go:") {
				t.Errorf("want no stack trace, got\n%s", out)
			}
		})
	}
}

// runToEnd runs the binary, which is expected to end by itself, and gives its exit code and all that it prints.
func runToEnd(t *testing.T, home string, args []string) (int, string) {
	t.Helper()
	out := &buffer{}
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = environment(home), out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	_ = cmd.Wait() // the exit code says it
	return cmd.ProcessState.ExitCode(), out.all()
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
