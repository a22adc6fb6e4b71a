package simulator_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

func TestTheAdminAPIManagesApplications(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.call(200, "GET", "/_sim/healthz", nil)
	made := w.call(200, "POST", "/_sim/applications", object{"name": "third", "apiKey": "third-key"})
	if made.body["id"] == "" || string(made.raw) == "" || made.body["apiKey"] != nil {
		t.Errorf("the answer is %s", made.raw)
	}
	w.as("third-key").call(200, "GET", root, nil)
	w.call(204, "PUT", "/_sim/applications/third/keys/default", object{"apiKey": "rotated"})
	w.as("third-key").call(401, "GET", root, nil)
	w.call(204, "DELETE", "/_sim/applications/third/keys/default", nil)
	w.as("rotated").call(401, "GET", root, nil)
	w.call(404, "DELETE", "/_sim/applications/third/keys/default", nil)
	w.call(400, "POST", "/_sim/applications", object{"title": "x"})
	var all []simulator.Application
	if err := json.Unmarshal(w.call(200, "GET", "/_sim/applications", nil).raw, &all); err != nil || len(all) != 3 {
		t.Errorf("applications are %v, %v", all, err)
	}
}

func TestTheAdminAPIChangesWebhooksAsADashboardUserWould(t *testing.T) {
	w := newWorld(t, withVariants(simulator.Variants{LabelUpdate: simulator.LabelRefused}))
	made := w.call(200, "POST", "/_sim/applications/shop/webhooks", object{
		"label": "By hand", "endpoint": w.endpoint.URL, "headers": []object{{"key": "X-A", "value": "a"}}, "requiresSignature": true,
	})
	id := made.body["id"].(string)
	w.get(id)
	one := "/_sim/webhooks/" + id
	changed := w.call(200, "PATCH", one, object{"isVerified": false, "active": false, "numberOfErrors": 9, "label": "Other"}).body
	if changed["isVerified"] != false || changed["active"] != false || changed["numberOfErrors"] != 9.0 || changed["label"] != "Other" {
		t.Errorf("the change made %v", changed)
	}
	var all []struct {
		ID      string
		Headers []simulator.Header
	}
	err := json.Unmarshal(w.call(200, "GET", "/_sim/applications/shop/webhooks", nil).raw, &all)
	if err != nil || len(all) != 1 || cmp.Diff([]simulator.Header{{Key: "X-A", Value: "a"}}, all[0].Headers) != "" {
		t.Errorf("the list is %v, %v", all, err)
	}
	before := w.SecretOf(id)
	w.call(204, "POST", one+"/redefine-signature", nil)
	if w.SecretOf(id) == before {
		t.Error("the secret is the old one")
	}
	w.call(204, "DELETE", one, nil)
	w.call(404, "DELETE", one, nil)
	w.call(404, "PATCH", one, object{"active": true})
	w.call(404, "GET", root+"/"+id, nil)
}

func TestTheAdminAPISendsEvents(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.create(nil)
	sent := w.call(200, "POST", "/_sim/events", object{
		"application": "shop", "event": object{"eventType": "Message", "messageId": "m1"},
	})
	logs := sent.body["logs"].([]any)
	if len(logs) != 1 || logs[0].(object)["status"] != "Success" || logs[0].(object)["messageId"] != "m1" {
		t.Errorf("the logs are %s", sent.raw)
	}
	w.call(404, "POST", "/_sim/events", object{"application": "nobody", "event": object{"eventType": "Message"}})
	w.call(400, "POST", "/_sim/events", object{"application": "shop"})
}

func TestTheAdminAPISetsFaultsVariantsAndSettings(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.call(204, "POST", "/_sim/faults", object{"kind": "LateCommit", "times": 1, "match": object{"operation": "createWebhook"}})
	w.dropped()
	if released := w.call(200, "POST", "/_sim/release-late", nil).body["released"]; released != 1.0 || w.webhooks() != 1 {
		t.Errorf("%v released", released)
	}
	w.call(204, "POST", "/_sim/faults", object{"kind": "BadGateway"})
	w.call(502, "GET", root, nil)
	w.call(204, "DELETE", "/_sim/faults", nil)
	w.call(400, "POST", "/_sim/faults", object{"kind": "Odd"})

	w.call(200, "PUT", "/_sim/variants", object{"newestFirst": true})
	w.call(200, "PATCH", "/_sim/variants", object{"maxLimit": 3})
	got := w.call(200, "GET", "/_sim/variants", nil).body
	if diff := cmp.Diff(object{"newestFirst": true, "maxLimit": 3.0}, got); diff != "" {
		t.Error(diff)
	}
	w.call(400, "PATCH", "/_sim/variants", object{"odd": true})

	w.call(204, "PATCH", "/_sim/settings", object{"rateLimit": 0.001})
	w.call(200, "GET", root, nil)
	w.call(429, "GET", root, nil)
}

func TestTheAdminAPITellsOfRequestsAndResets(t *testing.T) {
	w := newWorld(t, withVariants(simulator.Variants{NewestFirst: true}))
	id, _ := w.create(nil)
	w.get(id)
	var requests []simulator.Request
	raw := w.call(200, "GET", "/_sim/requests?operation=getWebhook&application=shop&webhook="+id, nil).raw
	if err := json.Unmarshal(raw, &requests); err != nil || len(requests) != 1 || requests[0].Operation != "getWebhook" {
		t.Errorf("the requests are %s, %v", raw, err)
	}
	w.call(204, "DELETE", "/_sim/requests", nil)
	if len(w.Requests()) != 0 {
		t.Error("the requests are still there")
	}
	w.fault(simulator.Fault{Kind: simulator.BadGateway})
	w.call(204, "POST", "/_sim/reset", nil)
	w.call(404, "GET", root+"/"+id, nil)
	if w.webhooks() != 0 || len(w.Faults()) != 0 || w.Variants().NewestFirst || len(w.Lifetimes()) != 0 {
		t.Error("something outlived the reset")
	}
}

func TestTheAdminAPICanBeElsewhere(t *testing.T) {
	w := newLenientWorld(t, simulator.Options{SeparateAdmin: true})
	w.call(http.StatusNotFound, "GET", "/_sim/healthz", nil)
	admin := httptest.NewRecorder()
	w.AdminHandler().ServeHTTP(admin, httptest.NewRequest(http.MethodGet, "/_sim/healthz", nil))
	if admin.Code != http.StatusOK {
		t.Errorf("the separate handler answers %d", admin.Code)
	}
}
