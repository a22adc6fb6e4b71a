package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// ticksPerSecond is the unit in which Linux tells CPU time, on all machines that Go runs on.
const ticksPerSecond = 100

func procFile(pid int, name string) string { return filepath.Join("/proc", strconv.Itoa(pid), name) }

// cpuTime is how long a process has computed so far, in 10 ms.
func cpuTime(pid int) (time.Duration, error) {
	content, err := os.ReadFile(procFile(pid, "stat"))
	if err != nil {
		return 0, err
	}
	return parseCPUTime(string(content))
}

func parseCPUTime(stat string) (time.Duration, error) {
	// The name stands in brackets and may hold anything.
	const user, system = 11, 12
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) <= system {
		return 0, fmt.Errorf("the CPU time cannot be read from %.80q", stat)
	}
	ticks := 0
	for _, field := range []string{fields[user], fields[system]} {
		n, err := strconv.Atoi(field)
		if err != nil {
			return 0, fmt.Errorf("the CPU time cannot be read: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond, nil
}

// memory is what a process holds, in bytes.
type memory struct {
	// Resident is all that is in memory now, Peak the most since resetPeak, Anonymous is Resident without mapped
	// files, above all the program itself.
	Resident  int64 `json:"resident"`
	Peak      int64 `json:"peak"`
	Anonymous int64 `json:"anonymous"`
}

func memoryOf(pid int) (memory, error) {
	content, err := os.ReadFile(procFile(pid, "status"))
	if err != nil {
		return memory{}, err
	}
	return parseMemory(string(content))
}

func parseMemory(status string) (memory, error) {
	var m memory
	fields := map[string]*int64{"VmRSS": &m.Resident, "VmHWM": &m.Peak, "RssAnon": &m.Anonymous}
	for line := range strings.Lines(status) {
		name, value, _ := strings.Cut(line, ":")
		field, wanted := fields[name]
		if !wanted {
			continue
		}
		kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		if err != nil {
			return m, fmt.Errorf("the memory cannot be read: %w", err)
		}
		*field = kilobytes << 10
	}
	if m.Resident == 0 {
		return m, fmt.Errorf("the memory cannot be read from %.80q", status)
	}
	return m, nil
}

// resetPeak makes the peak count from now on.
func resetPeak(pid int) error {
	return os.WriteFile(procFile(pid, "clear_refs"), []byte("5"), 0)
}

// connectionsTo counts the open TCP connections of a process to a port of 127.0.0.1.
func connectionsTo(pid, port int) (int, error) {
	table, err := os.ReadFile(procFile(pid, "net/tcp"))
	if err != nil {
		return 0, err
	}
	wanted := socketsTo(string(table), port)
	if len(wanted) == 0 {
		return 0, nil
	}
	entries, err := os.ReadDir(procFile(pid, "fd"))
	if err != nil {
		return 0, err
	}
	open := 0
	for _, entry := range entries {
		// One that is gone meanwhile is not open.
		if target, err := os.Readlink(filepath.Join(procFile(pid, "fd"), entry.Name())); err == nil && wanted[target] {
			open++
		}
	}
	return open, nil
}

// socketsTo are the established connections of a table of the kernel to a port of 127.0.0.1, as descriptors name them.
func socketsTo(table string, port int) map[string]bool {
	const remote, state, inode = 2, 3, 9
	const established = "01"
	to := fmt.Sprintf("0100007F:%04X", port)
	sockets := map[string]bool{}
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) > inode && fields[remote] == to && fields[state] == established {
			sockets["socket:["+fields[inode]+"]"] = true
		}
	}
	return sockets
}
