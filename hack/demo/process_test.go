package main

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"
)

// sleeper starts a process that does nothing for long.
func sleeper(t *testing.T) (process, *exec.Cmd) {
	t.Helper()
	cmd := exec.Command("sleep", "600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	identity, ok := identify(cmd.Process.Pid)
	if !ok {
		t.Fatal("a process that was just started is not found")
	}
	return process{Name: "sleeper", PID: cmd.Process.Pid, Identity: identity}, cmd
}

func TestAProcessIsEnded(t *testing.T) {
	p, cmd := sleeper(t)

	if err := p.stop(t.Context(), 10*time.Second); err != nil {
		t.Fatal(err)
	}

	// Nobody has waited for it yet: one that has ended counts as gone all the same.
	if p.alive() {
		t.Error("it still counts as alive")
	}
	if err := cmd.Wait(); err == nil {
		t.Error("it ended by itself")
	}
}

func TestAProcessThatDoesNotListenIsKilled(t *testing.T) {
	cmd := exec.Command("sh", "-c", `trap "" TERM; echo ready; while :; do sleep 1; done`)
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if _, err := output.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	identity, _ := identify(cmd.Process.Pid)
	p := process{Name: "deaf", PID: cmd.Process.Pid, Identity: identity}

	if err := p.stop(t.Context(), 300*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if p.alive() {
		t.Error("it is still alive")
	}
}

func TestAProcessThatGotThePIDOfAnotherIsLeftAlone(t *testing.T) {
	p, _ := sleeper(t)
	earlier := p
	earlier.Identity = "sleeper of an earlier time"

	if err := earlier.stop(t.Context(), time.Second); err != nil {
		t.Fatal(err)
	}

	if earlier.alive() {
		t.Error("the earlier process counts as alive")
	}
	if !p.alive() {
		t.Error("the process was ended")
	}
}

func TestTheChildrenOfThisProcessAreFound(t *testing.T) {
	p, _ := sleeper(t)

	found, err := children(t.Context())

	if err != nil || found[p.PID] != "sleep" {
		t.Errorf("the children are %v, %v; want %d among them", found, err, p.PID)
	}
	if _, ok := found[os.Getppid()]; ok {
		t.Error("the parent counts as a child")
	}
}

func TestADemoClaimsItsFolderOnce(t *testing.T) {
	project(t)
	f, err := claimFolder()
	if err != nil {
		t.Fatal(err)
	}

	if _, err := claimFolder(); err == nil {
		t.Error("a second demo was let in while the first one runs")
	}
	if err := f.clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(f.root); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func TestWhatIsLeftOfADemoThatEndedIsNoObstacle(t *testing.T) {
	project(t)
	f, err := claimFolder()
	if err != nil {
		t.Fatal(err)
	}
	f.processes[0].Identity = "an earlier demo"
	if err := f.record("this test", os.Getpid()); err != nil {
		t.Fatal(err)
	}
	f.processes[1].Identity = "an earlier program"
	p, _ := sleeper(t)
	p.Identity = "an earlier sleeper"
	f.processes = []process{f.processes[0], p}
	if err := f.record("sleeper", p.PID); err != nil {
		t.Fatal(err)
	}
	// The last entry is alive: the demo counts as running.
	if _, err := claimFolder(); err == nil {
		t.Error("a demo was let in while a program of another one runs")
	}
	if err := down(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := claimFolder(); err != nil {
		t.Errorf("the next demo was not let in: %v", err)
	}
}

// project makes the current folder one that looks like the project's.
func project(t *testing.T) {
	t.Helper()
	root := t.TempDir()
	t.Chdir(root)
	t.Setenv("TMPDIR", os.Getenv("TMPDIR")) // which a demo changes
	if err := os.MkdirAll("config/samples", 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestTheWaitEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if wait(ctx, func() bool { return false }) {
		t.Error("something came that never comes")
	}
}
