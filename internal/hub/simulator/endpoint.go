package simulator

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"time"
)

// Endpoint reaches the endpoint of a webhook. The error says that there was no answer.
type Endpoint interface {
	Post(ctx context.Context, call EndpointCall) (EndpointAnswer, error)
}

// EndpointCall is what the Hub sends to an endpoint.
type EndpointCall struct {
	URL    string
	Header http.Header
	Body   []byte
}

// EndpointAnswer is what the endpoint said.
type EndpointAnswer struct {
	StatusCode  int
	ContentType string
	// Body is cut at 64 KiB.
	Body []byte
}

const (
	// DefaultEndpointTimeout bounds a call to an endpoint.
	DefaultEndpointTimeout = 5 * time.Second
	maxEndpointBody        = 64 << 10
)

// EndpointClient reaches endpoints over HTTPS.
type EndpointClient struct{ client *http.Client }

// NewEndpointClient trusts roots (nil: those of the system) and waits for timeout (0: DefaultEndpointTimeout).
func NewEndpointClient(roots *x509.CertPool, timeout time.Duration) *EndpointClient {
	return &EndpointClient{client: &http.Client{
		Timeout: cmp.Or(timeout, DefaultEndpointTimeout),
		Transport: &http.Transport{
			TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			MaxIdleConnsPerHost: 64, // as many as may be called at once by an operator that registers thousands
			IdleConnTimeout:     10 * time.Second,
		},
		// A redirect is an answer that is not 200: the token and the headers are for this endpoint alone.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Post sends call once.
func (e *EndpointClient) Post(ctx context.Context, call EndpointCall) (EndpointAnswer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, call.URL, bytes.NewReader(call.Body))
	if err != nil {
		return EndpointAnswer{}, err
	}
	request.Header = call.Header
	response, err := e.client.Do(request)
	if err != nil {
		return EndpointAnswer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxEndpointBody))
	if err != nil {
		return EndpointAnswer{}, err
	}
	return EndpointAnswer{
		StatusCode: response.StatusCode, ContentType: response.Header.Get("Content-Type"), Body: body,
	}, nil
}

// CloseIdleConnections ends connections that no call uses.
func (e *EndpointClient) CloseIdleConnections() { e.client.CloseIdleConnections() }

// endpointHeader is what every call to the endpoint of r carries.
func endpointHeader(headers []Header) http.Header {
	header := http.Header{}
	for _, h := range headers {
		header.Add(h.Key, h.Value)
	}
	header.Set("Content-Type", "application/json")
	header.Set("User-Agent", "Chatt2-Hub-Simulator/1")
	return header
}
