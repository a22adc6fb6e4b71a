package hub_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

// counted counts how much of an answer is read.
type counted struct {
	io.ReadCloser
	n *int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	*c.n += int64(n)
	return n, err
}

// counting is a transport that unpacks gzip, if it is let, and counts what comes out.
type counting struct {
	http.RoundTripper
	n int64
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.RoundTripper.RoundTrip(r)
	if err == nil {
		resp.Body = counted{resp.Body, &c.n}
	}
	return resp, err
}

func countingClient(t *testing.T, handler http.HandlerFunc) (*hub.Client, *counting) {
	t.Helper()
	transport := hub.NewTransport(hub.TransportConfig{})
	transport.DisableCompression = false
	t.Cleanup(transport.CloseIdleConnections)
	count := &counting{RoundTripper: transport}
	return newClient(t, newHub(t, handler).URL, func(c *hub.Config) { c.Transport = count }), count
}

const (
	mebi = 1 << 20
	// slack is what may be read beyond a limit.
	slack = 64 << 10
)

func TestAn_answer_without_end_is_read_to_a_limit(t *testing.T) {
	for _, status := range []int{200, 500} {
		client, count := countingClient(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			for err := error(nil); err == nil; {
				_, err = io.WriteString(w, strings.Repeat(" ", 4096))
			}
		})
		for name, verb := range verbs(client) {
			count.n = 0
			limit := int64(mebi)
			if name == "listWebhooks" {
				limit = 8 * mebi
			}
			err := verb(t.Context())
			if count.n > limit+slack {
				t.Errorf("%s answered %d: %d bytes were read", name, status, count.n)
			}
			if status == 200 && name == "deleteWebhook" {
				if err != nil || count.n > 0 {
					t.Errorf("delete: %v, %d bytes were read", err, count.n)
				}
				continue
			}
			if got := failure(t, err); got.Outcome != hub.Unknown || got.StatusCode != status {
				t.Errorf("%s: %#v", name, got)
			}
		}
	}
}

func TestAn_answer_of_the_allowed_length_is_read(t *testing.T) {
	full := func(text string, size int) string { return text + strings.Repeat(" ", size-len(text)) }
	if _, err := clientOf(t, 200, full(webhookJSON, mebi)).GetWebhook(t.Context(), id); err != nil {
		t.Error(err)
	}
	_, err := clientOf(t, 200, full(webhookJSON, mebi+1)).GetWebhook(t.Context(), id)
	if want := "getWebhook: the Hub answered 200, but it is too long"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if _, err := clientOf(t, 200, full("[]", 8*mebi)).ListWebhooks(t.Context(), hub.Page{}); err != nil {
		t.Error(err)
	}
}

func TestA_gzip_bomb_does_not_go_off(t *testing.T) {
	for _, status := range []int{200, 400} {
		client, count := countingClient(t, func(w http.ResponseWriter, r *http.Request) {
			if encoding := r.Header.Get("Accept-Encoding"); encoding != "identity" {
				t.Errorf("the client accepts %s", encoding)
			}
			w.Header().Set("Content-Encoding", "gzip")
			w.WriteHeader(status)
			packed := gzip.NewWriter(w)
			for range 4 {
				_, _ = io.WriteString(packed, strings.Repeat(" ", mebi))
			}
			_ = packed.Close()
		})
		_, err := client.CreateWebhook(t.Context(), newWebhook())
		if got := failure(t, err); got.StatusCode != status || got.Message != "" {
			t.Errorf("%#v", got)
		}
		if count.n > mebi+slack {
			t.Errorf("%d bytes were read", count.n)
		}
	}
}

func TestA_deeply_nested_answer_does_not_parse(t *testing.T) {
	deep := strings.Repeat("[", 400_000)
	_, err := clientOf(t, 200, deep).ListWebhooks(t.Context(), hub.Page{})
	if got := failure(t, err); got.Outcome != hub.Unknown {
		t.Errorf("%#v", got)
	}
	if got := failure(t, clientOf(t, 500, `{"message":`+deep).DeleteWebhook(t.Context(), id)); got.Message != "" {
		t.Errorf("%#v", got)
	}
}
