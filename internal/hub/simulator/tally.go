package simulator

import (
	"cmp"
	"maps"
	"slices"
)

// Tally is how many calls of one operation came within a second and were answered alike: what there is to know of
// thousands of requests.
type Tally struct {
	// Second is the Unix time of that second.
	Second    int64  `json:"second"`
	Operation string `json:"operation"`
	// Status is 0 for calls without an answer, or without one so far.
	Status int `json:"status"`
	Count  int `json:"count"`
}

// Tally counts the requests that every filter chooses, in the order of time.
func (s *Simulator) Tally(filters ...Filter) []Tally {
	counts := map[Tally]int{}
	s.requests.mu.Lock()
	for _, r := range s.requests.all {
		if !slices.ContainsFunc(filters, func(f Filter) bool { return !f(*r) }) {
			counts[Tally{Second: r.ReceivedAt.Unix(), Operation: r.Operation, Status: r.Status}]++
		}
	}
	s.requests.mu.Unlock()
	order := func(a, b Tally) int {
		return cmp.Or(cmp.Compare(a.Second, b.Second), cmp.Compare(a.Operation, b.Operation),
			cmp.Compare(a.Status, b.Status))
	}
	all := make([]Tally, 0, len(counts))
	for _, t := range slices.SortedFunc(maps.Keys(counts), order) {
		t.Count = counts[t]
		all = append(all, t)
	}
	return all
}
