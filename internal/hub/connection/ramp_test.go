package connection

import (
	"slices"
	"testing"
	"time"
)

func TestDelaysMakeTheSameWavesAsTheRamp(t *testing.T) {
	const all = 1000
	var r ramp
	r.start(make([]Subject, all), noon)
	var want []time.Duration
	for at := noon; ; {
		wave, next := r.wave(at)
		for range wave {
			want = append(want, at.Sub(noon))
		}
		if at = next; next.IsZero() {
			break
		}
	}
	var got []time.Duration
	for place := range all {
		got = append(got, Delay(place))
	}
	if !slices.Equal(got, want) {
		t.Errorf("the delays are %v, want %v", got, want)
	}
}
