package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// usage is for how long the CPUs have computed.
type usage struct {
	at time.Time
	// all is that of the whole machine, ours that of this process and of those that it started, by name.
	all  time.Duration
	ours map[string]time.Duration
}

// readUsage reads the usage up to now. Processes that are known by another name than that of their binary are given by
// PID.
func readUsage(known map[int]string) (usage, error) {
	u := usage{at: time.Now(), ours: map[string]time.Duration{}}
	content, err := os.ReadFile("/proc/stat")
	if err != nil {
		return u, err
	}
	if u.all, err = parseMachineTime(string(content)); err != nil {
		return u, err
	}
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return u, err
	}
	self := strconv.Itoa(os.Getpid())
	for _, file := range files {
		content, err := os.ReadFile(file)
		name, parent, ok := parseName(string(content))
		pid := filepath.Base(filepath.Dir(file))
		if err != nil || !ok || (parent != self && pid != self) {
			continue // it has ended, or is none of ours
		}
		if n, err := strconv.Atoi(pid); err == nil && known[n] != "" {
			name = known[n]
		}
		took, err := parseCPUTime(string(content))
		if err != nil {
			return u, err
		}
		u.ours[name] += took
	}
	return u, nil
}

// parseMachineTime reads the time of all CPUs together that was not idle.
func parseMachineTime(stat string) (time.Duration, error) {
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	// cpu user nice system idle iowait irq softirq steal ...
	const idle, iowait, last = 4, 5, 8
	if len(fields) <= last || fields[0] != "cpu" {
		return 0, fmt.Errorf("the time of the CPUs cannot be read from %.80q", line)
	}
	ticks := 0
	for i := 1; i <= last; i++ {
		n, err := strconv.Atoi(fields[i])
		if err != nil {
			return 0, fmt.Errorf("the time of the CPUs cannot be read: %w", err)
		}
		if i != idle && i != iowait {
			ticks += n
		}
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond, nil
}

// parseName reads the name and the parent of a process.
func parseName(stat string) (name, parent string, ok bool) {
	// The name stands in brackets and may hold anything.
	open, end := strings.IndexByte(stat, '('), strings.LastIndexByte(stat, ')')
	fields := strings.Fields(stat[end+1:])
	if open < 0 || end < open || len(fields) < 2 {
		return "", "", false
	}
	return stat[open+1 : end], fields[1], true
}

// since gives the CPU seconds of each of our programs since an earlier time, and the part of all CPUs that others took.
func (u usage) since(before usage, cpus int) (ours map[string]float64, others float64) {
	ours = map[string]float64{}
	sum := 0.0
	for name, took := range u.ours {
		if took >= before.ours[name] {
			took -= before.ours[name]
		} // else it was started anew in between
		ours[name] = took.Seconds()
		sum += took.Seconds()
	}
	capacity := u.at.Sub(before.at).Seconds() * float64(cpus)
	return ours, max(0, ((u.all-before.all).Seconds()-sum)/capacity)
}
