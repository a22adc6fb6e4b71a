package hub

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	defaultTimeout   = 10 * time.Second
	defaultUserAgent = "chatt2-webhook-operator"
)

// Call describes a call that was sent, without any value.
type Call struct {
	// Operation is the operationId of the contract.
	Operation string
	// WebhookID is the webhook that the call is about, empty for none.
	WebhookID string
	// StatusCode is that of the answer, 0 if there was none.
	StatusCode int
	Duration   time.Duration
}

// Config is what a client needs to know.
type Config struct {
	// BaseURL is where the Hub is, such as https://api.chatt2.me: https, a host, no user info, query or fragment.
	BaseURL string
	// AllowInsecure permits http in BaseURL. The API key is then readable on the way.
	AllowInsecure bool
	// APIKey goes into the header x-api-key of every call, and nowhere else.
	APIKey Secret
	// Transport carries the calls; nil makes one for this client. It must not follow redirects or send anything
	// twice; those of NewTransport don't.
	Transport http.RoundTripper
	// RootCAs are for the transport that is made when Transport is nil; nil for those of the system.
	RootCAs *x509.CertPool
	// Timeout is for a whole call, its answer read; 0 means 10 s.
	Timeout time.Duration
	// UserAgent names the program to the Hub.
	UserAgent string
	// Observe, where not nil, is called after every call that was sent, with the context of that call.
	Observe func(context.Context, Call)
	// Now is the clock by which Retry-After is read and calls are measured; nil means time.Now.
	Now func() time.Time
}

// Client calls the Hub with one API key. It is safe for concurrent use, retries nothing and remembers nothing. Every
// error of its methods is an *Error.
type Client struct {
	base      *url.URL
	apiKey    Secret
	transport http.RoundTripper
	timeout   time.Duration
	userAgent string
	observe   func(context.Context, Call)
	now       func() time.Time
}

// New makes a client. Its error says what is wrong with config, without any of its values.
func New(config Config) (*Client, error) {
	base, err := parseBaseURL(config.BaseURL, config.AllowInsecure)
	if err != nil {
		return nil, err
	}
	if err := checkAPIKey(config.APIKey); err != nil {
		return nil, err
	}
	c := &Client{
		base: base, apiKey: config.APIKey, transport: config.Transport, timeout: config.Timeout,
		userAgent: config.UserAgent, observe: config.Observe, now: config.Now,
	}
	if c.transport == nil {
		c.transport = NewTransport(TransportConfig{RootCAs: config.RootCAs})
	}
	if c.timeout <= 0 {
		c.timeout = defaultTimeout
	}
	if c.userAgent == "" {
		c.userAgent = defaultUserAgent
	}
	if !isHeaderValue(c.userAgent) {
		return nil, errors.New("user agent: only visible ASCII characters and inner spaces can be sent")
	}
	if c.observe == nil {
		c.observe = func(context.Context, Call) {}
	}
	if c.now == nil {
		c.now = time.Now //nolint:forbidigo // the edge: nobody handed in a clock
	}
	return c, nil
}

// parseBaseURL never repeats the text, which may hold a password.
func parseBaseURL(text string, allowInsecure bool) (*url.URL, error) {
	base, err := url.Parse(text)
	switch {
	case err != nil || base.Opaque != "" || base.Hostname() == "":
		return nil, errors.New("base URL: must be an absolute URL with a host, such as https://api.chatt2.me")
	case base.Scheme != "https" && base.Scheme != "http":
		return nil, errors.New("base URL: the scheme must be https")
	case base.Scheme == "http" && !allowInsecure:
		return nil, errors.New("base URL: must be https, for the API key would be readable on the way")
	case base.User != nil:
		return nil, errors.New("base URL: must not hold user info; the API key goes into a header of its own")
	case strings.ContainsAny(text, "?#"):
		return nil, errors.New("base URL: must not have a query or a fragment")
	}
	return base, nil
}

func checkAPIKey(key Secret) error {
	switch {
	case key.IsZero():
		return errors.New("API key: is empty")
	case !isHeaderValue(key.Reveal()):
		return errors.New("API key: only visible ASCII characters and inner spaces can be sent")
	}
	return nil
}

// isHeaderValue reports whether a text arrives in a header as it is.
func isHeaderValue(text string) bool {
	for _, b := range []byte(text) {
		if b < ' ' || b > '~' {
			return false
		}
	}
	return strings.TrimSpace(text) == text
}
