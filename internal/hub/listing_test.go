package hub_test

import (
	"strings"
	"testing"
	"time"

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

func TestLogs_are_read_tolerantly(t *testing.T) {
	at := time.Date(2026, 2, 9, 12, 0, 0, 0, time.UTC)
	const begin = `{"id":"B1B2C3D4-e5f6-7890-abcd-ef1234567890","webhookId":"` + id + `"`
	body := `{"data":[` + strings.Join([]string{
		begin + `,"statusCode":200,"status":"Success","sendAt":"2026-02-09T12:00:00Z","createdDate":"2026-02-09T12:00:00Z","messageId":"m","webhook":{"id":"x"}}`,
		begin + `,"statusCode":null,"status":"Odd","sendAt":null,"createdDate":"?","messageId":null}`,
		begin + `}`,
	}, ",") + `],"pagination":{"total":9}}`
	log := hub.WebhookLog{ID: logID, WebhookID: id}
	full, odd := log, log
	full.StatusCode, full.Status, full.SendAt, full.CreatedDate, full.MessageID = 200, "Success", &at, &at, "m"
	odd.Status = "Odd"
	want := &hub.WebhookLogPage{Logs: []hub.WebhookLog{full, odd, log}, Total: 9, Paged: true}
	got, err := clientOf(t, 200, body).ListWebhookLogs(t.Context(), id, hub.Page{}, "Error")
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestA_retry_says_whether_the_Hub_tried(t *testing.T) {
	for body, want := range map[string]*hub.RetryResult{
		`{"success":true,"newLogId":"C1b2c3d4-e5f6-7890-abcd-ef1234567890"}`: {
			WebhookLogID: logID, Success: true, NewLogID: "c1b2c3d4-e5f6-7890-abcd-ef1234567890",
		},
		`{"success":false,"newLogId":null}`: {WebhookLogID: logID},
		`{"newLogId":null}`:                 nil,
		`{}`:                                nil,
	} {
		got, err := clientOf(t, 200, body).RetryWebhookLog(t.Context(), id, logID)
		if diff := cmp.Diff(want, got); diff != "" || (err == nil) != (want != nil) {
			t.Errorf("%s: %v %s", body, err, diff)
		}
	}
	result := `{"webhookLogId":"` + logID + `","success":true}`
	for body, want := range map[string][]hub.RetryResult{
		`{"results":[` + result + `]}`:    {{WebhookLogID: logID, Success: true}},
		`[` + result + `]`:                {{WebhookLogID: logID, Success: true}},
		`{"results":[]}`:                  {},
		`{"results":null}`:                nil,
		`{"results":[` + result + `,{}]}`: nil,
		`{}`:                              nil,
	} {
		got, err := clientOf(t, 200, body).RetryWebhookLogs(t.Context(), id, []string{logID})
		if diff := cmp.Diff(want, got); diff != "" || (err == nil) != (want != nil) {
			t.Errorf("%s: %v %s", body, err, diff)
		}
	}
}
