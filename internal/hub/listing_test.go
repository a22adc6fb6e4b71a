package hub_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

func TestA_listing_is_a_page_or_a_bare_array(t *testing.T) {
	one := []hub.Webhook{{ID: id, ApplicationID: applicationID}}
	for body, want := range map[string]hub.WebhookPage{
		`{"data":[` + webhookJSON + `],"pagination":{"offset":0,"limit":1,"total":7,"totalPages":7}}`: {
			Webhooks: one, Total: 7, Paged: true,
		},
		`{"data":[],"pagination":{"total":0.0},"more":1}`: {Webhooks: []hub.Webhook{}, Paged: true},
		" \n[" + webhookJSON + "]":                        {Webhooks: one, Total: 1},
		`[]`:                                              {Webhooks: []hub.Webhook{}},
	} {
		got, err := clientOf(t, 200, body).ListWebhooks(t.Context(), hub.Page{})
		if err != nil {
			t.Errorf("%s: %v", body, err)
		} else if diff := cmp.Diff(want, *got); diff != "" {
			t.Errorf("%s: %s", body, diff)
		}
	}
}

func TestA_listing_that_could_hide_something_does_not_parse(t *testing.T) {
	for _, body := range []string{
		`null`, `{}`, `{"data":null,"pagination":{"total":0}}`, `{"data":[]}`, `{"data":[],"pagination":null}`,
		`{"data":[],"pagination":{}}`, `{"data":[],"pagination":{"total":null}}`, `{"data":[],"pagination":{"total":-1}}`,
		`{"data":[],"pagination":{"total":1.5}}`,
		`{"data":"[]","pagination":{"total":1}}`, `{"data":{},"pagination":{"total":1}}`, `[` + webhookJSON, `{"pagination":{"total":1}}`,
	} {
		page, err := clientOf(t, 200, body).ListWebhooks(t.Context(), hub.Page{})
		if page != nil || err == nil {
			t.Errorf("%s: %v, %v", body, page, err)
		}
	}
}

// TestAn_entry_that_cannot_be_read_is_named: it costs the listing its proof, but not what the other entries show.
func TestAn_entry_that_cannot_be_read_is_named(t *testing.T) {
	other := strings.Replace(fullWebhook, "A1B2C3D4", "11111111", 1)
	odd := func(old, odd string) string { return strings.Replace(other, old, odd, 1) }
	const named = "the webhook 11111111-e5f6-7890-abcd-ef1234567890"
	for entry, want := range map[string]string{
		`null`:   "the field id of entry 2 of the list",
		`{}`:     "the field id of entry 2 of the list",
		`[]`:     "the field id of entry 2 of the list",
		`"text"`: "the field id of entry 2 of the list",
		odd(`"11111111-e5f6-7890-abcd-ef1234567890"`, `17`):            `the field id of the webhook labelled "l"`,
		odd(`11111111-e5f6-7890-abcd-ef1234567890`, `17`):              `the field id of the webhook labelled "l"`,
		strings.Replace(odd("11111111", ""), `"l"`, `"`+apiKey+`"`, 1): "the field id of entry 2 of the list",
		odd(`"label":"l"`, `"label":5`):                                "the field label of " + named,
		odd(`"https://r.example/"`, `["https://r.example/"]`):          "the field endpoint of " + named,
		odd(`"eventType":"Message"`, `"eventType":{"name":"Message"}`): "the field eventType of " + named,
		odd(`"eventType":"Message"`, `"eventType":1`) + `,null`:        "the field eventType of " + named,
	} {
		for body, paged := range map[string]bool{
			`{"data":[` + webhookJSON + `,` + entry + `],"pagination":{"total":2}}`: true, `[` + webhookJSON + `,` + entry + `]`: false,
		} {
			page, err := clientOf(t, 200, body).ListWebhooks(t.Context(), hub.Page{})
			if err != nil {
				t.Errorf("%s: %v", body, err)
				continue
			}
			first := hub.Webhook{ID: id, ApplicationID: applicationID}
			if diff := cmp.Diff(first, page.Webhooks[0]); diff != "" || page.Unreadable[0] != "" {
				t.Errorf("%s: the entry before it is not read: %s", body, diff)
			}
			if got := page.FirstUnreadable(); got != want || page.Unreadable[1] != want || page.Paged != paged {
				t.Errorf("%s: %q is named, want %q", body, got, want)
			}
			if page.Webhooks[1].ID == "" {
				t.Errorf("%s: the entry has no id of our own", body)
			}
		}
	}
}

// TestWhat_no_decision_needs_may_be_anything in the webhook of somebody else.
func TestWhat_no_decision_needs_may_be_anything(t *testing.T) {
	for _, odd := range []string{
		`"3"`, `3.5`, `1e300`, `-7`, `null`, `{}`, `[[1]]`, `true`, `"true"`, `""`, `"9999-12-31T23:59:59-03:00"`,
	} {
		for _, field := range []string{
			"applicationId", "active", "authenticationProtocol", "scope", "requiresSignature", "isVerified", "verifiedAt",
			"numberOfErrors", "createdDate", "lastModifiedDate", "new",
		} {
			body := `[{"id":"` + id + `","label":"l","endpoint":"https://r.example/","eventType":"Message","` + field + `":` + odd + `}]`
			page, err := clientOf(t, 200, body).ListWebhooks(t.Context(), hub.Page{})
			if err != nil || page.FirstUnreadable() != "" {
				t.Errorf("%s: %v, %v", body, page, err)
				continue
			}
			got := page.Webhooks[0]
			if got.ID != id || !hub.Is(got.Label, "l") || got.Endpoint != "https://r.example/" || got.EventType != "Message" {
				t.Errorf("%s: %+v", body, got)
			}
		}
	}
}

func TestA_time_that_the_API_server_refuses_is_no_time(t *testing.T) {
	for text, isTime := range map[string]bool{
		"9999-12-31T23:59:59Z": true, "9999-12-31T23:59:59-03:00": false, "9999-12-31T23:59:59+03:00": true,
		"0001-01-01T02:00:00+01:00": true, "0001-01-01T00:30:00+01:00": false, "0000-06-01T00:00:00Z": false,
	} {
		body := strings.Replace(webhookJSON, `}`, `,"createdDate":"`+text+`","verifiedAt":"`+text+`"}`, 1)
		got, err := clientOf(t, 200, body).GetWebhook(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if got.CreatedDate.IsZero() == isTime || (got.VerifiedAt != nil) != isTime {
			t.Errorf("%s is read as %s and %v", text, got.CreatedDate, got.VerifiedAt)
		}
	}
}
