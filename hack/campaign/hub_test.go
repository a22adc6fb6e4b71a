package campaign_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
	"github.com/chatt2me/webhook-operator/internal/signing"
)

const (
	// callTime is how long a call takes that ends by a timeout, lateTime after how long one that was given up is
	// carried out all the same, less than settleTime, and tooLateTime when it is more than anybody counts with.
	callTime    = 2 * time.Second
	lateTime    = 4 * time.Second
	tooLateTime = 4 * settleTime
	// retryAfter is the pause that the Hub asks for.
	retryAfter = 7 * time.Second
	// webhooksPath is where the API of the Hub is.
	webhooksPath = "/v1/organization/webhook"
)

// endpoint answers the handshake, as a receiver does, unless that is down.
type endpoint struct{ *world }

func (e endpoint) Post(_ context.Context, call simulator.EndpointCall) (simulator.EndpointAnswer, error) {
	if e.endpointDown {
		return simulator.EndpointAnswer{StatusCode: http.StatusServiceUnavailable}, nil
	}
	return simulator.EndpointAnswer{
		StatusCode: http.StatusOK, ContentType: "text/plain",
		Body: []byte(call.Header.Get(signing.ValidationTokenHeader)),
	}, nil
}

// hubCall is a call to the Hub that can be carried out later.
type hubCall struct {
	world *world
	*http.Request
	body []byte
	// of is the resource that is worked on, empty for a listing; id is the webhook that the call is about.
	of types.UID
	id string
}

// redefines reports whether the call asks for a new signing secret, registers whether for a webhook.
func (c *hubCall) redefines() bool { return strings.HasSuffix(c.URL.Path, "redefine-signature") }
func (c *hubCall) registers() bool { return c.Method == http.MethodPost && !c.redefines() }
func (c *hubCall) mutates() bool   { return c.Method != http.MethodGet }

func (c *hubCall) lists() bool { return c.Method == http.MethodGet && c.id == "" }

func (c *hubCall) String() string {
	what := c.Method + " webhook"
	if c.redefines() {
		what += " redefine"
	}
	return what
}

// transport is the way of one life of the operator to the Hub.
type transport struct{ *incarnation }

// RoundTrip makes a call, of which becomes what the gate says.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	w, g := t.world, t.world.gate
	if err := t.ended(); err != nil {
		return nil, err
	}
	call := &hubCall{world: w, Request: r, of: t.uid}
	call.id, _, _ = strings.Cut(strings.Trim(strings.TrimPrefix(r.URL.Path, webhooksPath), "/"), "/")
	if r.Body != nil {
		var err error
		if call.body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		if err := r.Body.Close(); err != nil {
			return nil, err
		}
	}
	of := hubRead
	switch {
	case r.Method == http.MethodDelete:
		of = hubDelete
	case call.mutates():
		of = hubWrite
	}
	e, is := g.pass(call.String(), call.id, of)
	if is != killBefore && is != coma {
		w.checkHubCall(t.incarnation, call)
	}
	answer, err := g.hubOutcome(call, is)
	if err == nil && is.isOneOf(pass, asleep) {
		t.sees(answer)
	}
	if e.result = "no answer"; err != nil {
		e.result = err.Error()
	} else {
		e.result = answer.Status
	}
	w.called(t.incarnation, call, is, answer)
	g.goOn(call.String())
	w.check()
	return answer, err
}

// sees records what an answer shows of webhooks.
func (in *incarnation) sees(answer *http.Response) {
	body, err := io.ReadAll(answer.Body)
	in.world.must(err)
	answer.Body = io.NopCloser(bytes.NewReader(body))
	type webhook struct {
		ID         string `json:"id"`
		IsVerified *bool  `json:"isVerified"`
	}
	var shows struct {
		webhook
		Data []webhook `json:"data"`
	}
	if answer.StatusCode != http.StatusOK || json.Unmarshal(body, &shows) != nil && json.Unmarshal(body, &shows.Data) != nil {
		return
	}
	for _, h := range append(shows.Data, shows.webhook) {
		if h.IsVerified != nil {
			in.shown[h.ID] = *h.IsVerified
		}
	}
}

