package hub_test

import (
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

func TestA_call_on_a_reused_connection_that_dies_is_sent_once(t *testing.T) {
	for name := range verbs(nil) {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			sent := map[string]int{}
			connections := map[string]bool{}
			warm := make(chan struct{}, 1)
			server := newHub(t, func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				connections[r.RemoteAddr] = true
				select {
				case <-warm:
					_, _ = io.WriteString(w, webhookJSON)
					return
				default:
				}
				sent[r.Method]++
				panic(http.ErrAbortHandler) // the body has been read; the connection is closed without an answer
			})
			client := newClient(t, server.URL)
			warm <- struct{}{}
			if _, err := client.GetWebhook(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			got := failure(t, verbs(client)[name](t.Context()))
			mu.Lock()
			defer mu.Unlock()
			if sent[http.MethodGet] > 0 {
				return // Go's transport may ask a second time, which does no harm
			}
			if len(connections) != 1 {
				t.Fatalf("%d connections: the first was not reused, and this proves nothing", len(connections))
			}
			if n := sent[http.MethodPost] + sent[http.MethodPatch] + sent[http.MethodDelete]; n != 1 {
				t.Errorf("sent %d times", n)
			}
			if got.Outcome != hub.Unknown {
				t.Errorf("%#v", got)
			}
		})
	}
}
