package hub_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

func TestEvery_status_is_of_one_outcome_and_kind(t *testing.T) {
	type meaning struct {
		outcome hub.Outcome
		kind    hub.Kind
	}
	meanings := map[int]meaning{
		400: {hub.NotApplied, hub.Invalid}, 401: {hub.NotApplied, hub.Refused}, 403: {hub.NotApplied, hub.Refused},
		404: {hub.NotApplied, hub.NotFound}, 405: {hub.NotApplied, hub.Invalid}, 409: {hub.NotApplied, hub.Invalid},
		413: {hub.NotApplied, hub.Invalid}, 422: {hub.NotApplied, hub.Invalid}, 429: {hub.NotApplied, hub.Throttled},
	}
	var status int
	client := newClient(t, newHub(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		if status != http.StatusNotModified {
			_, _ = io.WriteString(w, `{"message":"sorry"}`)
		}
	}).URL)
	for status = 300; status < 600; status++ {
		want, ok := meanings[status]
		if !ok {
			want = meaning{hub.Unknown, hub.Unavailable}
		}
		for name, verb := range verbs(client) {
			got := failure(t, verb(t.Context()))
			if got.Operation != name || got.Outcome != want.outcome || got.Kind != want.kind || got.StatusCode != status {
				t.Errorf("%s answered %d: %#v, want outcome %d and kind %d", name, status, got, want.outcome, want.kind)
			}
		}
	}
}

func TestA_2xx_that_does_not_parse_is_unknown_but_for_a_delete(t *testing.T) {
	for _, status := range []int{200, 201, 202, 204, 206, 299} {
		client := newClient(t, newHub(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			if status != http.StatusNoContent {
				_, _ = io.WriteString(w, "<html>fine</html>")
			}
		}).URL)
		for name, verb := range verbs(client) {
			err := verb(t.Context())
			if name == "deleteWebhook" {
				if err != nil {
					t.Errorf("a delete answered %d: %v", status, err)
				}
				continue
			}
			if got := failure(t, err); got.Outcome != hub.Unknown || got.Kind != hub.Unavailable || got.StatusCode != status {
				t.Errorf("%s answered %d: %#v", name, status, got)
			}
		}
	}
}

func TestRetryAfter_is_read_by_the_clock_of_the_client(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	client := newClient(t, newHub(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Date"] = nil
		w.Header().Set("Retry-After", now.Add(42*time.Second).Format(http.TimeFormat))
		w.WriteHeader(http.StatusTooManyRequests)
	}).URL, func(c *hub.Config) { c.Now = func() time.Time { return now } })
	if got := failure(t, client.DeleteWebhook(t.Context(), id)); got.RetryAfter != 42*time.Second {
		t.Errorf("RetryAfter is %s", got.RetryAfter)
	}
}

func TestA_redirect_is_not_followed(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s was followed, with x-api-key %q", r.Method, r.Header.Get("x-api-key"))
	}))
	defer elsewhere.Close()
	for _, location := range []string{elsewhere.URL, "/v1/organization/webhook", "", "://canary", "%zz"} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			requests := 0
			client := newClient(t, newHub(t, func(w http.ResponseWriter, _ *http.Request) {
				requests++
				w.Header().Set("Location", location)
				w.WriteHeader(status)
			}).URL)
			for name, verb := range verbs(client) {
				requests = 0
				got := failure(t, verb(t.Context()))
				if got.Outcome != hub.Unknown || got.Kind != hub.Unavailable || requests != 1 {
					t.Errorf("%s: %d requests, %#v", name, requests, got)
				}
				if text := got.Error(); strings.Contains(text, "canary") || strings.Contains(text, "http:") {
					t.Errorf("the error repeats the location: %s", text)
				}
			}
		}
	}
}

func TestAn_error_reads_well(t *testing.T) {
	for want, body := range map[string]string{
		"createWebhook: the Hub answered 400: label must be shorter": `{"message":["label must be shorter"]}`,
		"createWebhook: the Hub answered 400: an HTML page":          "<html>" + strings.Repeat("x", 1<<20),
		"createWebhook: the Hub answered 400":                        ``,
	} {
		webhook := newWebhook()
		webhook.Label = new("some other label")
		_, err := clientOf(t, 400, body).CreateWebhook(t.Context(), webhook)
		if err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
		if hub.IsKind(fmt.Errorf("wrapped: %w", err), hub.Throttled) || !hub.IsKind(fmt.Errorf("wrapped: %w", err), hub.Invalid) {
			t.Errorf("a wrapped error lost its kind")
		}
	}
}

func TestAn_error_never_holds_what_was_sent(t *testing.T) {
	const canary = "h3ader-canary"
	client := newClient(t, newHub(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, `{"message":%q}`, r.Header.Get("x-api-key")+string(body))
	}).URL)
	headers := []hub.Header{{Key: "Authorization", Value: hub.NewSecret(canary)}}
	webhook := newWebhook()
	webhook.Headers = &headers
	_, create := client.CreateWebhook(t.Context(), webhook)
	_, update := client.UpdateWebhook(t.Context(), id, hub.WebhookFields{Headers: &headers})
	_, get := client.GetWebhook(t.Context(), id)
	for _, err := range []error{create, update, get} {
		if text := fmt.Sprintf("%v %#v", err, failure(t, err)); strings.Contains(text, canary) || strings.Contains(text, apiKey) {
			t.Errorf("leaked: %s", text)
		}
	}
}