// carryOut has the Hub carry the call out.
func (c *hubCall) carryOut() *httptest.ResponseRecorder {
	again := c.Clone(context.Background())
	again.RequestURI, again.Body = c.URL.RequestURI(), io.NopCloser(bytes.NewReader(c.body))
	recorder := httptest.NewRecorder()
	if is, refused := c.world.refuses[c.String()]; refused {
		recorder.WriteHeader(refusals[is])
		_, err := recorder.WriteString(c.echo())
		c.world.must(err)
		return recorder
	}
	c.world.watch.maker = c.of
	c.world.handler.ServeHTTP(recorder, again)
	c.world.watch.maker = ""
	return recorder
}

// carryOutIn has the Hub carry the call out after a while.
func (c *hubCall) carryOutIn(d time.Duration) {
	c.world.clock.after(d, func() {
		c.carryOut()
		c.world.check()
	})
}

// hubOutcome carries a call to the Hub out as an action says.
func (g *gate) hubOutcome(c *hubCall, is action) (*http.Response, error) {
	switch is {
	case pass, asleep:
		return c.carryOut().Result(), nil
	case killBefore:
		return nil, errDead
	case killAfter:
		c.carryOut()
		return nil, errDead
	case killLate:
		c.carryOutIn(lateTime)
		return nil, errDead
	case coma:
		g.acting.expired = true
		return nil, context.DeadlineExceeded
	case late, tooLate:
		c.carryOutIn(map[action]time.Duration{late: lateTime, tooLate: tooLateTime}[is])
		g.world.clock.pass(callTime)
		return nil, context.DeadlineExceeded
	case lost:
		c.carryOut()
		return nil, io.ErrUnexpectedEOF
	case dropped:
		return nil, io.ErrUnexpectedEOF
	case notSent:
		httptrace.ContextClientTrace(c.Context()).GetConn("hub")
		return nil, errors.New("connection refused")
	case timeout:
		g.world.clock.pass(callTime)
		return nil, context.DeadlineExceeded
	default:
		return c.answered(is)
	}
}

// refusals are the answers of the Hub to what it does not carry out, or may not have carried out.
var refusals = map[action]int{
	throttled: http.StatusTooManyRequests, busy: http.StatusTooManyRequests, conflict: http.StatusConflict,
	invalid: http.StatusUnprocessableEntity, badRequest: http.StatusBadRequest, unauthorized: http.StatusUnauthorized,
	forbidden: http.StatusForbidden, notFound: http.StatusNotFound, tooSlow: http.StatusRequestTimeout,
	errorBefore: http.StatusServiceUnavailable,
}

// echo is a message of the Hub that repeats all that it was sent, as some do.
func (c *hubCall) echo() string {
	body, err := json.Marshal(map[string]string{
		"message": "refused: " + string(c.body) + " with the key " + c.Header.Get("x-api-key"),
	})
	c.world.must(err)
	return string(body)
}

// answered is what the Hub, or something in front of it, answers when something goes wrong.
func (c *hubCall) answered(is action) (*http.Response, error) {
	if status, ok := refusals[is]; ok {
		refusal := answer(status, c.echo())
		if is == throttled {
			refusal.Header.Set("Retry-After", fmt.Sprint(retryAfter.Seconds()))
		}
		if is == busy {
			until := c.world.clock.now.Add(retryAfter + time.Second) // a date has no parts of a second
			refusal.Header.Set("Retry-After", until.UTC().Format(http.TimeFormat))
		}
		return refusal, nil
	}
	switch is {
	case errorAfter:
		c.carryOut()
		return answer(http.StatusInternalServerError, ""), nil
	case html:
		return answer(c.carryOut().Code, "<html>"), nil
	case truncated:
		got := c.carryOut().Result()
		got.Body = io.NopCloser(io.MultiReader(io.LimitReader(got.Body, 20), broken{}))
		return got, nil
	default:
		return nil, fmt.Errorf("%s is nothing that becomes of a call to the Hub", is)
	}
}

func answer(status int, body string) *http.Response {
	return &http.Response{
		Status: fmt.Sprint(status), StatusCode: status, Header: http.Header{},
		Body: io.NopCloser(strings.NewReader(body)),
	}
}

// broken is the end of a connection in the middle of an answer.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
