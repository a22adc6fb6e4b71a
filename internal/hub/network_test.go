package hub_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

// rawHub lets serve speak on each connection as it likes, and closes it afterwards.
func rawHub(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer func() { _ = conn.Close() }()
				serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		all.Wait()
	})
	return "http://" + listener.Addr().String()
}

// readRequest reads one request with its body.
func readRequest(conn net.Conn) {
	if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
		_, _ = io.Copy(io.Discard, r.Body)
	}
}

func reset(conn net.Conn) { _ = conn.(*net.TCPConn).SetLinger(0) }

func TestA_call_whose_answer_does_not_come_is_unknown(t *testing.T) {
	const begin = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"id\":"
	for name, c := range map[string]struct {
		serve      func(net.Conn)
		cause      string
		statusCode int
	}{
		"closed before the request was read": {func(net.Conn) {}, "", 0},
		"closed after the request was read":  {readRequest, "the connection was closed before the answer", 0},
		"reset after the request was read":   {func(c net.Conn) { readRequest(c); reset(c) }, "connection reset", 0},
		"what is not HTTP":                   {func(c net.Conn) { readRequest(c); _, _ = io.WriteString(c, "canary\r\n\r\n") }, "the connection broke", 0},
		"cut off in the header":              {func(c net.Conn) { readRequest(c); _, _ = io.WriteString(c, begin[:30]) }, "", 0},
		"cut off in the body":                {func(c net.Conn) { readRequest(c); _, _ = io.WriteString(c, begin) }, "the answer was cut off", 200},
		"header without end": {func(c net.Conn) {
			readRequest(c)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			for err := error(nil); err == nil; {
				_, err = io.WriteString(c, "X-Canary: canary\r\n")
			}
		}, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newClient(t, rawHub(t, c.serve)).CreateWebhook(t.Context(), newWebhook())
			got := failure(t, err)
			if got.Outcome != hub.Unknown || got.Kind != hub.Unavailable || got.StatusCode != c.statusCode {
				t.Errorf("%#v", got)
			}
			if c.cause != "" && got.Cause != c.cause {
				t.Errorf("the cause is %q, want %q", got.Cause, c.cause)
			}
		})
	}
}

func TestA_call_that_takes_too_long_is_unknown(t *testing.T) {
	for name, begin := range map[string]string{
		"no answer": "", "half an answer": "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",
	} {
		t.Run(name, func(t *testing.T) {
			url := rawHub(t, func(c net.Conn) {
				readRequest(c)
				_, _ = io.WriteString(c, begin)
				_, _ = io.Copy(io.Discard, c) // until the client hangs up
			})
			client := newClient(t, url, func(c *hub.Config) { c.Timeout = 50 * time.Millisecond })
			_, err := client.RedefineSignature(t.Context(), id)
			got := failure(t, err)
			if got.Outcome != hub.Unknown || got.Cause != "timed out" || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%#v", got)
			}
		})
	}
}

func TestA_call_that_is_cancelled_on_its_way_is_unknown(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	client := newClient(t, rawHub(t, func(c net.Conn) {
		readRequest(c)
		cancel(errors.New("canary"))
		_, _ = io.Copy(io.Discard, c)
	}))
	err := client.DeleteWebhook(ctx, id)
	if got := failure(t, err); got.Outcome != hub.Unknown || got.Cause != "cancelled" || !errors.Is(err, context.Canceled) {
		t.Errorf("%#v", got)
	}
}

func TestA_call_that_is_cancelled_beforehand_is_not_applied(t *testing.T) {
	client := newClient(t, newHub(t, func(http.ResponseWriter, *http.Request) { t.Error("it was sent") }).URL)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, verb := range verbs(client) {
		if got := failure(t, verb(ctx)); got.Outcome != hub.NotApplied || got.Kind != hub.Unavailable || got.Cause != "cancelled" {
			t.Errorf("%s: %#v", name, got)
		}
	}
}
