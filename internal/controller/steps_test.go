package controller

import (
	"testing"
	"time"
)

func TestStepsThatLeadNowhereComeEverSlower(t *testing.T) {
	m := &localState{}
	for range manySteps {
		if delay := m.nextStep(); delay != atOnce {
			t.Fatalf("step %d waits for %s", m.steps, delay)
		}
	}
	var waited time.Duration
	for range 10 {
		waited += m.nextStep()
	}
	if waited < 4*time.Minute || waited > 8*time.Minute {
		t.Errorf("the ten steps after that take %s", waited)
	}
}
