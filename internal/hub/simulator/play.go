package simulator

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

const defaultHugeSize = 64 << 20

func durationOf(d Duration) time.Duration { return time.Duration(d) }

// play answers a call as the fault says, or not at all.
func (s *Simulator) play(w http.ResponseWriter, r *http.Request, c *call, f Fault) {
	switch f.Kind {
	case LateCommit, Slow, SlowBytes: // these have a Delay of their own
	default:
		s.wait(r, durationOf(f.Delay))
	}
	switch f.Kind {
	case DropBeforeCommit:
		s.drop(r, f)
	case DropAfterCommit:
		s.execute(c)
		s.drop(r, f)
	case LateCommit:
		s.postpone(c, durationOf(f.Delay))
		s.drop(r, f)
	case Slow, SlowBytes, Truncated, InvalidJSON, EmptyBody, Huge, ErrorAfterCommit:
		s.spoil(w, r, c, f, s.execute(c))
	default:
		s.answer(w, c, s.unanswered(c, f))
	}
}

// unanswered is the answer of a fault that carries nothing out.
func (s *Simulator) unanswered(c *call, f Fault) answer {
	v := s.Variants()
	switch f.Kind {
	case TooManyRequests:
		if f.RetryAfterDate != 0 {
			return tooMany(v, s.dateIn(f.RetryAfterDate))
		}
		return tooMany(v, f.RetryAfter)
	case BadGateway:
		return htmlPage(cmp.Or(f.Status, http.StatusBadGateway))
	case Redirect:
		return answer{
			status: cmp.Or(f.Status, http.StatusTemporaryRedirect), header: http.Header{"Location": {f.Location}},
			offContract: "redirect",
		}
	case Refused:
		return failure(v, cmp.Or(f.Status, http.StatusUnauthorized))
	case Echo:
		text := fmt.Sprintf("bad request: x-api-key %s, headers %v, body %s", c.apiKey, c.header, c.body)
		return refusalAnswer(v, invalid(text))
	default:
		return failure(v, cmp.Or(f.Status, http.StatusInternalServerError))
	}
}

func failure(v Variants, status int) answer {
	return refusalAnswer(v, &RefusalError{Status: status, Messages: []string{http.StatusText(status)}})
}

// spoil writes the answer to a call that was carried out, in the way the fault says.
func (s *Simulator) spoil(w http.ResponseWriter, r *http.Request, c *call, f Fault, a answer) {
	switch f.Kind {
	case Slow:
		s.wait(r, durationOf(f.Delay))
	case SlowBytes:
		s.trickle(w, r, c, f, a)
		return
	case Truncated:
		s.truncate(w, c, a)
	case InvalidJSON:
		a = answer{status: a.status, raw: []byte(`{"id": "a1b2`), offContract: "invalid JSON"}
	case EmptyBody:
		a = answer{status: a.status, offContract: "no body"}
	case Huge:
		s.flood(w, c, f, a)
		return
	case ErrorAfterCommit:
		a = failure(s.Variants(), cmp.Or(f.Status, http.StatusInternalServerError))
	default:
	}
	s.answer(w, c, a)
}

// drop closes the connection without an answer; over HTTP/2 it resets the stream.
func (s *Simulator) drop(r *http.Request, f Fault) {
	if f.Hold {
		s.hold(r)
	}
	panic(http.ErrAbortHandler)
}

// truncate promises the whole answer, sends half of it and closes the connection.
func (s *Simulator) truncate(w http.ResponseWriter, c *call, a answer) {
	a.offContract = "truncated"
	s.prepare(w, c, a)
	whole := a.bytes()
	w.Header().Set("Content-Length", strconv.Itoa(len(whole)))
	w.WriteHeader(a.status)
	_, _ = w.Write(whole[:len(whole)/2])
	_ = http.NewResponseController(w).Flush() // a writer that cannot flush sends less, which is the point
	panic(http.ErrAbortHandler)
}

func (s *Simulator) trickle(w http.ResponseWriter, r *http.Request, c *call, f Fault, a answer) {
	s.prepare(w, c, a)
	w.WriteHeader(a.status)
	for _, b := range a.bytes() {
		if _, err := w.Write([]byte{b}); err != nil || r.Context().Err() != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
		s.wait(r, cmp.Or(durationOf(f.Delay), 10*time.Millisecond))
	}
}

// flood writes JSON without end, or nearly so.
func (s *Simulator) flood(w http.ResponseWriter, c *call, f Fault, a answer) {
	a.offContract, a.body, a.raw = "huge body", map[string]any{}, nil
	s.prepare(w, c, a)
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, `{"message":"`)
	chunk := bytes.Repeat([]byte("A"), 32<<10)
	for left := cmp.Or(f.Size, defaultHugeSize); left > 0; left -= int64(len(chunk)) {
		if _, err := w.Write(chunk[:min(left, int64(len(chunk)))]); err != nil {
			return
		}
	}
	_, _ = io.WriteString(w, `"}`)
}
