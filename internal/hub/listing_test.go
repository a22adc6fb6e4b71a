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
		`{"data":[],"pagination":{"total":1.5}}`, `{"data":[null],"pagination":{"total":1}}`, `[null]`, `[{}]`, `[[]]`,
		`{"data":{},"pagination":{"total":1}}`, `[` + webhookJSON, `{"pagination":{"total":1}}`,
		`[` + webhookJSON + `,` + strings.Replace(webhookJSON, id, "17", 1) + `]`,
	} {
		page, err := clientOf(t, 200, body).ListWebhooks(t.Context(), hub.Page{})
		if page != nil || err == nil {
			t.Errorf("%s: %v, %v", body, page, err)
		}
	}
}
