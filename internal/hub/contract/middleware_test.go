package contract_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chatt2me/webhook-operator/internal/hub/contract"
)

const (
	id      = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
	webhook = `{"id":"` + id + `","applicationId":"00000000-0000-0000-0000-000000000001","active":true,` +
		`"eventType":"Message","endpoint":"https://r.example/","numberOfErrors":0,"isVerified":false,` +
		`"authenticationProtocol":"NoAuthentication","createdDate":"2026-02-09T12:00:00Z"}`
	create = `{"label":"l","endpoint":"https://r.example/","eventType":"Message",` +
		`"authenticationProtocol":"NoAuthentication"}`
	collection = "/v1/organization/webhook"
)

// witness is a test that notes what would have failed it.
type witness struct {
	testing.TB
	errors []string
}

func (w *witness) Helper() {}

func (w *witness) Errorf(format string, args ...any) {
	w.errors = append(w.errors, fmt.Sprintf(format, args...))
}

type exchange struct {
	method, path, body string
	noKey              bool
	status             int
	answer             string
	contentType        string
	offContract        string
}

// errorsOf are the complaints about one request and its answer.
func errorsOf(t *testing.T, e exchange) []string {
	t.Helper()
	w := &witness{TB: t}
	handler := contract.Middleware(w, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		if e.contentType != "" {
			rw.Header().Set("Content-Type", e.contentType)
		}
		if e.offContract != "" {
			rw.Header().Set(contract.OffContract, e.offContract)
		}
		rw.WriteHeader(e.status)
		_, _ = rw.Write([]byte(e.answer))
	}))
	r := httptest.NewRequest(e.method, e.path, bytes.NewBufferString(e.body))
	if e.body == "" {
		r = httptest.NewRequest(e.method, e.path, nil)
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	if !e.noKey {
		r.Header.Set("x-api-key", "key")
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, r)
	if diff := cmp.Diff(e.answer, answer.Body.String()); diff != "" || answer.Code != e.status {
		t.Errorf("the answer did not pass unchanged: %d %s", answer.Code, diff)
	}
	return w.errors
}

func TestMiddleware_lets_pass_what_fits(t *testing.T) {
	for name, e := range map[string]exchange{
		"a create":             {method: "POST", path: collection, body: create, status: 201, answer: webhook},
		"a scope of null":      {method: "PATCH", path: collection + "/" + id, body: `{"scope":null}`, status: 200, answer: webhook},
		"a delete":             {method: "DELETE", path: collection + "/" + id, status: 204},
		"a redefine":           {method: "POST", path: collection + "/" + id + "/redefine-signature", status: 200, answer: `{"secret":"s"}`},
		"a retry":              {method: "POST", path: collection + "/" + id + "/webhook-log/" + id + "/retry", status: 200, answer: `{"success":true}`},
		"a retry of many":      {method: "POST", path: collection + "/" + id + "/webhook-log/retry", body: `{"webhookLogIds":["` + id + `"]}`, status: 200, answer: `{"results":[]}`},
		"an error with a list": {method: "POST", path: collection, body: create, status: 400, answer: `{"message":["a","b"]}`},
		"a missing key, 401":   {method: "GET", path: collection, noKey: true, status: 401, answer: `{"message":"no"}`},
		"a bare array on purpose": {
			method: "GET", path: collection + "?offset=0&limit=50", status: 200, answer: `[]`, offContract: "bare array",
		},
		"what is not the Hub's API": {method: "GET", path: "/_sim/anything", noKey: true, status: 200, answer: `?`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := errorsOf(t, e); len(got) > 0 {
				t.Errorf("complaints: %q", got)
			}
		})
	}
}

func TestMiddleware_catches(t *testing.T) {
	list := func(query, answer string) exchange {
		return exchange{method: "GET", path: collection + query, status: 200, answer: answer}
	}
	const empty = `{"data":[],"pagination":{"offset":0,"limit":20,"total":0,"totalPages":0}}`
	for name, e := range map[string]exchange{
		"a request without a required property": {method: "POST", path: collection, body: `{"label":"l"}`, status: 400, answer: `{}`},
		"a request property that has no name in the schema": {
			method: "POST", path: collection, body: strings.Replace(create, `{`, `{"secret":"x",`, 1), status: 201, answer: webhook,
		},
		"a property of a header that has no name in the schema": {
			method: "PATCH", path: collection + "/" + id, status: 200, answer: webhook,
			body: `{"headers":[{"key":"a","value":"b","secret":true}]}`,
		},
		"an empty update":           {method: "PATCH", path: collection + "/" + id, body: `{}`, status: 200, answer: webhook},
		"an endpoint that is none":  {method: "PATCH", path: collection + "/" + id, body: `{"endpoint":"/x"}`, status: 200, answer: webhook},
		"an id that is no UUID":     {method: "DELETE", path: collection + "/17", status: 404, answer: `{}`},
		"a body where none belongs": {method: "POST", path: collection + "/" + id + "/redefine-signature", body: `{}`, status: 200, answer: `{"secret":"s"}`},
		"an operation there is not": {method: "PUT", path: collection + "/" + id, body: create, status: 404, answer: `{}`},
		"a page that is too long":   list("?limit=51", empty),
		"an unknown query":          list("?page=2", empty),
		"a missing key":             {method: "GET", path: collection, noKey: true, status: 200, answer: empty},
		"a bare array":              list("", `[]`),
		"a list without its size":   list("", `{"data":[]}`),
		"an answer with a bad id":   {method: "POST", path: collection, body: create, status: 201, answer: strings.Replace(webhook, id, "17", 1)},
		"an answer with a bad date": {method: "POST", path: collection, body: create, status: 201, answer: strings.Replace(webhook, "2026-02-09T", "9 Feb ", 1)},
		"an answer of an event type that is not agreed": {
			method: "GET", path: collection + "/" + id, status: 200, answer: strings.Replace(webhook, `"Message"`, `"Other"`, 1),
		},
		"an HTML page": {method: "GET", path: collection, status: 502, answer: `<html>`, contentType: "text/html"},
		"a bad request whose answer is off contract on purpose": {
			method: "POST", path: collection, body: `{}`, status: 500, answer: `?`, offContract: "fault",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := errorsOf(t, e)
			if len(got) == 0 {
				t.Fatal("no complaint")
			}
			t.Log(got)
		})
	}
}

func TestMiddleware_leaves_the_connection_to_a_handler_that_takes_it(t *testing.T) {
	w := &witness{TB: t}
	server := httptest.NewServer(contract.Middleware(w, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		conn, _, err := rw.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_ = conn.Close()
	})))
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, server.URL+collection+"/"+id, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("x-api-key", "key")
	if resp, err := server.Client().Do(r); err == nil {
		_ = resp.Body.Close()
		t.Errorf("answered %d, want a closed connection", resp.StatusCode)
	}
	if len(w.errors) > 0 {
		t.Errorf("complaints about an answer that was never given: %q", w.errors)
	}
}
