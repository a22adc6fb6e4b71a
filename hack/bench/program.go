package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"time"
)

const (
	// startTime is how long a program may take to begin its work, stopTime how long to end.
	startTime = time.Minute
	stopTime  = 45 * time.Second
)

var listening = regexp.MustCompile(`(?m)^listening on (https?://\S+)$`)

// program is a running process of ours.
type program struct {
	name  string
	cmd   *exec.Cmd
	log   string
	ended chan struct{}
}

// launch starts a program whose output goes to a log.
func launch(ctx context.Context, name, log, binary string, args ...string) (*program, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p := &program{name: name, log: log, ended: make(chan struct{})}
	// It ends when it is stopped: an end of the context has it stopped in order.
	p.cmd = exec.CommandContext(context.WithoutCancel(ctx), binary, args...)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	// Nothing of the caller's environment may set a flag.
	p.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.TempDir()}
	// A group of its own: Ctrl-C at the terminal is for the bench, which then ends this.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // how it ended stands in its log
	}()
	return p, nil
}

func (p *program) pid() int { return p.cmd.Process.Pid }

// stop asks the process to end, kills it if it does not, and waits until it is gone.
func (p *program) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.ended:
		return nil
	case <-time.After(stopTime):
		err := p.cmd.Process.Kill()
		<-p.ended
		return errors.Join(fmt.Errorf("%s did not end on SIGTERM and was killed", p.name), err)
	}
}

// addresses waits until the program has told n addresses where it listens.
func (p *program) addresses(ctx context.Context, n int) ([]string, error) {
	var found []string
	err := p.await(ctx, func() (bool, error) {
		content, err := os.ReadFile(p.log)
		found = nil
		for _, match := range listening.FindAllStringSubmatch(string(content), -1) {
			found = append(found, match[1])
		}
		return len(found) >= n, err
	})
	return found, err
}

// await waits for the program to begin its work.
func (p *program) await(ctx context.Context, begun func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, err := begun(); ok || err != nil {
			return err
		}
		select {
		case <-p.ended:
			return fmt.Errorf("%s ended at once; see %s", p.name, p.log)
		case <-ctx.Done():
			return fmt.Errorf("%s does not begin: %w; see %s", p.name, ctx.Err(), p.log)
		case <-tick.C:
		}
	}
}
