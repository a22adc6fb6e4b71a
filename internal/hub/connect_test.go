package hub_test

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

// dialing is a transport whose connections are made by dial.
func dialing(dial func(ctx context.Context) (net.Conn, error)) func(*hub.Config) {
	return func(c *hub.Config) {
		transport := hub.NewTransport(hub.TransportConfig{})
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }
		c.Transport = transport
		c.Timeout = 50 * time.Millisecond
	}
}

func TestA_call_that_gets_no_connection_is_not_applied(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	lookup := func(notFound bool) func(context.Context) (net.Conn, error) {
		return func(context.Context) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Name: "canary", Err: "canary", IsNotFound: notFound}}
		}
	}
	for name, c := range map[string]struct {
		client *hub.Client
		cause  string
	}{
		"refused":      {newClient(t, closed.URL), "connection refused"},
		"no such host": {newClient(t, "http://h.example", dialing(lookup(true))), "no such host"},
		"failed look-up": {
			newClient(t, "http://h.example", dialing(lookup(false))), "the host name could not be looked up",
		},
		"slow": {newClient(t, "http://h.example", dialing(func(ctx context.Context) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})), "timed out"},
		"no proxy": {newClient(t, "https://h.example", func(c *hub.Config) {
			transport := hub.NewTransport(hub.TransportConfig{})
			proxy, err := http.NewRequest(http.MethodGet, closed.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			transport.Proxy = http.ProxyURL(proxy.URL)
			c.Transport = transport
		}), "no connection to the proxy"},
	} {
		for operation, verb := range verbs(c.client) {
			got := failure(t, verb(t.Context()))
			if got.Outcome != hub.NotApplied || got.Kind != hub.Unavailable || got.Cause != c.cause || got.StatusCode != 0 {
				t.Errorf("%s, %s: %#v, want %q", name, operation, got, c.cause)
			}
		}
	}
}

func TestA_call_over_bad_TLS_is_not_applied(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was sent") }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	plain := newHub(t, func(http.ResponseWriter, *http.Request) { t.Error("it was sent") })
	own := func(roots *x509.CertPool) func(*hub.Config) {
		return func(c *hub.Config) { c.Transport, c.RootCAs = nil, roots }
	}
	for name, c := range map[string]struct {
		client *hub.Client
		cause  string
	}{
		"unknown authority": {newClient(t, server.URL, own(x509.NewCertPool())), "TLS certificate signed by an unknown authority"},
		"another host":      {newClient(t, "https://localhost:"+port, own(pool)), "TLS certificate not valid for localhost"},
		"no TLS":            {newClient(t, "https"+plain.URL[len("http"):], own(pool)), "no TLS at the other end"},
	} {
		_, err := c.client.CreateWebhook(t.Context(), newWebhook())
		if got := failure(t, err); got.Outcome != hub.NotApplied || got.Cause != c.cause {
			t.Errorf("%s: %#v, want %q", name, got, c.cause)
		}
	}
}

func TestA_client_trusts_the_authorities_it_is_given(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	client := newClient(t, server.URL, func(c *hub.Config) { c.Transport, c.RootCAs = nil, pool })
	if err := client.DeleteWebhook(t.Context(), id); err != nil {
		t.Error(err)
	}
}

// silent is a transport that calls no hooks and has sent we know not what.
type silent struct{}

func (silent) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("canary") }

func TestA_transport_that_tells_nothing_proves_nothing(t *testing.T) {
	client := newClient(t, "https://h.example", func(c *hub.Config) { c.Transport = silent{} })
	if got := failure(t, client.DeleteWebhook(t.Context(), id)); got.Outcome != hub.Unknown || got.Cause != "the connection broke" {
		t.Errorf("%#v", got)
	}
}
