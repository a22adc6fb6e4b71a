package simulator_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

func TestEventsGoToActiveWebhooksOfTheirTypeAndApplication(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	wanted, _ := w.create(nil)
	w.create(object{"eventType": "MessageStatus"})
	inactive, _ := w.create(nil)
	no := false
	if _, err := w.ChangeByHand(inactive, simulator.Change{Active: &no}); err != nil {
		t.Fatal(err)
	}
	w.as(otherKey).create(nil)
	logs := w.send("m")
	if len(logs) != 1 || logs[0].WebhookID != wanted || !logs[0].Succeeded {
		t.Errorf("the event went to %+v, want %s alone", logs, wanted)
	}
	if _, err := w.SendEvent("shop", []byte(`{"eventType":"Call"}`)); err == nil {
		t.Error("an event of an unknown type was taken")
	}
}

func TestAttemptsAreLoggedCountedAndRetried(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	id, _ := w.create(nil)
	logsPath := root + "/" + id + "/webhook-log"
	w.endpoint.status = http.StatusTeapot
	failed := w.send("first")[0].ID
	w.endpoint.status = http.StatusOK
	w.send("second")
	if n := w.get(id)["numberOfErrors"]; n != 1.0 {
		t.Errorf("numberOfErrors is %v, want 1", n)
	}
	if diff := cmp.Diff([]string{"second Success 200", "first Failed 418"}, w.logs(logsPath)); diff != "" {
		t.Errorf("logs, newest first:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"first Failed 418"}, w.logs(logsPath+"?status=Failed&limit=1")); diff != "" {
		t.Error(diff)
	}
	retried := w.call(http.StatusOK, "POST", logsPath+"/"+failed+"/retry", nil).body
	newest := w.call(http.StatusOK, "GET", logsPath+"?limit=1", nil).body["data"].([]any)[0].(object)
	if retried["success"] != true || retried["newLogId"] != newest["id"] || newest["status"] != "Success" {
		t.Errorf("retry gave %v, the newest log is %v", retried, newest)
	}
	// Success says only that the Hub tried.
	w.endpoint.status = http.StatusTeapot
	absent := uuid.NewString()
	many := w.call(http.StatusOK, "POST", logsPath+"/retry", object{"webhookLogIds": []string{failed, absent}}).body
	results := many["results"].([]any)
	tried, untried := results[0].(object), results[1].(object)
	if tried["success"] != true || untried["success"] != false || untried["webhookLogId"] != absent || untried["newLogId"] != nil {
		t.Errorf("retry of many gave %v", results)
	}
	if n := w.get(id)["numberOfErrors"]; n != 2.0 {
		t.Errorf("numberOfErrors is %v after a failed retry, want 2", n)
	}
	w.call(http.StatusNotFound, "POST", logsPath+"/"+absent+"/retry", nil)
	w.as(otherKey).call(http.StatusNotFound, "GET", logsPath, nil)
}

// logs gives message, status and status code of each log of a page.
func (w *world) logs(path string) []string {
	w.t.Helper()
	all := []string{}
	for _, entry := range w.call(http.StatusOK, "GET", path, nil).body["data"].([]any) {
		l := entry.(object)
		all = append(all, sprint(l["messageId"], l["status"], l["statusCode"]))
	}
	return all
}

func TestADeliveryThatNobodyAnswersHasStatusCode0(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	id, body := w.create(object{"endpoint": noChannel})
	if body["isVerified"] != false || body["verifiedAt"] != nil {
		t.Errorf("an endpoint that does not answer is %v", body)
	}
	w.send("lost")
	if diff := cmp.Diff([]string{"lost Failed 0"}, w.logs(root+"/"+id+"/webhook-log")); diff != "" {
		t.Error(diff)
	}
}
