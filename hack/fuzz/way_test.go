package fuzz_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"
)

// way is the way of the operator to the Hub. It holds every call that changes something to what was seen before it:
// a look at the world comes first.
type way struct {
	world   *world
	handler http.Handler
	// began is when the operator began to act, listed when the last listing began that was answered; shown are the
	// webhooks that an answer showed.
	began, listed time.Time
	shown         map[string]bool
	// settles: there may be a webhook that nobody knows the id of, and a listing shows it only after the settle time.
	settles bool
	// never are webhooks that no call may change.
	never map[string]bool
	// redefined counts redefinitions, made registrations, changed all calls that change something.
	redefined, made, changed int
}

// RoundTrip carries a call out.
func (v *way) RoundTrip(r *http.Request) (*http.Response, error) {
	id, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/v1/organization/webhook"), "/"), "/")
	if r.Method != http.MethodGet {
		v.check(r.Method, id, strings.HasSuffix(r.URL.Path, "/redefine-signature"))
	}
	again := r.Clone(r.Context())
	// As a server sees it.
	again.RequestURI, again.Host, again.URL.Scheme, again.URL.Host = r.URL.RequestURI(), r.URL.Host, "", ""
	if again.Body == nil {
		again.Body = http.NoBody
	}
	began := v.world.now
	answer := answered(v.handler, again)
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	if answer.StatusCode < http.StatusMultipleChoices {
		v.saw(r.Method, id, body, began)
	}
	return answer, nil
}

// check holds a call that changes something to what must have come before it.
func (v *way) check(method, id string, redefines bool) {
	w := v.world
	v.changed++
	switch {
	case redefines:
		v.redefined++
	case method == http.MethodPost:
		v.made++
	}
	if v.never[id] {
		w.Errorf("%s of the webhook %s, which is none of its business", method, id)
	}
	switch {
	case id == "" && v.listed.IsZero():
		w.Errorf("a registration without a look at the Hub")
	case id == "" && v.settles && v.listed.Before(v.began.Add(settleTime)):
		w.Errorf("a registration while an earlier one may still be carried out")
	case id != "" && !v.shown[id] && (method != http.MethodDelete || v.listed.IsZero()):
		w.Errorf("%s of the webhook %s, which nobody has looked at", method, id)
	}
	if c := w.get(name); c != nil && !c.DeletionTimestamp.IsZero() && method != http.MethodDelete {
		w.Errorf("%s %s after the deletion", method, id)
	}
}

// saw takes what an answer shows.
func (v *way) saw(method, id string, body []byte, began time.Time) {
	var seen struct {
		ID   string `json:"id"`
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if json.Unmarshal(body, &seen) != nil {
		return
	}
	v.shown[seen.ID] = true
	for _, w := range seen.Data {
		v.shown[w.ID] = true
	}
	if method == http.MethodGet && id == "" {
		v.listed = began
	}
}
