package hub_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/hub/contract"
)

const (
	id            = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
	applicationID = "00000000-0000-0000-0000-000000000001"
	apiKey        = "k3y-canary-of-the-client"
	webhookJSON   = `{"id":"` + id + `","applicationId":"` + applicationID + `"}`
)

// newHub serves handler and holds every request to the contract. Answers are as a test wants them.
func newHub(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(contract.Middleware(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(contract.OffContract, "as the test wants it")
		handler(w, r)
	})))
	t.Cleanup(server.Close)
	return server
}

// newClient makes a client of the Hub at url, changed as a test wants it.
func newClient(t *testing.T, url string, changes ...func(*hub.Config)) *hub.Client {
	t.Helper()
	transport := hub.NewTransport(hub.TransportConfig{})
	t.Cleanup(transport.CloseIdleConnections)
	config := hub.Config{
		BaseURL: url, AllowInsecure: true, APIKey: hub.NewSecret(apiKey), Transport: transport, Timeout: 5 * time.Second,
	}
	for _, change := range changes {
		change(&config)
	}
	client, err := hub.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// clientOf is a client whose Hub always answers so.
func clientOf(t *testing.T, status int, body string) *hub.Client {
	t.Helper()
	return newClient(t, newHub(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}).URL)
}

func newWebhook() hub.WebhookFields {
	return hub.WebhookFields{
		Label: new("l"), Endpoint: new("https://r.example/"), EventType: new("Message"), AuthenticationProtocol: new("NoAuthentication"), RequiresSignature: new(false),
	}
}

//go:fix inline

// verbs are all calls, by operationId.
func verbs(c *hub.Client) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"createWebhook": func(ctx context.Context) error { _, err := c.CreateWebhook(ctx, newWebhook()); return err },
		"listWebhooks":  func(ctx context.Context) error { _, err := c.ListWebhooks(ctx, hub.Page{}); return err },
		"getWebhook":    func(ctx context.Context) error { _, err := c.GetWebhook(ctx, id); return err },
		"updateWebhook": func(ctx context.Context) error {
			_, err := c.UpdateWebhook(ctx, id, hub.WebhookFields{RequiresSignature: new(true)})
			return err
		},
		"deleteWebhook":     func(ctx context.Context) error { return c.DeleteWebhook(ctx, id) },
		"redefineSignature": func(ctx context.Context) error { _, err := c.RedefineSignature(ctx, id); return err },
	}
}

// failure is err as the client types it.
func failure(t *testing.T, err error) *hub.Error {
	t.Helper()
	failed, ok := errors.AsType[*hub.Error](err)
	if !ok {
		t.Fatalf("%v is no *hub.Error", err)
	}
	return failed
}

func TestClient_sends_the_same_headers_with_every_call_and_no_idempotency_key(t *testing.T) {
	var got http.Header
	server := newHub(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Clone()
		w.WriteHeader(http.StatusTeapot)
	})
	client := newClient(t, server.URL, func(c *hub.Config) { c.UserAgent = "agent/1.0" })
	for name, verb := range verbs(client) {
		_ = verb(t.Context())
		for header, want := range map[string]string{
			"X-Api-Key": apiKey, "User-Agent": "agent/1.0", "Accept-Encoding": "identity", "Accept": "application/json",
			"Idempotency-Key": "", "X-Idempotency-Key": "",
		} {
			if got.Get(header) != want {
				t.Errorf("%s: %s is %q, want %q", name, header, got.Get(header), want)
			}
		}
	}
}

func TestClient_tells_its_observer_of_every_call(t *testing.T) {
	type seen struct {
		operation string
		code      int
		took      time.Duration
	}
	var all []seen
	clock := time.Unix(0, 0)
	client := newClient(t, newHub(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(http.StatusNotFound)
	}).URL, func(c *hub.Config) {
		c.Observe = func(_ context.Context, call hub.Call) {
			all = append(all, seen{call.Operation, call.StatusCode, call.Duration})
		}
		c.Now = func() time.Time { clock = clock.Add(time.Second); return clock }
	})
	_ = client.DeleteWebhook(t.Context(), id)
	_, _ = client.GetWebhook(t.Context(), id)
	_ = client.DeleteWebhook(t.Context(), "no id")
	if len(all) != 2 || all[0].operation != "deleteWebhook" || all[0].code != 404 || all[0].took <= 0 ||
		all[1].operation != "getWebhook" || all[1].code != 0 {
		t.Errorf("observed %+v", all)
	}
}

func TestClient_does_not_send_what_cannot_be_right(t *testing.T) {
	client := newClient(t, newHub(t, func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s was sent", r.Method, r.URL)
	}).URL)
	ctx := t.Context()
	var errs []error
	for _, bad := range []string{"", "17", "../" + id[3:], id + "/x", "{" + id + "}", "urn:uuid:" + id, strings.ReplaceAll(id, "-", "")} {
		_, get := client.GetWebhook(ctx, bad)
		_, update := client.UpdateWebhook(ctx, bad, hub.WebhookFields{Label: new("l")})
		_, redefine := client.RedefineSignature(ctx, bad)
		errs = append(errs, get, update, redefine, client.DeleteWebhook(ctx, bad))
	}
	for _, page := range []hub.Page{{Offset: -1}, {Limit: -1}, {Limit: 51}} {
		_, list := client.ListWebhooks(ctx, page)
		errs = append(errs, list)
	}
	_, empty := client.UpdateWebhook(ctx, id, hub.WebhookFields{})
	webhook := newWebhook()
	webhook.Headers = &[]hub.Header{{Key: "k", Value: hub.NewSecret("\xff canary")}}
	_, notUTF8 := client.CreateWebhook(ctx, webhook)
	for _, err := range append(errs, empty, notUTF8) {
		if !hub.IsKind(err, hub.Invalid) || hub.OutcomeOf(err) != hub.NotApplied {
			t.Errorf("%v is not Invalid and NotApplied", err)
		}
		if strings.Contains(err.Error(), "17") || strings.Contains(err.Error(), "canary") {
			t.Errorf("%v repeats the value", err)
		}
	}
}
