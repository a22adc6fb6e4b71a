package simulator_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/onsi/gomega"

	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

func TestVariantsOfLists(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	for _, label := range []string{"1", "2", "3"} {
		w.create(object{"label": label})
	}
	w.SetVariants(simulator.Variants{NewestFirst: true})
	if diff := cmp.Diff([]string{"3", "2", "1"}, w.page("")); diff != "" {
		t.Errorf("newest first:\n%s", diff)
	}
	w.SetVariants(simulator.Variants{MaxLimit: 2})
	r := w.call(http.StatusOK, "GET", root+"?limit=50", nil)
	if limit := r.body["pagination"].(object)["limit"]; limit != 2.0 || len(r.body["data"].([]any)) != 2 {
		t.Errorf("with at most 2 a page is %s", r.raw)
	}
	w.SetVariants(simulator.Variants{BareLists: true})
	r = w.call(http.StatusOK, "GET", root, nil)
	var bare []any
	if json.Unmarshal(r.raw, &bare) != nil || len(bare) != 3 || r.header.Get(simulator.OffContractHeader) == "" {
		t.Errorf("a bare list is %s with %v", r.raw, r.header)
	}
}

func TestVariantsOfFields(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	id, _ := w.create(nil)
	w.SetVariants(simulator.Variants{OmitFields: []string{"label", "requiresSignature"}, Fields: object{"colour": "red"}})
	got := w.get(id)
	if _, there := got["label"]; there || got["requiresSignature"] != nil || got["colour"] != "red" {
		t.Errorf("the webhook is %v", got)
	}
	w.SetVariants(simulator.Variants{Fields: object{"eventType": "Reaction"}})
	if r := w.call(http.StatusOK, "GET", root, nil); r.header.Get(simulator.OffContractHeader) == "" || !strings.Contains(string(r.raw), "Reaction") {
		t.Errorf("an unknown event type is not shown or not marked: %s", r.raw)
	}
	other, _ := w.create(object{"label": "Odd"})
	w.SetVariants(simulator.Variants{FieldsOf: map[string]map[string]any{"Odd": {"numberOfErrors": "3"}}})
	if got := w.get(other)["numberOfErrors"]; got != "3" {
		t.Errorf("numberOfErrors of the odd webhook is %v", got)
	}
	if got := w.get(id)["numberOfErrors"]; got != 0.0 {
		t.Errorf("numberOfErrors of the other webhook is %v", got)
	}
	w.SetVariants(simulator.Variants{OmitFields: []string{"endpoint"}})
	if r := w.call(http.StatusOK, "GET", root+"/"+id, nil); r.header.Get(simulator.OffContractHeader) == "" {
		t.Error("an answer without endpoint is not marked")
	}
}

func TestVariantsOfTheLabel(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	id, _ := w.create(nil)
	change := object{"label": "New", "eventType": "MessageStatus"}
	w.SetVariants(simulator.Variants{LabelUpdate: simulator.LabelRefused})
	w.call(http.StatusBadRequest, "PATCH", root+"/"+id, change)
	if got := w.get(id); got["label"] != "Received" || got["eventType"] != "Message" {
		t.Errorf("a refused PATCH left %v", got)
	}
	w.SetVariants(simulator.Variants{LabelUpdate: simulator.LabelIgnored})
	w.call(http.StatusOK, "PATCH", root+"/"+id, change)
	if got := w.get(id); got["label"] != "Received" || got["eventType"] != "MessageStatus" {
		t.Errorf("a PATCH whose label is ignored left %v", got)
	}
}

