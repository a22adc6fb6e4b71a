package campaign_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
	"github.com/chatt2me/webhook-operator/internal/signing"
)

const (
	// callTime is how long a call takes that ends by a timeout, and lateTime after how long one that was given up is
	// carried out all the same: less than settleTime.
	callTime = 2 * time.Second
	lateTime = 4 * time.Second
	// retryAfter is the pause that the Hub asks for.
	retryAfter = 7 * time.Second
)

// endpoint answers the handshake, as a receiver does.
type endpoint struct{}

func (endpoint) Post(_ context.Context, call simulator.EndpointCall) (simulator.EndpointAnswer, error) {
	return simulator.EndpointAnswer{
		StatusCode: http.StatusOK, ContentType: "text/plain",
		Body: []byte(call.Header.Get(signing.ValidationTokenHeader)),
	}, nil
}

// RoundTrip is the way of the operator to the Hub.
func (g *gate) RoundTrip(r *http.Request) (*http.Response, error) {
	if g.dead {
		return nil, errDead
	}
	w := g.world
	request, err := reread(r)
	if err != nil {
		return nil, err
	}
	of := hubRead
	switch r.Method {
	case http.MethodGet:
	case http.MethodDelete:
		of = hubDelete
	default:
		of = hubWrite
	}
	path := strings.TrimPrefix(r.URL.Path, "/v1/organization/webhook")
	e, is := g.pass(r.Method+" webhook"+suffix(path), path, of)
	if is != killBefore {
		w.checkHubCall(request)
	}
	answer, err := g.hubOutcome(r, request, is)
	if err != nil {
		e.result = err.Error()
	} else {
		e.result = answer.Status
	}
	w.called(request, is, answer)
	w.check()
	return answer, err
}

// suffix tells apart what is done to one webhook.
func suffix(path string) string {
	if strings.HasSuffix(path, "redefine-signature") {
		return " redefine"
	}
	return ""
}

// reread makes a request to the Hub that can be carried out later.
func reread(r *http.Request) (func() *http.Request, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		if err := r.Body.Close(); err != nil {
			return nil, err
		}
	}
	return func() *http.Request {
		again := r.Clone(context.Background())
		again.RequestURI, again.Body = r.URL.RequestURI(), io.NopCloser(bytes.NewReader(body))
		return again
	}, nil
}

// hubOutcome carries a call to the Hub out as an action says.
func (g *gate) hubOutcome(r *http.Request, request func() *http.Request, is action) (*http.Response, error) {
	w := g.world
	carryOut := func() *httptest.ResponseRecorder {
		recorder := httptest.NewRecorder()
		w.handler.ServeHTTP(recorder, request())
		return recorder
	}
	switch is {
	case pass:
		return carryOut().Result(), nil
	case killBefore:
		return nil, errDead
	case killAfter:
		carryOut()
		return nil, errDead
	case killLate, late:
		w.clock.after(lateTime, func() {
			carryOut()
			w.check()
		})
		if is == killLate {
			return nil, errDead
		}
		w.clock.pass(callTime)
		return nil, context.DeadlineExceeded
	case lost:
		carryOut()
		return nil, io.ErrUnexpectedEOF
	case dropped:
		return nil, io.ErrUnexpectedEOF
	case notSent:
		httptrace.ContextClientTrace(r.Context()).GetConn("hub")
		return nil, errors.New("connection refused")
	case timeout:
		w.clock.pass(callTime)
		return nil, context.DeadlineExceeded
	case errorAfter:
		carryOut()
		return answered(http.StatusInternalServerError, nil, ""), nil
	case html:
		return answered(carryOut().Code, nil, "<html>"), nil
	case truncated:
		got := carryOut().Result()
		got.Body = io.NopCloser(io.MultiReader(io.LimitReader(got.Body, 20), broken{}))
		return got, nil
	default:
		return refused(is)
	}
}

// refused is the answer of a Hub that carries nothing out.
func refused(is action) (*http.Response, error) {
	switch is {
	case throttled:
		header := http.Header{"Retry-After": {fmt.Sprint(retryAfter.Seconds())}}
		return answered(http.StatusTooManyRequests, header, "{}"), nil
	case unauthorized:
		return answered(http.StatusUnauthorized, nil, "{}"), nil
	case forbidden:
		return answered(http.StatusForbidden, nil, "{}"), nil
	case notFound:
		return answered(http.StatusNotFound, nil, "{}"), nil
	case errorBefore:
		return answered(http.StatusServiceUnavailable, nil, "{}"), nil
	default:
		return nil, fmt.Errorf("%s is nothing that becomes of a call to the Hub", is)
	}
}

func answered(status int, header http.Header, body string) *http.Response {
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{
		Status: fmt.Sprint(status), StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)),
	}
}

// broken is the end of a connection in the middle of an answer.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
