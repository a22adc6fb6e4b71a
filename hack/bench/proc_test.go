package main

import (
	"net"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const stat = "4242 (a (strange) name) S 17 4242 4242 0 -1 4194304 100 0 3 0 250 50 9 9 20 0 12 0 123456 1000 200 18446744073709551615"

func TestCPUTimeIsRead(t *testing.T) {
	got, err := parseCPUTime(stat)
	if err != nil || got != 3*time.Second {
		t.Errorf("%v, %v; want 3 s", got, err)
	}
	if _, err := parseCPUTime("4242 (short) S 1"); err == nil {
		t.Error("a line that is too short is taken")
	}
	name, parent, ok := parseName(stat)
	if name != "a (strange) name" || parent != "17" || !ok {
		t.Errorf("the name is %q, the parent %q", name, parent)
	}
}

func TestMemoryIsRead(t *testing.T) {
	got, err := parseMemory("Name:\tx\nVmPeak:\t 9999 kB\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\nRssAnon:\t   512 kB\n")
	want := memory{Resident: 1 << 20, Peak: 2 << 20, Anonymous: 1 << 19}
	if err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if _, err := parseMemory("Name:\tzombie\n"); err == nil {
		t.Error("a process without memory is taken")
	}
}

func TestOnlyEstablishedConnectionsToThePortCount(t *testing.T) {
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1 0 100 0 0 10 0
   1: 0100007F:A000 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 12 1 0 100 0 0 10 0
   2: 0100007F:A001 0100007F:1F90 06 00000000:00000000 00:00000000 00000000     0        0 0 1 0 100 0 0 10 0
   3: 0100007F:A002 0100007F:1F91 01 00000000:00000000 00:00000000 00000000     0        0 14 1 0 100 0 0 10 0
`
	if diff := cmp.Diff(map[string]bool{"socket:[12]": true}, socketsTo(table, 8080)); diff != "" {
		t.Error(diff)
	}
}

func TestThisProcessIsMeasured(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	for range 2 {
		c, err := net.Dial("tcp4", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	if n, err := connectionsTo(os.Getpid(), port); n != 2 || err != nil {
		t.Errorf("%d connections, %v; want 2", n, err)
	}
	m, err := memoryOf(os.Getpid())
	if err != nil || m.Peak < m.Resident || m.Resident < m.Anonymous {
		t.Errorf("the memory is %+v, %v", m, err)
	}
	if err := resetPeak(os.Getpid()); err != nil {
		t.Error(err)
	}
	u, err := readUsage(map[int]string{os.Getpid(): "bench test"})
	if err != nil || u.all < u.ours["bench test"] {
		t.Errorf("the usage is %+v, %v", u, err)
	}
	if _, ok := u.ours["bench test"]; !ok || len(u.ours) != 1 {
		t.Errorf("our programs are %v", u.ours)
	}
}

func TestTheTimeOfTheMachineIsThatWhichIsNotIdle(t *testing.T) {
	got, err := parseMachineTime("cpu  100 20 30 9999 888 4 5 6 0 0\ncpu0 1 2 3\n")
	if err != nil || got != 1650*time.Millisecond {
		t.Errorf("%v, %v; want 1.65 s", got, err)
	}
	if _, err := parseMachineTime("intr 1 2 3"); err == nil {
		t.Error("another line is taken")
	}
}

func TestWhatOthersTookIsTheRestOfTheMachine(t *testing.T) {
	began := time.Now()
	before := usage{at: began, all: 100 * time.Second, ours: map[string]time.Duration{"a": 5 * time.Second, "b": 9 * time.Second}}
	after := usage{at: began.Add(10 * time.Second), all: 112 * time.Second, ours: map[string]time.Duration{"a": 7 * time.Second, "b": time.Second}}
	ours, others := after.since(before, 2)
	// b was started anew and counts from its start.
	if diff := cmp.Diff(map[string]float64{"a": 2, "b": 1}, ours); diff != "" {
		t.Error(diff)
	}
	if others != 0.45 { // (12 - 3) of 20
		t.Errorf("others took %v", others)
	}
}