func TestVariantsOfTheSpelling(t *testing.T) {
	w := newWorld(t, withVariants(simulator.Variants{NormalizeEndpoint: true, NormalizeLabel: true}))
	spelled := object{"label": "  New\tone ", "endpoint": "https://LOCALHOST:443/a/../b//%63"}
	want := object{"label": "New one", "endpoint": "https://localhost/b//%63"}
	id, created := w.create(spelled)
	w.call(http.StatusOK, "PATCH", root+"/"+id, spelled)
	for name, value := range want {
		if got := w.get(id); created[name] != value || got[name] != value {
			t.Errorf("%s is %v after the creation and %v after the PATCH, want %v", name, created[name], got[name], value)
		}
	}
	id, created = w.create(object{"endpoint": "https://Localhost"})
	if created["endpoint"] != "https://localhost/" {
		t.Errorf("an endpoint without a path became %v", w.get(id)["endpoint"])
	}
}

func TestVariantsOfTheSecret(t *testing.T) {
	signed := object{"requiresSignature": true}
	w := newWorld(t, withVariants(simulator.Variants{OmitSecret: true}))
	id, body := w.create(signed)
	if body["secret"] != nil || w.SecretOf(id) == "" {
		t.Errorf("the answer is %v, want one without the secret that there is", body)
	}
	w.SetVariants(simulator.Variants{SecretField: "signingKey"})
	id, body = w.create(signed)
	if body["secret"] != nil || body["signingKey"] != w.SecretOf(id) {
		t.Errorf("the answer is %v, want signingKey in it", body)
	}
	w.SetVariants(simulator.Variants{CreateAnswersOK: true})
	w.call(http.StatusOK, "POST", root, w.creation(nil))
}

func TestVariantsOfVerification(t *testing.T) {
	t.Run("later", func(t *testing.T) {
		g := gomega.NewWithT(t)
		w := newWorld(t, withVariants(simulator.Variants{VerifyAfter: simulator.Duration(50 * time.Millisecond)}))
		id, body := w.create(nil)
		if body["isVerified"] != false {
			t.Error("verified before the answer")
		}
		g.Eventually(func() any { return w.get(id)["isVerified"] }, "60s", "10ms").Should(gomega.BeTrue())
	})
	t.Run("at a time that never comes", func(t *testing.T) {
		w := newWorld(t, withVariants(simulator.Variants{VerifyAfter: simulator.Duration(time.Hour)}))
		w.create(nil)
		w.Close()
		if len(w.endpoint.seen) != 0 {
			t.Error("the endpoint was called")
		}
	})
	t.Run("of a changed endpoint only", func(t *testing.T) {
		w := newWorld(t, withVariants(simulator.Variants{VerifyBeforeAnswer: true, VerifyChangedOnly: true}))
		id, _ := w.create(nil)
		w.call(http.StatusOK, "PATCH", root+"/"+id, object{"endpoint": w.endpoint.URL})
		w.call(http.StatusOK, "PATCH", root+"/"+id, object{"endpoint": w.endpoint.URL + "/new"})
		if n := len(w.endpoint.seen); n != 2 {
			t.Errorf("%d handshakes, want those of the creation and of the change", n)
		}
	})
	t.Run("that headers reset", func(t *testing.T) {
		w := newWorld(t, verifiesFirst())
		id, _ := w.create(nil)
		headers := object{"headers": []object{{"key": "X-A", "value": "b"}}}
		if got := w.call(http.StatusOK, "PATCH", root+"/"+id, headers).body["isVerified"]; got != true {
			t.Error("headers reset isVerified by default")
		}
		w.SetVariants(simulator.Variants{HeadersResetVerified: true})
		if got := w.call(http.StatusOK, "PATCH", root+"/"+id, headers).body["isVerified"]; got != false {
			t.Error("headers did not reset isVerified")
		}
	})
}

