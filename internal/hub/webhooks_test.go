package hub_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

// sentBy is what a call sends: method, path with query, body.
func sentBy(t *testing.T, call func(*hub.Client)) (request string, body any) {
	t.Helper()
	call(newClient(t, newHub(t, func(w http.ResponseWriter, r *http.Request) {
		request = r.Method + " " + strings.TrimPrefix(r.URL.String(), "/v1/organization/webhook")
		data, _ := io.ReadAll(r.Body)
		if len(data) > 0 {
			if err := json.Unmarshal(data, &body); err != nil {
				t.Error(err)
			}
		}
		w.WriteHeader(http.StatusTeapot)
	}).URL))
	return request, body
}

func TestEvery_call_sends_what_it_was_given(t *testing.T) {
	ctx := t.Context()
	headers := []hub.Header{{Key: "X-A", Value: hub.NewSecret("v<&>")}}
	type fields = map[string]any
	sentHeaders := []any{fields{"key": "X-A", "value": "v<&>"}}
	create := func(change func(*hub.WebhookFields)) func(*hub.Client) {
		in := newWebhook()
		change(&in)
		return func(c *hub.Client) { _, _ = c.CreateWebhook(ctx, in) }
	}
	update := func(in hub.WebhookFields) func(*hub.Client) {
		return func(c *hub.Client) { _, _ = c.UpdateWebhook(ctx, id, in) }
	}
	least := fields{
		"label": "l", "endpoint": "https://r.example/", "eventType": "Message",
		"authenticationProtocol": "NoAuthentication", "requiresSignature": false,
	}
	most := fields{
		"label": "l", "endpoint": "https://r.example/", "eventType": "Message", "scope": "s", "headers": sentHeaders,
		"authenticationProtocol": "NoAuthentication", "requiresSignature": true,
	}
	for name, c := range map[string]struct {
		call    func(*hub.Client)
		request string
		body    any
	}{
		"the least": {create(func(*hub.WebhookFields) {}), "POST ", least},
		"the most": {create(func(w *hub.WebhookFields) {
			w.Scope, w.Headers, w.RequiresSignature = new("s"), &headers, new(true)
		}), "POST ", most},
		"one field":   {update(hub.WebhookFields{Label: new("l")}), "PATCH /" + id, fields{"label": "l"}},
		"no scope":    {update(hub.WebhookFields{Scope: new("")}), "PATCH /" + id, fields{"scope": nil}},
		"no headers":  {update(hub.WebhookFields{Headers: &[]hub.Header{}}), "PATCH /" + id, fields{"headers": []any{}}},
		"nil headers": {update(hub.WebhookFields{Headers: new([]hub.Header)}), "PATCH /" + id, fields{"headers": []any{}}},
		"all fields": {update(hub.WebhookFields{
			Label: new("l"), Endpoint: new("https://r.example/"), EventType: new("Message"), Scope: new("s"),
			AuthenticationProtocol: new("NoAuthentication"), Headers: &headers, RequiresSignature: new(true),
		}), "PATCH /" + id, most},
		"a page":         {func(c *hub.Client) { _, _ = c.ListWebhooks(ctx, hub.Page{Offset: 49, Limit: 50}) }, "GET ?limit=50&offset=49", nil},
		"a default page": {func(c *hub.Client) { _, _ = c.ListWebhooks(ctx, hub.Page{}) }, "GET ?offset=0", nil},
		"one":            {func(c *hub.Client) { _, _ = c.GetWebhook(ctx, strings.ToUpper(id)) }, "GET /" + id, nil},
		"a delete":       {func(c *hub.Client) { _ = c.DeleteWebhook(ctx, id) }, "DELETE /" + id, nil},
		"a redefine":     {func(c *hub.Client) { _, _ = c.RedefineSignature(ctx, id) }, "POST /" + id + "/redefine-signature", nil},
	} {
		t.Run(name, func(t *testing.T) {
			request, body := sentBy(t, c.call)
			if diff := cmp.Diff(c.request, request) + cmp.Diff(c.body, body); diff != "" {
				t.Error(diff)
			}
		})
	}
}

const fullWebhook = `{"id":"A1B2C3D4-e5f6-7890-abcd-ef1234567890","applicationId":"` + applicationID + `","active":true,
"label":"l","eventType":"Message","endpoint":"https://r.example/","numberOfErrors":3,"scope":"s","isVerified":true,
"authenticationProtocol":"JWT","requiresSignature":true,"verifiedAt":"2026-02-09T12:00:03.5Z",
"createdDate":"2026-02-09T12:00:00Z","lastModifiedDate":"2026-02-09T13:00:00+01:00","new":{"field":[1]}}`

func known[T any](v T) hub.Field[T] { return hub.Field[T]{Known: true, Value: v} }

