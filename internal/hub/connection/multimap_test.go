package connection

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestAMultimapHasWhatWasAddedAndNotRemoved(t *testing.T) {
	m, want := multimap[int, int]{}, map[int]map[int]bool{}
	random := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		k, v := random.IntN(5), random.IntN(5)
		if want[k] == nil {
			want[k] = map[int]bool{}
		}
		if random.IntN(2) == 0 {
			m.add(k, v)
			want[k][v] = true
		} else {
			m.remove(k, v)
			delete(want[k], v)
		}
		got, wanted := slices.Sorted(slices.Values(m.of(k))), slices.Sorted(maps.Keys(want[k]))
		if !slices.Equal(got, wanted) {
			t.Fatalf("%d has %v, want %v", k, got, wanted)
		}
		if _, ok := m[k]; ok != (len(wanted) > 0) {
			t.Fatalf("a key without values is kept: %t", ok)
		}
	}
}
