package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func someReport() *report {
	f := &figures{
		Scenario: "create", N: 1000, Seconds: 12.34, HubCalls: map[string]int{"createWebhook": 1000, "listWebhooks": 41},
		Throttled: 104, Writes: writes{Objects: 1000, Status: 1000, Events: 999, Own: 7}, CPUSeconds: 3.21,
		Reconciles: map[string]float64{"chatt2webhook": 2500}, QueueWait: 0.1, Connections: 17,
		Memory: memory{Resident: 80 << 20, Peak: 90 << 20}, Others: 0.5, CPUs: map[string]float64{"operator": 3, "etcd": 1},
	}
	f.note("all applied after %d s", 9)
	f.aimAtMost("Hub calls for each", share(f.calls(), f.N), 1.1)
	f.aimLess("resting RSS", " MiB", 160, 150)
	r := &report{Settings: described{OperatorFlags: []string{"--hub-qps=1000"}, CPUs: 2}}
	r.add([]*figures{f})
	took := func(seconds float64) cost { return cost{Seconds: seconds, CPU: 2 * seconds, Others: 0.2} }
	r.References = []references{{N: 1000, Measured: 500, Posts: took(1), Apply: took(5), Writes: took(10), All: took(11)}}
	return r
}

// row is the fields of the first line that holds all words.
func row(t *testing.T, table string, words ...string) string {
	t.Helper()
	for line := range strings.Lines(table) {
		found := true
		for _, word := range words {
			found = found && strings.Contains(line, word)
		}
		if found {
			return strings.Join(strings.Fields(line), " ")
		}
	}
	t.Fatalf("no line holds %v:\n%s", words, table)
	return ""
}

func TestTheTableTellsWhatWasMeasured(t *testing.T) {
	table := someReport().table()
	for _, c := range []struct {
		words []string
		want  string
	}{
		{[]string{"create", "12.3"}, "1000 create 12.3 1041 1.04 10.0% 3.00 1 1 0 1.00 2.50 3.2 50% 80 90 <= 100 ms 17"},
		{[]string{"N=1000"}, "N=1000 create: 1000 createWebhook, 41 listWebhooks; all applied after 9 s"},
		{[]string{"x 12.34"}, "1000 500 create s 12.3 1.0 x 12.34 5.0 x 2.47 10.0 x 1.23 10.0 x 1.23 11.0 x 1.12"},
		{[]string{"CPU s", "x 2.00"}, "1000 500 create CPU s 4.0 2.0 x 2.00 10.0 x 0.40 20.0 x 0.20 20.0 x 0.20 22.0 x 0.18"},
		{[]string{"20%"}, "1000 500 create others 50% 20% 20% 20% 20% 20%"},
		{[]string{"Other programs"}, "Other programs took more than 10% of the CPUs, and the times are too long, in: N=1000 create (50%)"},
		{[]string{"Hub calls for each", "ok"}, "1000 create Hub calls for each 1.04 <= 1.10 ok"},
		{[]string{"resting RSS"}, "1000 create resting RSS 160 MiB < 150 MiB MISSED"},
		{[]string{"slower loop"}, "1000 create seconds by those of the slower loop 1.23 <= 1.30 ok"},
		{[]string{"missed"}, "1 of 3 aims missed"},
		{[]string{"--hub-qps=1000"}, "--hub-qps=1000; 2 CPUs for everything that runs; the Hub adds to every call; 0 applied at once"},
	} {
		if got := row(t, table, c.words...); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestARunWithoutResultsHasATable(t *testing.T) {
	if table := (&report{}).table(); !strings.Contains(table, "0 of 0 aims missed") {
		t.Error(table)
	}
}

func TestTheReportIsWrittenAsJSON(t *testing.T) {
	f, err := newFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	file, err := someReport().write(f)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var back report
	if err := json.Unmarshal(content, &back); err != nil {
		t.Fatal(err)
	}
	if len(back.Figures) != 1 || back.Figures[0].Writes.Status != 1000 || back.References[0].Writes.Seconds != 10 {
		t.Errorf("%s", content)
	}
}

func TestAnAimIsMetWhenItIsReached(t *testing.T) {
	f := &figures{}
	f.aimAtMost("", 3.004, 3)
	f.aimAtMost("", 3.006, 3)
	f.aimLess("", "", 3, 3)
	f.aimMore("", "", 3, 3)
	f.aimMore("", "", 4, 3)
	f.aimExactly("", 3, 3)
	f.aimExactly("", 2, 3)
	for i, want := range []bool{true, false, false, false, true, true, false} {
		if f.Aims[i].OK != want {
			t.Errorf("aim %d: %+v, want %t", i, f.Aims[i], want)
		}
	}
}

func TestNumbersAreShort(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 3: "3", 2.504: "2.50", 0.0421: "0.042", 178.44: "178", 1041: "1041"} {
		if got := short(x); got != want {
			t.Errorf("%v is written %q, want %q", x, got, want)
		}
	}
}
