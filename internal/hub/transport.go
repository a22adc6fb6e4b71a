package hub

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"time"
)

// TransportConfig is what can be chosen of a transport.
type TransportConfig struct {
	// RootCAs are the authorities that may vouch for the Hub, nil for those of the system.
	RootCAs *x509.CertPool
}

// NewTransport makes a transport that any number of clients may share. It speaks HTTP/1.1 only and TLS 1.2 or
// newer, and takes the proxy for https from the environment.
func NewTransport(config TransportConfig) *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}
	// HTTP/2 re-sends a request by itself in more cases than HTTP/1.1 does, see noReplay.
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                 forTLS(http.ProxyFromEnvironment),
		DialContext:           dialer.DialContext,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: config.RootCAs},
		TLSHandshakeTimeout:   5 * time.Second,
		Protocols:             protocols,
		DisableCompression:    true,
		MaxIdleConns:          64,
		MaxIdleConnsPerHost:   8,
		IdleConnTimeout:       idleConnTimeout,
		ExpectContinueTimeout: time.Second,
		// No answer of the Hub needs headers of this size.
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// idleConnTimeout is shorter than the 5 s after which many a server (Node's default) closes an idle connection: a
// POST that meets that very moment ends as unknown.
const idleConnTimeout = 4 * time.Second

// forTLS leaves plain HTTP without a proxy, for there it would read the API key.
func forTLS(proxy func(*http.Request) (*url.URL, error)) func(*http.Request) (*url.URL, error) {
	return func(r *http.Request) (*url.URL, error) {
		if r.URL.Scheme != "https" {
			return nil, nil
		}
		return proxy(r)
	}
}
