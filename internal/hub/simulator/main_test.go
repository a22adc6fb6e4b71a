package simulator_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator/simulatortest"
	"github.com/chatt2me/webhook-operator/internal/signing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	shopKey   = "key-of-the-shop"
	otherKey  = "key-of-the-other"
	canary    = "canary-header-value"
	root      = "/v1/organization/webhook"
	noChannel = "https://192.0.2.1.invalid/hook" // never answers: the name does not exist
)

type object = map[string]any

// world is a Hub with two Applications and an endpoint that everybody may register.
type world struct {
	*simulatortest.Hub
	t        *testing.T
	key      string
	shop     simulator.Application
	endpoint *endpoint
}

func newWorld(t *testing.T, o simulator.Options) *world {
	t.Helper()
	return populate(t, simulatortest.Start(t, o))
}

// newLenientWorld is for requests that break the contract.
func newLenientWorld(t *testing.T, o simulator.Options) *world {
	t.Helper()
	return populate(t, simulatortest.StartUnchecked(t, o))
}

func populate(t *testing.T, hub *simulatortest.Hub) *world {
	t.Helper()
	w := &world{Hub: hub, t: t, key: shopKey, endpoint: newEndpoint(t)}
	w.shop = hub.AddApplication("shop", shopKey)
	hub.AddApplication("other", otherKey)
	return w
}

// as gives the same world seen with another API key.
func (w *world) as(key string) *world {
	other := *w
	other.key = key
	return &other
}

func withVariants(v simulator.Variants) simulator.Options {
	return simulator.Options{CoreOptions: simulator.CoreOptions{Variants: v}}
}

// verifiesFirst is a Hub that verifies before it answers.
func verifiesFirst() simulator.Options {
	return withVariants(simulator.Variants{VerifyBeforeAnswer: true})
}

type reply struct {
	status int
	header http.Header
	raw    []byte
	body   object
}

// try sends a request; the error is that of the connection or of reading the body.
func (w *world) try(method, path string, body any) (reply, error) {
	w.t.Helper()
	var content io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		content = bytes.NewBufferString(b)
	default:
		encoded, err := json.Marshal(b)
		if err != nil {
			w.t.Fatal(err)
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(w.t.Context(), method, w.URL+path, content)
	if err != nil {
		w.t.Fatal(err)
	}
	if w.key != "" {
		request.Header.Set("x-api-key", w.key)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := w.Client.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = response.Body.Close() }()
	r := reply{status: response.StatusCode, header: response.Header}
	r.raw, err = io.ReadAll(response.Body)
	_ = json.Unmarshal(r.raw, &r.body)
	return r, err
}

// call sends a request that must be answered with a status.
func (w *world) call(status int, method, path string, body any) reply {
	w.t.Helper()
	r, err := w.try(method, path, body)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	if r.status != status {
		w.t.Fatalf("%s %s: status %d, want %d: %s", method, path, r.status, status, r.raw)
	}
	return r
}

// creation is a body that registers the world's endpoint; changes replace fields, nil removes one.
func (w *world) creation(changes object) object {
	body := object{
		"label": "Received", "endpoint": w.endpoint.URL, "eventType": "Message", "authenticationProtocol": "NoAuthentication",
	}
	for name, value := range changes {
		body[name] = value
		if value == nil {
			delete(body, name)
		}
	}
	return body
}

func (w *world) create(changes object) (id string, body object) {
	w.t.Helper()
	r := w.call(http.StatusCreated, "POST", root, w.creation(changes))
	return r.body["id"].(string), r.body
}

func (w *world) get(id string) object {
	w.t.Helper()
	return w.call(http.StatusOK, "GET", root+"/"+id, nil).body
}

func (w *world) send(messageID string) []simulator.Log {
	w.t.Helper()
	logs, err := w.SendEvent("shop", fmt.Appendf(nil, `{"eventType":"Message","messageId":%q}`, messageID))
	if err != nil {
		w.t.Fatal(err)
	}
	return logs
}

// endpoint repeats validation tokens and answers events with a status.
type endpoint struct {
	*httptest.Server
	status int
	seen   chan http.Header
	bodies chan []byte
}

func newEndpoint(t *testing.T) *endpoint {
	t.Helper()
	e := &endpoint{status: http.StatusOK, seen: make(chan http.Header, 1000), bodies: make(chan []byte, 1000)}
	e.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		e.seen <- r.Header.Clone()
		e.bodies <- body
		if token := r.Header.Get(signing.ValidationTokenHeader); token != "" {
			_, _ = io.WriteString(w, token)
			return
		}
		w.WriteHeader(e.status)
	}))
	t.Cleanup(e.Close)
	return e
}

func sprint(values ...any) string { return strings.TrimSuffix(fmt.Sprintln(values...), "\n") }
