package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"time"
)

// startTime is how long a program may take to say where it listens.
const startTime = 20 * time.Second

var listening = regexp.MustCompile(`(?m)^listening on (https?://\S+)$`)

// launch starts a program that lives on when the demo has ended. What it prints on standard output goes to <name>.log,
// and what it prints on standard error to <name>-errors.log where split says so.
func (f *folder) launch(name string, split bool, program string, args ...string) error {
	out, err := os.Create(f.log(name))
	if err != nil {
		return err
	}
	defer out.Close()
	complaints := out
	if split {
		if complaints, err = os.Create(f.log(name + "-errors")); err != nil {
			return err
		}
		defer complaints.Close()
	}
	//nolint:noctx // It is to outlive every context of this process.
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = out, complaints
	// A group of its own: Ctrl-C at the terminal is for the demo, which then ends this in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	go func() { _ = cmd.Wait() }() // so that one that ended does not linger
	if err := f.record(name, cmd.Process.Pid); err != nil {
		return fmt.Errorf("%w; see %s", err, f.log(name))
	}
	return nil
}

// addresses waits until a log tells n addresses, and returns them.
func (f *folder) addresses(ctx context.Context, name string, n int) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	var found []string
	told := wait(ctx, func() bool {
		content, err := os.ReadFile(f.log(name))
		if err != nil {
			return false
		}
		found = nil
		for _, match := range listening.FindAllStringSubmatch(string(content), -1) {
			found = append(found, match[1])
		}
		return len(found) >= n
	})
	if !told {
		return nil, fmt.Errorf("%s does not say where it listens; see %s", name, f.log(name))
	}
	return found, nil
}
