package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// ratioAim is how much slower than the slower one of its two loops the operator may be.
const ratioAim = 1.3

// created is what the operator took for as many; ok is false where it was not measured.
func (r *report) created(like references) (c cost, ok bool) {
	for _, f := range r.Figures {
		if f.N == like.N && f.Scenario == like.name() {
			return cost{Seconds: f.Seconds, CPU: total(f.CPUs), Others: f.Others}, true
		}
	}
	return cost{}, false
}

// slower is the slower one of the loops that the operator cannot be faster than.
func (r references) slower() cost {
	if r.Posts.Seconds > r.Writes.Seconds {
		return r.Posts
	}
	return r.Writes
}

func (r references) name() string {
	return map[bool]string{false: "create", true: "create-signed"}[r.Signed]
}

func (r references) aims(created cost) []aim {
	ratio := created.Seconds / r.slower().Seconds
	return []aim{{
		Scenario: r.name(), N: r.N, What: "seconds by those of the slower loop", Measured: short(ratio),
		Aim: "<= " + short(ratioAim), OK: ratio <= ratioAim,
	}}
}

// writeReferences tells the loops, and how many times as much the operator took.
func (r *report) writeReferences(out *strings.Builder) {
	if len(r.References) == 0 {
		return
	}
	fmt.Fprintln(out, "\nLoops without an operator, and how many times as much the operator took:")
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "N\tloops of\tscenario\t\toperator\ta: POSTs\t\tb: create, status\t\tc: all writes\t\t"+
		"max(a, c)\t\td: c with POSTs\t\t")
	for _, l := range r.References {
		created, _ := r.created(l)
		for _, line := range []struct {
			name string
			of   func(cost) float64
		}{
			{"s", func(c cost) float64 { return c.Seconds }},
			{"CPU s", func(c cost) float64 { return c.CPU }},
		} {
			fmt.Fprintf(table, "%d\t%d\t%s\t%s\t%.1f\t", l.N, l.Measured, l.name(), line.name, line.of(created))
			for _, took := range []cost{l.Posts, l.Apply, l.Writes, l.slower(), l.All} {
				fmt.Fprintf(table, "%.1f\tx %.2f\t", line.of(took), line.of(created)/line.of(took))
			}
			fmt.Fprintln(table)
		}
		fmt.Fprintf(table, "%d\t%d\t%s\tothers\t%.0f%%\t", l.N, l.Measured, l.name(), 100*created.Others)
		for _, took := range []cost{l.Posts, l.Apply, l.Writes, l.slower(), l.All} {
			fmt.Fprintf(table, "%.0f%%\t\t", 100*took.Others)
		}
		fmt.Fprintln(table)
	}
	_ = table.Flush() // a strings.Builder takes everything
}
