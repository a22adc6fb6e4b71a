package hub_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

// tlsHub serves HTTPS as config says, and fails the test when it is sent anything that served does not expect.
func tlsHub(t *testing.T, config *tls.Config, served *int) (url string, trusted *x509.CertPool) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { *served++ }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = config
	server.StartTLS()
	t.Cleanup(server.Close)
	trusted = x509.NewCertPool()
	trusted.AddCert(server.Certificate())
	return server.URL, trusted
}

// trusting is a client as the operator makes it, with nothing changed but whom it trusts.
func trusting(t *testing.T, url string, roots *x509.CertPool) *hub.Client {
	t.Helper()
	transport := hub.NewTransport(hub.TransportConfig{RootCAs: roots})
	t.Cleanup(transport.CloseIdleConnections)
	return newClient(t, url, func(c *hub.Config) { c.Transport, c.AllowInsecure = transport, false })
}

func TestA_Hub_that_speaks_less_than_TLS_1_2_is_sent_nothing(t *testing.T) {
	for version, accepted := range map[uint16]bool{
		tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true,
	} {
		served := 0
		url, trusted := tlsHub(t, &tls.Config{MinVersion: version, MaxVersion: version}, &served)
		err := trusting(t, url, trusted).DeleteWebhook(t.Context(), id)
		if accepted {
			if err != nil || served != 1 {
				t.Errorf("%s: %v, %d calls came", tls.VersionName(version), err, served)
			}
			continue
		}
		if got := failure(t, err); got.Outcome != hub.NotApplied || served != 0 {
			t.Errorf("%s: %#v, %d calls came", tls.VersionName(version), got, served)
		}
	}
}

// certificate is one for loopback that vouches for itself, and is good between two times.
func certificate(t *testing.T, from, to time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "hub"}, NotBefore: from, NotAfter: to,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
}

func TestA_Hub_whose_certificate_is_not_good_today_is_sent_nothing(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		from, to time.Time
		good     bool
	}{
		"it is over":         {now.Add(-2 * time.Hour), now.Add(-time.Hour), false},
		"it has yet to come": {now.Add(time.Hour), now.Add(2 * time.Hour), false},
		"it is good":         {now.Add(-time.Hour), now.Add(time.Hour), true},
	} {
		served := 0
		pair := certificate(t, c.from, c.to)
		url, trusted := tlsHub(t, &tls.Config{Certificates: []tls.Certificate{pair}}, &served)
		err := trusting(t, url, trusted).DeleteWebhook(t.Context(), id)
		if c.good != (err == nil) || c.good != (served == 1) {
			t.Errorf("%s: %v, %d calls came", name, err, served)
		}
		if !c.good && hub.OutcomeOf(err) != hub.NotApplied {
			t.Errorf("%s: %#v", name, err)
		}
	}
}

// forbidden is a transport that nobody may use.
type forbidden struct{ *testing.T }

// RoundTrip is for package http.
func (f forbidden) RoundTrip(r *http.Request) (*http.Response, error) {
	f.Errorf("%s %s goes by the transport that everybody shares", r.Method, r.URL.Path)
	return nil, context.Canceled
}

func TestThe_client_and_transport_that_everybody_shares_are_not_used(t *testing.T) {
	transport, client := http.DefaultTransport, http.DefaultClient                      //nolint:forbidigo // what is not to be used
	t.Cleanup(func() { http.DefaultTransport, http.DefaultClient = transport, client }) //nolint:forbidigo // as above
	http.DefaultTransport = forbidden{t}                                                //nolint:forbidigo // as above
	http.DefaultClient = &http.Client{Transport: forbidden{t}}                          //nolint:forbidigo // as above
	server := newHub(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for name, verb := range verbs(newClient(t, server.URL)) {
		if got := failure(t, verb(t.Context())); got.StatusCode != http.StatusTeapot {
			t.Errorf("%s: %#v", name, got)
		}
	}
	own := newClient(t, server.URL, func(c *hub.Config) { c.Transport = nil })
	if got := failure(t, own.DeleteWebhook(t.Context(), id)); got.StatusCode != http.StatusTeapot {
		t.Errorf("with a transport of its own: %#v", got)
	}
}
