package main

import "testing"

func TestQuantilesAreOfWhatWasMeasured(t *testing.T) {
	sorted := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	for part, want := range map[float64]float64{0: 1, 0.5: 5, 0.9: 9, 0.99: 10, 1: 10} {
		if got := quantile(sorted, part); got != want {
			t.Errorf("the quantile of %v is %v, want %v", part, got, want)
		}
	}
	if got := quantile([]float64{7}, 0.5); got != 7 {
		t.Errorf("the median of one value is %v", got)
	}
}
