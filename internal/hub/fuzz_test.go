package hub_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

// longest is the longest text of an error, in characters: our own words and a bounded message.
const longest = 400

// headerValue is what the fuzzed calls send as the value of a header.
const headerValue = "h3ader-canary-of-the-client"

// fixed is a transport whose every answer is this one.
type fixed struct {
	status int
	header http.Header
	body   io.Reader
}

func (f fixed) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: f.status, Header: f.header, Body: io.NopCloser(f.body), ContentLength: -1}, nil
}

func fuzzedClient(t *testing.T, answer fixed) *hub.Client {
	t.Helper()
	client, err := hub.New(hub.Config{
		BaseURL: "https://hub.example", APIKey: hub.NewSecret(apiKey), Transport: answer,
		Now: func() time.Time { return time.Unix(1_770_638_400, 0) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// calls are all calls by name, in order, with a header where one can be sent.
func calls(c *hub.Client) (names []string, verb map[string]func(context.Context) error) {
	verb = verbs(c)
	verb["createWebhook"] = func(ctx context.Context) error {
		in := newWebhook()
		in.Headers = &[]hub.Header{{Key: "Authorization", Value: hub.NewSecret(headerValue)}}
		_, err := c.CreateWebhook(ctx, in)
		return err
	}
	for name := range verb {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, verb
}

// FuzzAnswer gives every call any answer. It is applied or an error that says what is known, in one bounded line that
// holds nothing that was sent, and never more than was proved: only the codes that say so mean that nothing was done.
func FuzzAnswer(f *testing.F) {
	const plain, other = "application/json", "text/plain"
	for _, body := range []string{
		webhookJSON, fullWebhook, `{"secret":"s"}`, `{"data":[` + webhookJSON + `],"pagination":{"total":1}}`, `[]`, `null`,
		``, `<html>`, `{"message":"` + apiKey + `"}`, `{"message":["` + headerValue + `","x"]}`, `{"message":{"a":1}}`,
		`{"error":"` + base64.StdEncoding.EncodeToString([]byte(apiKey)) + `"}`, `{"message":"\u006b3y-canary-of-the-client"}`,
		strings.Repeat(`{"a":`, 5000), `{"message":"` + strings.Repeat("é", 500) + `"}`, "{\"message\":\"a\\u0000\\r\\nb\"}",
		`{"success":true}`, `{"results":[{"webhookLogId":"x","success":false}]}`, "\xff\xfe",
	} {
		f.Add(uint8(0), 200, plain, "", []byte(body))
		f.Add(uint8(3), 400, plain, "", []byte(body))
		f.Add(uint8(1), 502, other, "", []byte(body))
	}
	for _, wait := range []string{"7", "-1", "1e9", "99999999999999999999", "Mon, 09 Feb 2026 12:00:05 GMT", "soon", " 3 "} {
		f.Add(uint8(5), 429, plain, wait, []byte(`{}`))
	}
	f.Fuzz(func(t *testing.T, which uint8, status int, contentType, wait string, body []byte) {
		status = 100 + int(uint(status)%500)
		client := fuzzedClient(t, fixed{status, http.Header{
			"Content-Type": {contentType}, "Retry-After": {wait}, "Location": {"https://elsewhere.example/"},
		}, bytes.NewReader(body)})
		names, verb := calls(client)
		name := names[int(which)%len(names)]
		err := verb[name](t.Context())
		isGood := status >= 200 && status < 300
		if err == nil {
			if !isGood {
				t.Fatalf("%s answered %d counts as applied", name, status)
			}
			return
		}
		e, ok := errors.AsType[*hub.Error](err)
		if !ok {
			t.Fatalf("%s answered %d: %T", name, status, err)
		}
		proved := []int{400, 401, 403, 404, 405, 409, 413, 422, 429}
		if (e.Outcome == hub.NotApplied) != slices.Contains(proved, status) || e.Outcome == hub.Applied {
			t.Errorf("%s answered %d counts as outcome %d", name, status, e.Outcome)
		}
		if e.RetryAfter < 0 || e.RetryAfter > time.Hour {
			t.Errorf("%q is a wait of %s", wait, e.RetryAfter)
		}
		checkText(t, err.Error())
	})
}

// checkText holds the text of an error to what may be shown.
func checkText(t *testing.T, text string) {
	t.Helper()
	if !utf8.ValidString(text) || utf8.RuneCountInString(text) > longest ||
		strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("the error is no bounded line: %q", text)
	}
	for _, secret := range []string{apiKey, headerValue} {
		for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret))[:24]} {
			for i := range len(form) - 12 {
				if strings.Contains(strings.ToLower(text), strings.ToLower(form[i:i+12])) {
					t.Errorf("the error holds a piece of what was sent: %q", text)
				}
			}
		}
	}
}

// FuzzPage gives a listing any body. A page that counts as read holds every entry that was in the answer, each with
// proper ids or named as unreadable; one that could hide something does not parse.
func FuzzPage(f *testing.F) {
	page := func(data, pagination string) { f.Add([]byte(`{"data":` + data + `,"pagination":` + pagination + `}`)) }
	page(`[`+webhookJSON+`,`+fullWebhook+`]`, `{"total":2}`)
	page(`[`+webhookJSON+`,null]`, `{"total":2}`)
	page(`[{}]`, `{"total":1}`)
	page(`[`+strings.Replace(webhookJSON, `}`, `,"label":"a\u0000\u202eb","endpoint":7}`, 1)+`]`, `{"total":1}`)
	page(`[{"id":1,"label":"a\u0000\u202eb","eventType":"Message"}]`, `{"total":1}`)
	page(`null`, `{"total":0}`)
	page(`[]`, `{"total":-1}`)
	page(`[]`, `{"total":1e3}`)
	page(`[]`, `{"total":0.5}`)
	page(`[]`, `{"total":9007199254740993}`)
	page(`{}`, `{}`)
	for _, body := range []string{
		`[` + webhookJSON + `]`, `[`, ` [] `, `{"data":[],"data":[` + webhookJSON + `],"pagination":{"total":1}}`,
		`{"DATA":[],"Pagination":{"TOTAL":0}}`, `[[]]`, `{"data":[]}`, `{"pagination":{"total":0}}`, `[1]`, "[]\x00",
		`{"data":[` + webhookJSON[:30] + `"],"pagination":{"total":1}}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		client := fuzzedClient(t, fixed{http.StatusOK, http.Header{}, bytes.NewReader(body)})
		got, err := client.ListWebhooks(t.Context(), hub.Page{})
		if err != nil {
			if got != nil || hub.OutcomeOf(err) != hub.Unknown {
				t.Errorf("%v with the page %v", err, got)
			}
			checkText(t, err.Error())
			return
		}
		sent := entries(t, body)
		if len(got.Webhooks) != len(sent) || got.Total < 0 {
			t.Errorf("%d of %d entries were read, of a total of %d", len(got.Webhooks), len(sent), got.Total)
		}
		for i := range got.Webhooks {
			w := &got.Webhooks[i]
			if text, unreadable := got.Unreadable[i]; unreadable {
				checkText(t, text)
				continue
			}
			// An entry of a listing may lack its Application.
			for _, id := range []string{w.ID, cmp.Or(w.ApplicationID, w.ID)} {
				if len(id) != 36 || uuid.Validate(id) != nil || id != strings.ToLower(id) {
					t.Errorf("entry %d has the id %q", i, id)
				}
			}
			if w.CreatedDate.Year() > 9999 || w.NumberOfErrors > 1<<53 {
				t.Errorf("entry %d: %+v", i, w)
			}
		}
	})
}

// entries are those of a listing, as they stand in the body.
func entries(t *testing.T, body []byte) []json.RawMessage {
	t.Helper()
	var list []json.RawMessage
	if json.Unmarshal(body, &list) == nil {
		return list
	}
	var page struct {
		Data []json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(body, &page); err != nil {
		t.Fatalf("what is no listing was read: %v", err)
	}
	return page.Data
}
