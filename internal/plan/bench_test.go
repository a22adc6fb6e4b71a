package plan

import (
	"testing"
	"time"
)

func TestADecisionAboutAResourceAtRestAllocatesLittle(t *testing.T) {
	o := observed(signedSince(noon.Add(-time.Hour)))
	if n := testing.AllocsPerRun(100, func() { Decide(o) }); n > 20 {
		t.Errorf("a decision makes %v allocations", n)
	}
}

// BenchmarkDecide decides about a resource at rest, which every rule is asked about.
func BenchmarkDecide(b *testing.B) {
	o := observed(signedSince(noon.Add(-time.Hour)))
	b.ReportAllocs()
	for b.Loop() {
		Decide(o)
	}
}

// BenchmarkStatus makes the status of a resource at rest, as every look at it does.
func BenchmarkStatus(b *testing.B) {
	o := observed(signedSince(noon.Add(-time.Hour)))
	next := Decide(o)
	b.ReportAllocs()
	for b.Loop() {
		Status(o, next)
	}
}
