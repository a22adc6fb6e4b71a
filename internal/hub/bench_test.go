package hub_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

// canned answers every call with the same body, without a network.
type canned []byte

func (body canned) RoundTrip(request *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: request,
	}, nil
}

// fullPage is a page of as many webhooks as the Hub gives at most.
func fullPage() []byte {
	all := make([]string, hub.MaxPageLimit)
	for i := range all {
		all[i] = fmt.Sprintf(`{"id":"a1b2c3d4-e5f6-7890-abcd-%012d","applicationId":"00000000-0000-0000-0000-000000000001",`+
			`"active":true,"label":"Webhook %d","endpoint":"https://your-server.example/webhooks/%d","eventType":"Message",`+
			`"authenticationProtocol":"NoAuthentication","scope":null,"requiresSignature":true,"isVerified":true,`+
			`"verifiedAt":"2026-02-09T12:00:03Z","numberOfErrors":0,"createdDate":"2026-02-09T12:00:00Z",`+
			`"lastModifiedDate":"2026-02-09T12:00:03Z"}`, i, i, i)
	}
	return fmt.Appendf(nil, `{"data":[%s],"pagination":{"offset":0,"limit":50,"total":10000,"totalPages":200}}`,
		strings.Join(all, ","))
}

// BenchmarkListWebhooks reads one page: what a poll does for each 49 webhooks.
func BenchmarkListWebhooks(b *testing.B) {
	body := fullPage()
	client, err := hub.New(hub.Config{BaseURL: "https://hub.example", APIKey: hub.NewSecret("key"), Transport: canned(body)})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		page, err := client.ListWebhooks(context.Background(), hub.Page{Limit: hub.MaxPageLimit})
		if err != nil || len(page.Webhooks) != hub.MaxPageLimit {
			b.Fatal(err)
		}
	}
}
