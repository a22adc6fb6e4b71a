package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is one that the demo started.
type process struct {
	Name string `json:"name"`
	PID  int    `json:"pid"`
	// Identity tells the process from a later one with the same PID.
	Identity string `json:"identity"`
}

// alive reports whether the process still runs, and is the one that was started.
func (p process) alive() bool {
	identity, ok := identify(p.PID)
	return ok && identity == p.Identity
}

// stop ends the process, if it is still the one that was started, and waits until it is gone. One that does not end
// in time is killed.
func (p process) stop(ctx context.Context, patience time.Duration) error {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if !p.alive() {
			return nil
		}
		if err := syscall.Kill(p.PID, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("end %s: %w", p.Name, err)
		}
		waiting, cancel := context.WithTimeout(ctx, patience)
		gone := wait(waiting, func() bool { return !p.alive() })
		cancel()
		if gone {
			return nil
		}
	}
	return fmt.Errorf("%s does not end", p.Name)
}

// wait waits for something until ctx ends, and reports whether it came.
func wait(ctx context.Context, happened func() bool) bool {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !happened() {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return true
}

// identify gives what tells a process from a later one with the same PID: its name and when it started. A process that
// has ended and only waits to be noticed by its parent does not count.
func identify(pid int) (identity string, ok bool) {
	if _, err := os.Stat("/proc/self/stat"); err == nil {
		stat, err := readStat(pid)
		if err != nil || stat.state == "Z" || stat.state == "X" {
			return "", false
		}
		return stat.name + " " + stat.started, true
	}
	//nolint:noctx // It takes a moment, and a context would have to come all the way.
	out, err := exec.Command("ps", "-o", "stat=,lstart=,comm=", "-p", strconv.Itoa(pid)).Output()
	state, rest, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if err != nil || state == "" || state[0] == 'Z' {
		return "", false
	}
	return strings.TrimSpace(rest), true
}

// stat is what Linux tells of a process.
type stat struct {
	name, state, parent, started string
}

func readStat(pid int) (stat, error) {
	content, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return stat{}, err
	}
	// The name stands in brackets and may hold anything.
	head, tail, ok := cutLast(string(content), ") ")
	fields := strings.Fields(tail)
	_, name, named := strings.Cut(head, "(")
	const parent, started = 1, 19
	if !ok || !named || len(fields) <= started {
		return stat{}, fmt.Errorf("the state of process %d cannot be read", pid)
	}
	return stat{name: name, state: fields[0], parent: fields[parent], started: fields[started]}, nil
}

func cutLast(s, separator string) (before, after string, found bool) {
	i := strings.LastIndex(s, separator)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(separator):], true
}

// children are the processes that this one started and that still run, by PID.
func children(ctx context.Context) (map[int]string, error) {
	self, found := strconv.Itoa(os.Getpid()), map[int]string{}
	if entries, err := filepath.Glob("/proc/[0-9]*/stat"); err == nil && len(entries) > 0 {
		for _, entry := range entries {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(entry)))
			if err != nil {
				continue
			}
			// One that cannot be read has ended meanwhile, or is none of ours.
			if s, err := readStat(pid); err == nil && s.parent == self {
				found[pid] = s.name
			}
		}
		return found, nil
	}
	out, err := exec.CommandContext(ctx, "ps", "-A", "-o", "pid=,ppid=,comm=").Output()
	if err != nil {
		return nil, fmt.Errorf("look for the processes of the control plane: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) < 3 || fields[1] != self {
			continue
		}
		if pid, err := strconv.Atoi(fields[0]); err == nil {
			found[pid] = filepath.Base(fields[2])
		}
	}
	return found, nil
}
