package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

// report is what a run has found.
type report struct {
	Settings   described    `json:"settings"`
	Figures    []*figures   `json:"figures"`
	References []references `json:"references,omitempty"`
}

func (r *report) add(found []*figures) { r.Figures = append(r.Figures, found...) }

// write writes everything as JSON and returns the path.
func (r *report) write(f *folder) (string, error) {
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return "", err
	}
	file := f.file(".json")
	return file, os.WriteFile(file, append(content, '\n'), 0o600)
}

// table is what a person reads.
func (r *report) table() string {
	var out strings.Builder
	s := r.Settings
	fmt.Fprintf(&out, "%s; %d CPUs for everything that runs; the Hub adds %s to every call; %d applied at once\n",
		strings.Join(s.OperatorFlags, " "), s.CPUs, s.HubLatency, s.Appliers)
	r.writeFigures(&out)
	r.writeNotes(&out)
	r.writeReferences(&out)
	r.writeAims(&out)
	r.writeDoubts(&out)
	return out.String()
}

const columns = "N\tscenario\tseconds\tHub calls\tfor each\t429\tkube writes for each: all\tobject\tstatus\tSecret\t" +
	"event\treconciles for each\tCPU s\tothers\tRSS MiB now\tpeak\tqueue wait\tconns\t"

func (r *report) writeFigures(out *strings.Builder) {
	fmt.Fprintln(out)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, columns)
	for _, f := range r.Figures {
		each := func(n int) string { return short(share(n, f.N)) }
		fmt.Fprintf(table, "%d\t%s\t%.1f\t%d\t%s\t%.1f%%\t%s\t%s\t%s\t%s\t%s\t%s\t%.1f\t%.0f%%\t%.0f\t%.0f\t%s\t%d\t\n",
			f.N, f.Scenario, f.Seconds, f.calls(), each(f.calls()), 100*share(f.Throttled, f.calls()),
			each(f.Writes.sum()), each(f.Writes.Objects), each(f.Writes.Status), each(f.Writes.Secrets),
			each(f.Writes.Events), short(f.reconciled()/float64(f.N)), f.CPUSeconds, 100*f.Others,
			megabytes(f.Memory.Resident), megabytes(f.Memory.Peak), f.wait(), f.Connections)
	}
	_ = table.Flush() // a strings.Builder takes everything
}

// wait is the longest wait in the queue in words.
func (f *figures) wait() string {
	switch {
	case f.QueueWait < 0:
		return "> all"
	case f.QueueWait == 0:
		return "-"
	}
	return "<= " + seconds(f.QueueWait)
}

// line is the figures in one line.
func (f *figures) line() string {
	return fmt.Sprintf("%.1f s; %d Hub calls (%s), %.1f%% 429; kube writes: %d (%d object, %d status, %d Secret, "+
		"%d event), %d refused; %.0f reconciles; %.1f CPU s; %.0f MiB, peak %.0f; queue wait %s; %d connections; "+
		"CPU s of all: %s; others took %.0f%% of the CPUs%s",
		f.Seconds, f.calls(), counted(f.HubCalls), 100*share(f.Throttled, f.calls()), f.Writes.sum(), f.Writes.Objects,
		f.Writes.Status, f.Writes.Secrets, f.Writes.Events, f.Writes.Refused, f.reconciled(), f.CPUSeconds,
		megabytes(f.Memory.Resident), megabytes(f.Memory.Peak), f.wait(), f.Connections, f.programs(), 100*f.Others,
		f.notes())
}

func (f *figures) programs() string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(f.CPUs)) {
		all = append(all, fmt.Sprintf("%s %.1f", name, f.CPUs[name]))
	}
	return strings.Join(all, ", ")
}

func (f *figures) notes() string {
	if len(f.Notes) == 0 {
		return ""
	}
	return "; " + strings.Join(f.Notes, "; ")
}

func counted(counts map[string]int) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf("%d %s", counts[name], name))
	}
	return strings.Join(all, ", ")
}

func (r *report) writeNotes(out *strings.Builder) {
	fmt.Fprintln(out)
	for _, f := range r.Figures {
		fmt.Fprintf(out, "N=%d %s: %s%s\n", f.N, f.Scenario, counted(f.HubCalls), f.notes())
		if len(f.Flags) > 0 {
			fmt.Fprintf(out, "  with %s\n", strings.Join(f.Flags, " "))
		}
	}
}

func (r *report) writeAims(out *strings.Builder) {
	fmt.Fprintln(out)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "N\tscenario\tmeasured\t\taim\t")
	missed := 0
	for _, a := range r.aims() {
		verdict := "ok"
		if !a.OK {
			verdict = "MISSED"
			missed++
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\n", a.N, a.Scenario, a.What, a.Measured, a.Aim, verdict)
	}
	_ = table.Flush() // a strings.Builder takes everything
	fmt.Fprintf(out, "%d of %d aims missed\n", missed, len(r.aims()))
}

// quietMachine is the part of the CPUs that others may take without a word about it.
const quietMachine = 0.1

// writeDoubts says which times are too long because of others.
func (r *report) writeDoubts(out *strings.Builder) {
	var disturbed []string
	for _, f := range r.Figures {
		if f.Others > quietMachine {
			disturbed = append(disturbed, fmt.Sprintf("N=%d %s (%.0f%%)", f.N, f.Scenario, 100*f.Others))
		}
	}
	if len(disturbed) > 0 {
		fmt.Fprintf(out, "Other programs took more than %.0f%% of the CPUs, and the times are too long, in: %s\n",
			100*quietMachine, strings.Join(disturbed, ", "))
	}
}

func (r *report) aims() []aim {
	var all []aim
	for _, f := range r.Figures {
		all = append(all, f.Aims...)
	}
	for _, loops := range r.References {
		if created, ok := r.created(loops); ok {
			all = append(all, loops.aims(created)...)
		}
	}
	return all
}
