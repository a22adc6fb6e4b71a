package main

import (
	"fmt"
	"math"
	"strconv"
)

func (f *figures) note(format string, args ...any) {
	f.Notes = append(f.Notes, fmt.Sprintf(format, args...))
}

// aim notes what was aimed at and what was reached.
func (f *figures) aim(ok bool, what, measured, aimed string) {
	f.Aims = append(f.Aims, aim{Scenario: f.Scenario, N: f.N, What: what, Measured: measured, Aim: aimed, OK: ok})
}

// aimAtMost is precise to hundredths: what is written once for thousands of resources does not count.
func (f *figures) aimAtMost(what string, measured, most float64) {
	measured = math.Round(100*measured) / 100
	f.aim(measured <= most, what, short(measured), "<= "+short(most))
}

func (f *figures) aimLess(what, unit string, measured, limit float64) {
	f.aim(measured < limit, what, short(measured)+unit, "< "+short(limit)+unit)
}

func (f *figures) aimMore(what, unit string, measured, limit float64) {
	f.aim(measured > limit, what, short(measured)+unit, "> "+short(limit)+unit)
}

func (f *figures) aimExactly(what string, measured, want int) {
	f.aim(measured == want, what, strconv.Itoa(measured), strconv.Itoa(want))
}

// aimConnections notes whether there were more connections to the Hub than workers, who have one call each, and the
// one of the listing.
func (f *figures) aimConnections(w *world) {
	f.aimAtMost("connections", float64(f.Connections), float64(w.workers))
}

// short writes a number with as many digits as are worth reading.
func short(x float64) string {
	switch {
	case x == float64(int64(x)):
		return strconv.FormatFloat(x, 'f', 0, 64)
	case x < 0.1:
		return strconv.FormatFloat(x, 'g', 2, 64)
	case x < 100:
		return strconv.FormatFloat(x, 'f', 2, 64)
	}
	return strconv.FormatFloat(x, 'f', 0, 64)
}

const megabyte = 1 << 20

func megabytes(bytes int64) float64 { return float64(bytes) / megabyte }
