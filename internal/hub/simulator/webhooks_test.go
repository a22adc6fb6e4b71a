package simulator_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

func TestAWebhookLivesFromCreateToDelete(t *testing.T) {
	w := newWorld(t, verifiesFirst())
	id, created := w.create(object{"scope": "s", "headers": []object{{"key": "X-A", "value": canary}}})
	if created["isVerified"] != true || created["verifiedAt"] == nil || created["applicationId"] != w.shop.ID {
		t.Errorf("the created webhook is %v, want it verified and owned by the Application", created)
	}
	if diff := cmp.Diff(created, w.get(id)); diff != "" {
		t.Errorf("GET differs from the answer to the creation:\n%s", diff)
	}
	changed := w.call(http.StatusOK, "PATCH", root+"/"+id, object{"eventType": "MessageStatus", "scope": nil, "label": "New"}).body
	if changed["eventType"] != "MessageStatus" || changed["scope"] != nil || changed["label"] != "New" {
		t.Errorf("PATCH left %v", changed)
	}
	w.call(http.StatusOK, "PATCH", root+"/"+id, object{"headers": []object{{"key": "X-B", "value": "b"}}})
	if diff := cmp.Diff([]simulator.Header{{Key: "X-B", Value: "b"}}, w.HeadersOf(id)); diff != "" {
		t.Errorf("PATCH must replace the whole header list:\n%s", diff)
	}
	w.call(http.StatusNoContent, "DELETE", root+"/"+id, nil)
	w.call(http.StatusNotFound, "DELETE", root+"/"+id, nil)
	w.call(http.StatusNotFound, "GET", root+"/"+id, nil)
	w.call(http.StatusNotFound, "PATCH", root+"/"+id, object{"label": "x"})
}

func TestHeadersNeverComeOut(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	id, _ := w.create(object{"headers": []object{{"key": "X-A", "value": canary}}})
	for _, path := range []string{root, root + "/" + id} {
		if r := w.call(http.StatusOK, "GET", path, nil); strings.Contains(string(r.raw), canary) {
			t.Errorf("GET %s shows a header value", path)
		}
	}
}

func TestTheSameCreateTwiceMakesTwoWebhooks(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.create(nil)
	w.create(nil)
	if logs := w.send("m"); len(logs) != 2 {
		t.Errorf("an event was delivered %d times, want 2", len(logs))
	}
	if l := w.Lifetimes(); len(l) != 2 || !l[0].Overlaps(l[1]) {
		t.Errorf("lifetimes %v do not show two webhooks at once", l)
	}
}

func TestLifetimesOfAReplacementDoNotOverlap(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	id, _ := w.create(nil)
	w.call(http.StatusNoContent, "DELETE", root+"/"+id, nil)
	w.create(nil)
	if l := w.Lifetimes(); len(l) != 2 || l[0].Overlaps(l[1]) {
		t.Errorf("lifetimes %v overlap", l)
	}
}

func TestApplicationsSeeOnlyTheirOwn(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	id, _ := w.create(nil)
	other := w.as(otherKey)
	other.call(http.StatusNotFound, "GET", root+"/"+id, nil)
	other.call(http.StatusNotFound, "PATCH", root+"/"+id, object{"label": "mine"})
	other.call(http.StatusNotFound, "DELETE", root+"/"+id, nil)
	if data := other.call(http.StatusOK, "GET", root, nil).body["data"].([]any); len(data) != 0 {
		t.Errorf("a foreign listing shows %v", data)
	}
	w.get(id)
}

func TestAPIKeysCanBeRotatedAndRevoked(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.as("").call(http.StatusUnauthorized, "GET", root, nil)
	w.as("wrong").call(http.StatusUnauthorized, "GET", root, nil)
	if err := w.SetKey("shop", "second", "second-key"); err != nil {
		t.Fatal(err)
	}
	w.as("second-key").call(http.StatusOK, "GET", root, nil)
	if err := w.SetKey(w.shop.ID, "", "rotated"); err != nil {
		t.Fatal(err)
	}
	w.call(http.StatusUnauthorized, "GET", root, nil)
	w.as("rotated").call(http.StatusOK, "GET", root, nil)
	if err := w.RevokeKey("shop", "second"); err != nil {
		t.Fatal(err)
	}
	w.as("second-key").call(http.StatusUnauthorized, "GET", root, nil)
}

