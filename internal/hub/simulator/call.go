package simulator

import (
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
)

// maxRequestBody bounds what a client may send.
const maxRequestBody = 1 << 20

// call is one request to the Hub's API, read whole, so that it can be carried out later too.
type call struct {
	operation   operation
	apiKey      string
	application Application
	keyName     string
	webhookID   string
	logID       string
	query       url.Values
	contentType string
	body        []byte
	tooLarge    bool
	header      http.Header
	entry       *Request
}

func (s *Simulator) serve(w http.ResponseWriter, r *http.Request, op operation) {
	c := s.read(w, r, op)
	defer func() { s.report(c.entry) }()
	s.wait(r, s.currentLatency())
	if fault, ok := s.faults.take(c); ok {
		s.requests.update(c.entry, func(e *Request) { e.Fault = fault.Kind })
		s.play(w, r, c, fault)
		return
	}
	s.answer(w, c, s.execute(c))
}

func (s *Simulator) read(w http.ResponseWriter, r *http.Request, op operation) *call {
	received := s.now().UTC()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBody))
	c := &call{
		operation: op, apiKey: r.Header.Get("x-api-key"), webhookID: r.PathValue("webhookId"),
		logID: r.PathValue("webhookLogId"), query: r.URL.Query(), header: r.Header.Clone(), body: body,
		tooLarge: err != nil,
	}
	c.contentType, _, _ = mime.ParseMediaType(r.Header.Get("Content-Type"))
	c.application, c.keyName, _ = s.Identify(c.apiKey)
	c.entry = s.requests.add(Request{
		ReceivedAt: received, Operation: op.id, Method: r.Method, Path: r.URL.Path, RawQuery: r.URL.RawQuery,
		Application: c.application.Name, Key: c.keyName, WebhookID: c.webhookID, UserAgent: r.UserAgent(),
		Body: redact(body),
	})
	return c
}

// execute carries a call out as the Hub would without a fault.
func (s *Simulator) execute(c *call) answer {
	v := s.Variants()
	// The key is looked at again: a call that was held back may meet a revoked one.
	owner, _, known := s.Identify(c.apiKey)
	c.application = owner
	switch {
	case c.operation.run == nil:
		return c.operation.refused
	case !known:
		return failure(v, http.StatusUnauthorized)
	case !s.throttle.allow(c.apiKey, s.now()):
		return tooMany(v, "1")
	case c.tooLarge:
		return failure(v, http.StatusRequestEntityTooLarge)
	case c.operation.hasBody && c.contentType != "application/json":
		return failure(v, http.StatusUnsupportedMediaType)
	}
	a, err := c.operation.run(s, v, c)
	if err != nil {
		return refusalAnswer(v, err)
	}
	if c.operation.mutates() {
		now := s.now().UTC()
		s.requests.update(c.entry, func(e *Request) {
			e.Committed, e.CommittedAt, e.WebhookID = true, now, c.webhookID
		})
	}
	return a
}

// report logs one line for a request; the path and query of this API hold no secret.
func (s *Simulator) report(entry *Request) {
	e := s.requests.read(entry)
	s.logger.LogAttrs(s.ctx, slog.LevelInfo, "Request",
		slog.String("method", e.Method), slog.String("path", e.Path), slog.String("operation", e.Operation),
		slog.String("application", e.Application), slog.String("webhook", e.WebhookID), slog.Int("status", e.Status),
		slog.Bool("committed", e.Committed), slog.String("fault", string(e.Fault)))
}
