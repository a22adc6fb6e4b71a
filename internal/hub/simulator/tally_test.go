package simulator_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

func TestTheTallyCountsCallsBySecondOperationAndStatus(t *testing.T) {
	clock := newClock()
	w := newWorld(t, simulator.Options{CoreOptions: simulator.CoreOptions{Now: clock.now}})
	first := clock.now().Unix()
	w.call(http.StatusOK, "GET", root, nil)
	w.call(http.StatusOK, "GET", root, nil)
	w.as("wrong").call(http.StatusUnauthorized, "GET", root, nil)
	clock.tick()
	w.call(http.StatusOK, "GET", root, nil)
	w.create(nil)

	want := []simulator.Tally{
		{Second: first, Operation: "listWebhooks", Status: 200, Count: 2},
		{Second: first, Operation: "listWebhooks", Status: 401, Count: 1},
		{Second: first + 1, Operation: "createWebhook", Status: 201, Count: 1},
		{Second: first + 1, Operation: "listWebhooks", Status: 200, Count: 1},
	}
	if diff := cmp.Diff(want, w.Tally()); diff != "" {
		t.Error(diff)
	}
	var told []simulator.Tally
	raw := w.call(http.StatusOK, "GET", "/_sim/requests/tally?operation=createWebhook", nil).raw
	if err := json.Unmarshal(raw, &told); err != nil || cmp.Diff(want[2:3], told) != "" {
		t.Errorf("the admin API tells %s, %v", raw, err)
	}
}
