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

// application is the Hub's Application whose webhooks are declared, direct the one of the loop without an operator.
const (
	application = "bench"
	direct      = "direct"
	apiKey      = "api-key-of-bench"
	directKey   = "api-key-of-direct"
)

// hub is the Hub in memory.
type hub struct {
	// url is where the Hub's API is, admin where its admin API is.
	url, admin string
	port       int
	program    *program
	client     *http.Client
}

// tally is how many calls of an operation came within a second and were answered alike.
type tally struct {
	Second    int64  `json:"second"`
	Operation string `json:"operation"`
	Status    int    `json:"status"`
	Count     int    `json:"count"`
}

// registered is a webhook as the Hub has it.
type registered struct {
	ID          string     `json:"id"`
	Label       string     `json:"label"`
	Endpoint    string     `json:"endpoint"`
	IsVerified  bool       `json:"isVerified"`
	VerifiedAt  *time.Time `json:"verifiedAt"`
	CreatedDate time.Time  `json:"createdDate"`
}

// tallies are the calls since forgetCalls. Nobody but the operator makes any while it is measured.
func (h *hub) tallies(ctx context.Context) (calls, error) {
	var all calls
	return all, h.call(ctx, http.MethodGet, "/requests/tally", "", &all)
}

func (h *hub) forgetCalls(ctx context.Context) error {
	return h.call(ctx, http.MethodDelete, "/requests", "", nil)
}

func (h *hub) webhooks(ctx context.Context) ([]registered, error) {
	var all []registered
	return all, h.call(ctx, http.MethodGet, "/applications/"+application+"/webhooks", "", &all)
}

// change changes a webhook as a user of the Hub's dashboard would.
func (h *hub) change(ctx context.Context, id string, fields map[string]string) error {
	body, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	return h.call(ctx, http.MethodPatch, "/webhooks/"+id, string(body), nil)
}

func (h *hub) revokeKey(ctx context.Context, name string) error {
	return h.call(ctx, http.MethodDelete, "/applications/"+application+"/keys/"+name, "", nil)
}

func (h *hub) setKey(ctx context.Context, name, key string) error {
	path := "/applications/" + application + "/keys/" + name
	return h.call(ctx, http.MethodPut, path, fmt.Sprintf(`{"apiKey":%q}`, key), nil)
}

// goDown closes every connection without an answer until comeBack.
func (h *hub) goDown(ctx context.Context) error {
	return h.call(ctx, http.MethodPost, "/faults", `{"kind":"DropBeforeCommit"}`, nil)
}

func (h *hub) comeBack(ctx context.Context) error {
	return h.call(ctx, http.MethodDelete, "/faults", "", nil)
}

// limit gives each API key so many calls a second; 0 is no limit.
func (h *hub) limit(ctx context.Context, perSecond int) error {
	return h.call(ctx, http.MethodPatch, "/settings", fmt.Sprintf(`{"rateLimit":%d}`, perSecond), nil)
}

func (h *hub) call(ctx context.Context, method, path, body string, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, h.admin+"/_sim"+path, strings.NewReader(body))
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
