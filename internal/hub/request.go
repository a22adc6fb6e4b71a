package hub

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
)

const (
	maxAnswer = 1 << 20
	maxPage   = 8 << 20
	// maxErrorAnswer is as much of an error's body as is read for a message.
	maxErrorAnswer = 64 << 10
)

// call is one request to the Hub.
type call struct {
	operation string
	method    string
	path      []string
	query     url.Values
	// body is JSON, nil for none.
	body []byte
	// limit is how long an answer may be, in bytes.
	limit int64
	// sent are the values that must not come back in an error's text, the API key apart.
	sent sentValues
	// parse reads a 2xx; nil where the status says all. Its error is shown: our own words, nothing of the body.
	parse func(body []byte) error
}

// errTooLong is what readLimited says of a body that goes on.
var errTooLong = errors.New("it is too long")

// do is the one way to the network.
func (c *Client) do(ctx context.Context, in call) error {
	if err := ctx.Err(); err != nil {
		return &Error{Operation: in.operation, Outcome: NotApplied, Cause: causeOf(err)}
	}
	limited, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var way trace
	req, err := c.newRequest(httptrace.WithClientTrace(limited, way.hooks()), in)
	if err != nil {
		return notSent(in.operation, "the request could not be made")
	}

	start := c.now()
	statusCode, err := c.roundTrip(req, in, &way)
	made := Call{Operation: in.operation, StatusCode: statusCode, Duration: c.now().Sub(start)}
	if len(in.path) > 0 {
		made.WebhookID = in.path[0]
	}
	c.observe(ctx, made)
	return err
}

// roundTrip sends the request and reads the answer. The transport is asked directly: an http.Client follows
// redirects, with the API key, to wherever they point.
func (c *Client) roundTrip(req *http.Request, in call, way *trace) (statusCode int, _ error) {
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return 0, c.failed(in, way.outcome(), 0, causeIn(req.Context(), err))
	}
	defer func() { _ = resp.Body.Close() }()

	if !succeeded(resp.StatusCode) {
		return resp.StatusCode, c.answeredError(in, resp)
	}
	if in.parse == nil {
		return resp.StatusCode, nil
	}
	body, err := readLimited(resp.Body, in.limit, resp.ContentLength)
	if errors.Is(err, errTooLong) {
		return resp.StatusCode, c.failed(in, Unknown, resp.StatusCode, answered(resp.StatusCode)+", but "+err.Error())
	}
	if err != nil {
		return resp.StatusCode, c.failed(in, Unknown, resp.StatusCode, causeIn(req.Context(), err))
	}
	if err := in.parse(body); err != nil {
		return resp.StatusCode, c.failed(in, Unknown, resp.StatusCode, answered(resp.StatusCode)+", but "+err.Error())
	}
	return resp.StatusCode, nil
}

func (c *Client) newRequest(ctx context.Context, in call) (*http.Request, error) {
	target := c.base.JoinPath(append([]string{"v1", "organization", "webhook"}, in.path...)...)
	target.RawQuery = in.query.Encode()
	req, err := http.NewRequestWithContext(ctx, in.method, target.String(), nil)
	if err != nil {
		return nil, err
	}
	if in.body != nil {
		req.Header.Set("Content-Type", "application/json")
		req.ContentLength = int64(len(in.body))
		req.Body = io.NopCloser(bytes.NewReader(in.body))
	}
	noReplay(req)
	req.Header.Set("Accept", "application/json")
	// Named, so that no transport unpacks an answer behind our back: the limit is one of bytes on the wire, too.
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("User-Agent", c.userAgent)
	req.Header.Set("x-api-key", c.apiKey.Reveal())
	return req, nil
}

// noReplay keeps Go's transport from sending a POST or PATCH a second time by itself, which it does, when a reused
// connection dies, to a request whose body it can get again and that is idempotent by its method (GET, HEAD, OPTIONS,
// TRACE) or by the header Idempotency-Key. So no such header is set, and the body cannot be had again. What is left:
// GETs, and calls without a body (redefine-signature, DELETE) of which not a byte was written. A transport
// that speaks HTTP/2 re-sends the latter on a stream error also, which is harmless for DELETE alone (the second one
// finds nothing, 404); so ours speaks HTTP/1.1.
func noReplay(req *http.Request) {
	req.GetBody = nil
	req.Header.Del("Idempotency-Key")
	req.Header.Del("X-Idempotency-Key")
}

// trace reports whether a request can have left.
type trace struct {
	asked, connected atomic.Bool
}

// hooks note that a connection was asked for and handed over. Whether the header was written afterwards tells nothing
// more: a call that is cancelled may still be written a moment later.
func (t *trace) hooks() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { t.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { t.connected.Store(true) },
	}
}

// outcome of a call without an answer. A transport that calls no hooks proves nothing.
func (t *trace) outcome() Outcome {
	if t.asked.Load() && !t.connected.Load() {
		return NotApplied
	}
	return Unknown
}

// believedLength is the longest body for which room is made because a header says so.
const believedLength = 1 << 16

// readLimited reads all of a body that is no longer than limit. length is how long it is said to be, negative when
// nobody says.
func readLimited(body io.Reader, limit, length int64) ([]byte, error) {
	var data bytes.Buffer
	if length >= 0 {
		data.Grow(int(min(length, believedLength)) + bytes.MinRead)
	}
	if _, err := data.ReadFrom(io.LimitReader(body, limit+1)); err != nil {
		return nil, err
	}
	if int64(data.Len()) > limit {
		return nil, errTooLong
	}
	return data.Bytes(), nil
}
