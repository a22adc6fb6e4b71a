package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// hub is the admin API of the Hub in memory.
type hub struct {
	url    string
	client *http.Client
	out    *terminal
}

func newHub(url string, out *terminal) *hub {
	return &hub{url: url, client: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{}}, out: out}
}

// registered is a webhook as the Hub has it.
type registered struct {
	ID         string `json:"id"`
	Label      string `json:"label"`
	Endpoint   string `json:"endpoint"`
	IsVerified bool   `json:"isVerified"`
}

// delivery is one attempt to deliver an event.
type delivery struct {
	StatusCode int    `json:"statusCode"`
	Status     string `json:"status"`
}

// request is one call that the Hub received.
type request struct {
	ReceivedAt time.Time `json:"receivedAt"`
	Operation  string    `json:"operation"`
	Method     string    `json:"method"`
	WebhookID  string    `json:"webhookId"`
	Committed  bool      `json:"committed"`
}

// webhooks are those of an Application.
func (h *hub) webhooks(ctx context.Context, application string) ([]registered, error) {
	var all []registered
	return all, h.call(ctx, http.MethodGet, "/_sim/applications/"+application+"/webhooks", "", &all)
}

// requests are the calls with the API key of an Application, in the order in which they came.
func (h *hub) requests(ctx context.Context, application string) ([]request, error) {
	var all []request
	return all, h.call(ctx, http.MethodGet, "/_sim/requests?application="+application, "", &all)
}

// send has the Hub deliver an event, and shows the call.
func (h *hub) send(ctx context.Context, application, event string) ([]delivery, error) {
	body := fmt.Sprintf(`{"application": %q, "event": %s}`, application, event)
	h.show(http.MethodPost, "/_sim/events", body)
	var answer struct {
		Logs []delivery `json:"logs"`
	}
	if err := h.call(ctx, http.MethodPost, "/_sim/events", body, &answer); err != nil {
		return nil, err
	}
	for _, l := range answer.Logs {
		h.out.show(fmt.Sprintf("delivered: the endpoint answered %d (%s)", l.StatusCode, l.Status))
	}
	return answer.Logs, nil
}

// change changes a webhook as a user of the Hub's dashboard would, and shows the call.
func (h *hub) change(ctx context.Context, id, body string) error {
	h.show(http.MethodPatch, "/_sim/webhooks/"+id, body)
	return h.call(ctx, http.MethodPatch, "/_sim/webhooks/"+id, body, nil)
}

// show shows a call as a user with curl would make it.
func (h *hub) show(method, path, body string) {
	h.out.command(fmt.Sprintf("curl -X %s %s%s -d '%s'", method, h.url, path, body))
}

func (h *hub) call(ctx context.Context, method, path, body string, answer any) error {
	r, err := http.NewRequestWithContext(ctx, method, h.url+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	response, err := h.client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s: the Hub answered %d: %s", method, path, response.StatusCode, bytes.TrimSpace(content))
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(content, answer)
}