func TestWrongRequestsAreRefused(t *testing.T) {
	w := newLenientWorld(t, simulator.Options{})
	id, _ := w.create(nil)
	one := root + "/" + id
	tests := []struct {
		name, method, path string
		body               any
		status             int
		message            string
	}{
		{"no JSON", "POST", root, "{", 400, "JSON object"},
		{"an array", "POST", root, "[]", 400, "JSON object"},
		{"no label", "POST", root, w.creation(object{"label": nil}), 400, "label is required"},
		{"an empty label", "POST", root, w.creation(object{"label": ""}), 400, "label must have"},
		{"plain HTTP", "POST", root, w.creation(object{"endpoint": "http://a.example"}), 400, "HTTPS"},
		{"an unknown event type", "POST", root, w.creation(object{"eventType": "Call"}), 400, "eventType must be one of"},
		{"an unknown protocol", "POST", root, w.creation(object{"authenticationProtocol": "None"}), 400, "authenticationProtocol"},
		{"a number as label", "POST", root, w.creation(object{"label": 1}), 400, "label has the wrong type"},
		{"a wrong header", "POST", root, w.creation(object{"headers": []object{{"key": "a b", "value": "c"}}}), 400, "headers.0"},
		{"a field the Hub owns", "POST", root, w.creation(object{"active": true}), 400, `"active" should not exist`},
		{"an empty PATCH", "PATCH", one, object{}, 400, "at least one"},
		{"a PATCH of isVerified", "PATCH", one, object{"isVerified": true}, 400, "should not exist"},
		{"a negative offset", "GET", root + "?offset=-1", nil, 400, "offset"},
		{"a limit of 51", "GET", root + "?limit=51", nil, 400, "limit"},
		{"an unknown log status", "GET", one + "/webhook-log?status=Odd", nil, 400, "status must be"},
		{"a retry of nothing", "POST", one + "/webhook-log/retry", object{"webhookLogIds": []string{}}, 400, "webhookLogIds"},
		{"redefine without signing", "POST", one + "/redefine-signature", nil, 400, "signature"},
		{"a body that is no UUID id", "GET", root + "/nothing", nil, 404, "not found"},
		{"another path", "GET", "/v1/other", nil, 404, "path"},
		{"another method", "PUT", one, object{}, 405, "Method Not Allowed"},
		{"a body of 2 MiB", "POST", root, `{"label":"` + strings.Repeat("a", 2<<20) + `"}`, 413, "Too Large"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := w.call(test.status, test.method, test.path, test.body)
			if message, _ := r.body["message"].(string); !strings.Contains(message, test.message) {
				t.Errorf("the message is %q, want %q in it", message, test.message)
			}
		})
	}
	t.Run("another content type", func(t *testing.T) {
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, w.URL+root, strings.NewReader("a=b"))
		request.Header.Set("x-api-key", shopKey)
		response, err := w.Client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusUnsupportedMediaType {
			t.Errorf("status %d, want 415", response.StatusCode)
		}
	})
	if got := len(w.Webhooks("shop")); got != 1 {
		t.Errorf("%d webhooks are there, want only the first", got)
	}
}

func TestOnlyTheHubSetsWhatNoCallSets(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	change, err := simulator.DecodeChange([]byte(`{"label":"a","endpoint":"` + noChannel + `","eventType":"Message",
		"authenticationProtocol":"NoAuthentication"}`))
	if err != nil {
		t.Fatal(err)
	}
	change.IsVerified, change.NumberOfErrors = new(true), new(7)
	made, _, err := w.Create(w.shop.ID, change)
	if err != nil || made.IsVerified || made.NumberOfErrors != 0 {
		t.Errorf("the creation made %+v, %v", made, err)
	}
	changed, _, err := w.Update(w.shop.ID, made.ID, simulator.Change{Label: new("b"), IsVerified: new(true), Active: new(false)})
	if err != nil || changed.IsVerified || !changed.Active || changed.Label != "b" {
		t.Errorf("the PATCH made %+v, %v", changed, err)
	}
}

func TestAWrongMethodIsToldWhichAreRight(t *testing.T) {
	w := newLenientWorld(t, simulator.Options{})
	if allow := w.call(405, "PUT", root, nil).header.Get("Allow"); allow != "GET, POST" {
		t.Errorf("Allow is %q", allow)
	}
}

func TestPagesShiftWhenAnEarlierEntryGoes(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	var ids []string
	for i := range 5 {
		id, _ := w.create(object{"label": strconv.Itoa(i)})
		ids = append(ids, id)
	}
	first := w.page("?offset=0&limit=2")
	w.call(http.StatusNoContent, "DELETE", root+"/"+ids[0], nil)
	second := w.page("?offset=2&limit=2")
	if diff := cmp.Diff([][]string{{"0", "1"}, {"3", "4"}}, [][]string{first, second}); diff != "" {
		t.Errorf("entry 2 must be skipped:\n%s", diff)
	}
	pagination := w.call(http.StatusOK, "GET", root+"?offset=2&limit=3", nil).body["pagination"]
	if diff := cmp.Diff(object{"offset": 2.0, "limit": 3.0, "total": 4.0, "totalPages": 2.0}, pagination); diff != "" {
		t.Error(diff)
	}
	if got := w.page("?offset=50"); len(got) != 0 {
		t.Errorf("a page beyond the end holds %v", got)
	}
}

// page gives the labels on one page.
func (w *world) page(query string) []string {
	w.t.Helper()
	return labels(w.call(http.StatusOK, "GET", root+query, nil).body["data"])
}

func labels(data any) []string {
	all := []string{}
	for _, entry := range data.([]any) {
		label, _ := entry.(object)["label"].(string)
		all = append(all, label)
	}
	return all
}
