package hub_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

func TestMany_small_entries_take_little_memory(t *testing.T) {
	for name, begin := range map[string]string{"in a page": `{"pagination":{"total":1},"data":[`, "in an array": "["} {
		body := append([]byte(begin), bytes.Repeat([]byte("{},"), 7*mebi/3)...)
		body = append(body, "{}]"...)
		if begin != "[" {
			body = append(body, '}')
		}
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }))
		client := newClient(t, server.URL)
		var err error
		if n := taken(func() { _, err = client.ListWebhooks(t.Context(), hub.Page{}) }); n > most {
			t.Errorf("%s: it takes %d MiB", name, n/mebi)
		}
		if got := failure(t, err); got.Outcome != hub.Unknown {
			t.Errorf("%s: %#v", name, got)
		}
		server.Close()
	}
}