func TestA_webhook_is_read_as_the_Hub_shows_it(t *testing.T) {
	created := time.Date(2026, 2, 9, 12, 0, 0, 0, time.UTC)
	want := &hub.Webhook{
		ID: id, ApplicationID: applicationID, Active: known(true), Label: known("l"), EventType: "Message",
		Endpoint: "https://r.example/", NumberOfErrors: 3, Scope: hub.Scope{Known: true, Value: "s"}, IsVerified: true,
		AuthenticationProtocol: known("JWT"), RequiresSignature: known(true),
		VerifiedAt: new(created.Add(3500 * time.Millisecond)), CreatedDate: created, LastModifiedDate: &created,
	}
	got, err := clientOf(t, 200, fullWebhook).GetWebhook(t.Context(), id)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestA_webhook_is_read_tolerantly(t *testing.T) {
	const ids = `"id":"` + id + `","applicationId":"` + applicationID + `"`
	bare := hub.Webhook{ID: id, ApplicationID: applicationID}
	with := func(change func(*hub.Webhook)) hub.Webhook { w := bare; change(&w); return w }
	for body, want := range map[string]hub.Webhook{
		`{` + ids + `}`: bare,
		`{` + ids + `,"label":null,"requiresSignature":null,"active":null,"authenticationProtocol":null}`: bare,
		`{` + ids + `,"numberOfErrors":null,"createdDate":null,"verifiedAt":null,"endpoint":null}`:        bare,
		`{` + ids + `,"createdDate":"yesterday","verifiedAt":17,"lastModifiedDate":""}`:                   bare,
		`{` + ids + `,"label":""}`:                  with(func(w *hub.Webhook) { w.Label = known("") }),
		`{` + ids + `,"scope":null}`:                with(func(w *hub.Webhook) { w.Scope.Known = true }),
		`{` + ids + `,"eventType":"Reaction"}`:      with(func(w *hub.Webhook) { w.EventType = "Reaction" }),
		`{` + ids + `,"numberOfErrors":3.0}`:        with(func(w *hub.Webhook) { w.NumberOfErrors = 3 }),
		`{` + ids + `,"numberOfErrors":3e2}`:        with(func(w *hub.Webhook) { w.NumberOfErrors = 300 }),
		`{` + ids + `,"requiresSignature":false}`:   with(func(w *hub.Webhook) { w.RequiresSignature = known(false) }),
		`{` + ids + `,"secret":"not for a reader"}`: bare,
		`{` + ids + `,"label":5,"requiresSignature":1,"active":"no","authenticationProtocol":[]}`: bare,
		`{` + ids + `,"numberOfErrors":"3","createdDate":{},"verifiedAt":[],"endpoint":7}`:        bare,
		`{` + ids + `,"numberOfErrors":1.5,"scope":{},"isVerified":"yes","eventType":{}}`:         bare,
		`{` + ids + `,"numberOfErrors":1e300,"isVerified":null,"requiresSignature":"true"}`:       bare,
	} {
		got, err := clientOf(t, 200, body).GetWebhook(t.Context(), id)
		if err != nil {
			t.Errorf("%s: %v", body, err)
		} else if diff := cmp.Diff(want, *got); diff != "" {
			t.Errorf("%s: %s", body, diff)
		}
	}
}

func TestAn_answer_that_is_no_webhook_does_not_parse(t *testing.T) {
	for _, body := range []string{
		``, `null`, `17`, `"text"`, `[]`, `{}`, `{"id":"` + id + `"}`, `{"applicationId":"` + applicationID + `"}`,
		`{"data":` + webhookJSON + `}`, webhookJSON + `x`, webhookJSON[:40], strings.Replace(webhookJSON, id, "17", 1),
		strings.Replace(webhookJSON, applicationID, "app", 1), strings.Replace(webhookJSON, `"`+id+`"`, `17`, 1),
		strings.Replace(webhookJSON, id, "{"+id[1:35]+"}", 1),
	} {
		for name, verb := range verbs(clientOf(t, 200, body)) {
			switch name {
			case "getWebhook", "createWebhook", "updateWebhook":
				err := verb(t.Context())
				if got := failure(t, err); got.Outcome != hub.Unknown || got.Kind != hub.Unavailable {
					t.Errorf("%s of %s: %#v", name, body, got)
				}
			}
		}
	}
}

func TestAn_answer_about_another_webhook_does_not_parse(t *testing.T) {
	const other = "ffffffff-e5f6-7890-abcd-ef1234567890"
	client := clientOf(t, 200, strings.Replace(webhookJSON, id, other, 1))
	for _, name := range []string{"getWebhook", "updateWebhook"} {
		got := failure(t, verbs(client)[name](t.Context()))
		if got.Outcome != hub.Unknown || got.Kind != hub.Unavailable || strings.Contains(got.Error(), other) {
			t.Errorf("%s: %#v", name, got)
		}
	}
}

func TestA_new_secret_is_found_by_any_of_its_names(t *testing.T) {
	for fields, want := range map[string]string{
		`"secret":"s"`: "s", `"signingSecret":"s"`: "s", `"signatureSecret":"s"`: "s", `"x":"s"`: "",
		`"secret":"","signatureSecret":"s"`: "s", `"secret":null,"signingSecret":"s"`: "s",
		`"secret":"a","signingSecret":"b"`: "a", `"secret":17`: "", `"secret":{"value":"s"}`: "",
	} {
		client := clientOf(t, 201, strings.Replace(webhookJSON, "}", ","+fields+"}", 1))
		created, err := client.CreateWebhook(t.Context(), newWebhook())
		if err != nil || created.ID != id || created.Secret != hub.NewSecret(want) {
			t.Errorf("create, %s: %v, %q", fields, err, created.Secret.Reveal())
		}
		updated, err := client.UpdateWebhook(t.Context(), id, hub.WebhookFields{RequiresSignature: new(true)})
		if err != nil || updated.ID != id || updated.Secret != hub.NewSecret(want) {
			t.Errorf("update, %s: %v, %q", fields, err, updated.Secret.Reveal())
		}
		redefined, err := client.RedefineSignature(t.Context(), id)
		if redefined != hub.NewSecret(want) {
			t.Errorf("redefine, %s: %q", fields, redefined.Reveal())
		}
		if want == "" && failure(t, err).Outcome != hub.Unknown || want != "" && err != nil {
			t.Errorf("redefine, %s: %v", fields, err)
		}
	}
}
