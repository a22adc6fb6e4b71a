package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// tailLines is how much of each log is shown when the node does not come up.
const tailLines = 15

// down ends the node, if one is up, and removes what it left.
func down(ctx context.Context, f folder) error {
	if _, err := os.Stat(f.path()); errors.Is(err, os.ErrNotExist) {
		fmt.Println("node: none is up")
		return nil
	}
	if err := f.endFirst(ctx); err != nil {
		return err
	}
	if err := until(ctx, "the cgroups are empty", removeCgroups); err != nil {
		return err
	}
	return f.unclaim()
}

// endFirst ends the first process of the node, and with it all others.
func (f folder) endFirst(ctx context.Context) error {
	content, err := os.ReadFile(f.path("pid"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	number, identity, _ := strings.Cut(string(content), " ")
	pid, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	if now, err := identify(pid); err != nil || now != identity {
		return nil //nolint:nilerr // it has ended, and the number may be another's
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return until(ctx, "the node has ended", func() error {
		if now, err := identify(pid); err == nil && now == identity {
			return errors.New("its first process is still there")
		}
		return nil
	})
}

// identify gives when and in which boot a process started, which tells it from a later one of the same number. One that
// has ended is an error, even if its parent has not noticed.
func identify(pid int) (string, error) {
	content, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return "", err
	}
	const state, started = 0, 19
	// The name stands in brackets and may hold anything.
	fields := strings.Fields(string(content[bytes.LastIndexByte(content, ')')+1:]))
	if len(fields) <= started {
		return "", fmt.Errorf("the state of process %d cannot be read", pid)
	}
	if fields[state] == "Z" || fields[state] == "X" {
		return "", fmt.Errorf("process %d has ended", pid)
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return fields[started] + ":" + strings.TrimSpace(string(boot)), err
}

// printTails shows the ends of all logs.
func (f folder) printTails() {
	logs, err := filepath.Glob(f.log("*"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	for _, log := range logs {
		content, err := os.ReadFile(log)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			continue
		}
		lines := bytes.Split(bytes.TrimSpace(content), []byte("\n"))
		lines = lines[max(len(lines)-tailLines, 0):]
		fmt.Fprintf(os.Stderr, "== %s\n%s\n", filepath.Base(log), bytes.Join(lines, []byte("\n")))
	}
}