func TestVariantsOfErrorBodies(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	absent := root + "/00000000-0000-4000-8000-000000000000"
	for variant, want := range map[simulator.ErrorBody]string{
		simulator.ErrorString:    `{"error":"Not Found","message":"webhook not found","statusCode":404}`,
		simulator.ErrorArray:     `{"error":"Not Found","message":["webhook not found"],"statusCode":404}`,
		simulator.ErrorNoMessage: `{"error":"Not Found","statusCode":404}`,
		simulator.ErrorHTML:      "<html><head><title>404 Not Found",
	} {
		w.SetVariants(simulator.Variants{ErrorBody: variant})
		if r := w.call(http.StatusNotFound, "GET", absent, nil); !bytes.HasPrefix(r.raw, []byte(want)) {
			t.Errorf("%q gives %s, want %s", variant, r.raw, want)
		}
	}
}

func TestReadsCanLagBehindWrites(t *testing.T) {
	clock := newClock()
	w := newWorld(t, simulator.Options{CoreOptions: simulator.CoreOptions{
		Now: clock.now, Variants: simulator.Variants{ReadLag: simulator.Duration(time.Second)},
	}})
	id, _ := w.create(nil)
	w.call(http.StatusNotFound, "GET", root+"/"+id, nil)
	clock.tick()
	w.get(id)
	w.call(http.StatusOK, "PATCH", root+"/"+id, object{"label": "New"})
	if diff := cmp.Diff([]string{"Received"}, w.page("")); diff != "" {
		t.Errorf("the list does not lag:\n%s", diff)
	}
	clock.tick()
	if diff := cmp.Diff([]string{"New"}, w.page("")); diff != "" {
		t.Error(diff)
	}
	w.call(http.StatusNoContent, "DELETE", root+"/"+id, nil)
	w.get(id)
	w.call(http.StatusNotFound, "DELETE", root+"/"+id, nil)
	clock.tick()
	w.call(http.StatusNotFound, "GET", root+"/"+id, nil)
}

func TestVariantsOfDelivery(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	id, _ := w.create(object{"endpoint": noChannel})
	logsPath := root + "/" + id + "/webhook-log"
	w.send("m")
	w.SetVariants(simulator.Variants{FailedStatus: "Error", UnansweredNull: true, LogFields: object{"attempt": 1}})
	if diff := cmp.Diff([]string{"m Error <nil>"}, w.logs(logsPath+"?status=Error")); diff != "" {
		t.Error(diff)
	}
	w.SetVariants(simulator.Variants{DeactivateAfterErrors: 2})
	w.send("m")
	if got := w.get(id); got["active"] != false || got["numberOfErrors"] != 2.0 {
		t.Errorf("after two errors the webhook is %v", got)
	}
	if logs := w.send("m"); len(logs) != 0 {
		t.Error("an inactive webhook was delivered to")
	}
	w.SetVariants(simulator.Variants{ErrorsResetOnSuccess: true})
	yes := true
	if _, err := w.ChangeByHand(id, simulator.Change{Active: &yes, Endpoint: &w.endpoint.URL}); err != nil {
		t.Fatal(err)
	}
	w.send("m")
	if n := w.get(id)["numberOfErrors"]; n != 0.0 {
		t.Errorf("numberOfErrors is %v after a success, want 0", n)
	}
}

func TestVariantsAreSetByName(t *testing.T) {
	var v simulator.Variants
	for name, value := range map[string]string{
		"bareLists": "true", "maxLimit": "7", "labelUpdate": "Ignored", "readLag": "1500ms", "omitFields": `["label"]`,
	} {
		if err := v.Set(name, value); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	want := simulator.Variants{
		BareLists: true, MaxLimit: 7, LabelUpdate: simulator.LabelIgnored, ReadLag: simulator.Duration(1500 * time.Millisecond),
		OmitFields: []string{"label"},
	}
	for name, value := range map[string]string{"nothing": "1", "bareLists": "perhaps", "labelUpdate": "Odd", "errorBody": "Odd", "readLag": "soon"} {
		if v.Set(name, value) == nil {
			t.Errorf("%s=%s was taken", name, value)
		}
	}
	if diff := cmp.Diff(want, v); diff != "" {
		t.Error(diff)
	}
}
