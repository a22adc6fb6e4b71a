package hub

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

func TestNewTransport_shares_nothing_and_takes_no_risk(t *testing.T) {
	a, b := NewTransport(TransportConfig{}), NewTransport(TransportConfig{})
	if a == b || a.TLSClientConfig == b.TLSClientConfig {
		t.Error("two transports share state")
	}
	if a.TLSClientConfig.MinVersion < tls.VersionTLS12 || a.TLSClientConfig.InsecureSkipVerify {
		t.Error("TLS is too weak")
	}
	if a.Protocols.HTTP2() || a.Protocols.UnencryptedHTTP2() || !a.Protocols.HTTP1() {
		t.Errorf("it speaks %s", a.Protocols)
	}
}

func TestOnly_TLS_goes_through_a_proxy(t *testing.T) {
	proxy := &url.URL{Scheme: "http", Host: "proxy.example"}
	chosen := forTLS(http.ProxyURL(proxy))
	if got, err := chosen(httptest.NewRequest(http.MethodGet, "http://hub.example/", nil)); got != nil || err != nil {
		t.Errorf("plain HTTP goes through %v, %v", got, err)
	}
	if got, err := chosen(httptest.NewRequest(http.MethodGet, "https://hub.example/", nil)); got != proxy || err != nil {
		t.Errorf("TLS goes through %v, %v", got, err)
	}
}
