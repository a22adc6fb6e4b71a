// Package simulatortest runs the simulator in a test, over HTTPS and held to the Hub's contract.
package simulatortest

import (
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/chatt2me/webhook-operator/internal/hub/contract"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// Hub is a simulator that serves HTTPS on a loopback address until the test ends.
type Hub struct {
	*simulator.Simulator
	// URL is the base URL of the API.
	URL string
	// Client trusts the Hub. It follows no redirect.
	Client *http.Client
	// CAs trusts the Hub, and any server of httptest; CAPEM is the same as a file's content.
	CAs   *x509.CertPool
	CAPEM []byte

	mu sync.Mutex
	// open are the connections, mostOpen the most that there were at once.
	open, mostOpen int
}

// MostOpen is how many connections were open at once, at most.
func (h *Hub) MostOpen() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.mostOpen
}

func (h *Hub) count(_ net.Conn, state http.ConnState) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch state {
	case http.StateNew:
		h.open++
		h.mostOpen = max(h.open, h.mostOpen)
	case http.StateClosed, http.StateHijacked:
		h.open--
	default:
	}
}

// Start runs a Hub whose every request and answer must fit the contract. Unless o says otherwise it trusts endpoints
// that are TLS servers of httptest.
func Start(tb testing.TB, o simulator.Options) *Hub {
	tb.Helper()
	return start(tb, o, func(h http.Handler) http.Handler { return contract.Middleware(tb, h) })
}

// StartUnchecked runs a Hub that may be sent what breaks the contract.
func StartUnchecked(tb testing.TB, o simulator.Options) *Hub {
	tb.Helper()
	return start(tb, o, func(h http.Handler) http.Handler { return h })
}

func start(tb testing.TB, o simulator.Options, wrap func(http.Handler) http.Handler) *Hub {
	tb.Helper()
	// Every server of httptest has the same certificate, so a first one tells whom to trust.
	server := httptest.NewUnstartedServer(nil)
	server.EnableHTTP2 = true
	hub := &Hub{}
	server.Config.ConnState = hub.count
	server.StartTLS()
	certificate := server.Certificate()
	cas := x509.NewCertPool()
	cas.AddCert(certificate)
	if o.EndpointCAs == nil {
		o.EndpointCAs = cas
	}
	sim := simulator.New(o)
	server.Config.Handler = wrap(sim.Handler())
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	tb.Cleanup(func() {
		// First the calls that a fault holds, then the server that waits for them.
		sim.Close()
		server.CloseClientConnections()
		server.Close()
	})
	hub.Simulator, hub.URL, hub.Client, hub.CAs = sim, server.URL, client, cas
	hub.CAPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
	return hub
}
