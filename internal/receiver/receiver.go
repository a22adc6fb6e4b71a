// Package receiver is the reference endpoint: it answers the Hub's handshake and checks the signature of deliveries.
package receiver

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/chatt2me/webhook-operator/internal/signing"
)

const (
	// DefaultPath is where deliveries are received.
	DefaultPath = "/webhooks/chatt2me"
	// TextHandshake answers a handshake with the bare token.
	TextHandshake = "text/plain"
	// JSONHandshake answers a handshake with the token as a JSON string.
	JSONHandshake = "application/json"

	maxBody  = 1 << 20
	maxToken = 1 << 10
	maxShown = 256
)

// Options are how a Receiver behaves. The zero value accepts unsigned deliveries at DefaultPath and tells nobody.
type Options struct {
	Path string
	// SigningSecretDir holds the files secret and previousSecret, as a mounted Secret does. They are read for every
	// delivery. Empty accepts unsigned deliveries.
	SigningSecretDir string
	// HandshakeContentType is TextHandshake or JSONHandshake; empty means TextHandshake.
	HandshakeContentType string
	// RequiredHeaders is, by header name, the file that holds the value which every call must carry.
	RequiredHeaders map[string]string
	// Now is the clock that signatures are held against.
	Now func() time.Time
	// Out gets one line of JSON for each delivery and handshake.
	Out io.Writer
}

// Receiver is the endpoint.
type Receiver struct {
	path            string
	secrets         *secretDirectory // nil: unsigned deliveries are accepted
	handshakeType   string
	requiredHeaders map[string]string
	now             func() time.Time

	mu    sync.Mutex // guards what follows, so that lines never mix
	out   io.Writer
	stats Stats
}

// Stats counts calls since the start.
type Stats struct {
	Accepted   int            `json:"accepted"`
	Refused    map[string]int `json:"refused"` // by Reason
	Handshakes int            `json:"handshakes"`
}

// New makes a Receiver. The error says which option is wrong.
func New(o Options) (*Receiver, error) {
	r := &Receiver{
		path: cmp.Or(o.Path, DefaultPath), handshakeType: cmp.Or(o.HandshakeContentType, TextHandshake),
		requiredHeaders: o.RequiredHeaders, now: o.Now, out: o.Out, stats: Stats{Refused: map[string]int{}},
	}
	if r.handshakeType != TextHandshake && r.handshakeType != JSONHandshake {
		return nil, fmt.Errorf("handshake content type %q is neither %s nor %s",
			r.handshakeType, TextHandshake, JSONHandshake)
	}
	if r.path[0] != '/' || r.path == "/healthz" || r.path == "/stats" {
		return nil, fmt.Errorf("path %q must begin with a slash and be neither /healthz nor /stats", r.path)
	}
	if o.SigningSecretDir != "" {
		r.secrets = &secretDirectory{path: o.SigningSecretDir}
	}
	if r.now == nil {
		r.now = time.Now //nolint:forbidigo // the clock of whoever hands none in
	}
	if r.out == nil {
		r.out = io.Discard
	}
	return r, nil
}

// Handler serves the endpoint, GET /healthz and GET /stats.
func (r *Receiver) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(r.Stats())
	})
	// Not a pattern: a path given by a user may hold what ServeMux takes for one.
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if request.URL.Path == r.path {
			r.receive(w, request)
			return
		}
		mux.ServeHTTP(w, request)
	})
}

// Stats is a copy of the counters.
func (r *Receiver) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	stats := r.stats
	stats.Refused = map[string]int{}
	maps.Copy(stats.Refused, r.stats.Refused)
	return stats
}

// receive answers a handshake or a delivery.
func (r *Receiver) receive(w http.ResponseWriter, request *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if request.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		r.refuse(w, WrongMethod, event{})
		return
	}
	if !r.carriesRequiredHeaders(request.Header) {
		r.refuse(w, WrongHeader, event{})
		return
	}
	if token := request.Header.Get(signing.ValidationTokenHeader); token != "" {
		r.shakeHands(w, token)
		return
	}
	r.deliver(w, request)
}

// shakeHands repeats the token: that is how the Hub learns that the endpoint wants its events.
func (r *Receiver) shakeHands(w http.ResponseWriter, token string) {
	if len(token) > maxToken {
		r.refuse(w, TooLarge, event{})
		return
	}
	body := []byte(token)
	if r.handshakeType == JSONHandshake {
		body = quote(token)
	}
	w.Header().Set("Content-Type", r.handshakeType)
	r.record(line{Result: "handshake"}, func(s *Stats) { s.Handshakes++ })

	_, _ = w.Write(body)
}

func quote(token string) []byte {
	quoted, err := json.Marshal(token)
	if err != nil {
		panic(err) // a string always marshals
	}
	return quoted
}

// deliver checks the signature over the bytes as they came, before anything looks into them.
func (r *Receiver) deliver(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, request.Body, maxBody))
	if err != nil {
		reason := Unreadable
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			reason = TooLarge
		}
		r.refuse(w, reason, event{})
		return
	}
	if reason := r.checkSignature(request.Header, body); reason != "" {
		r.refuse(w, reason, event{})
		return
	}
	e, readable := readEvent(body)
	if !readable {
		r.refuse(w, NotJSON, e)
		return
	}
	r.record(line{Result: "accepted", event: e}, func(s *Stats) { s.Accepted++ })
	w.WriteHeader(http.StatusOK)
}

func (r *Receiver) checkSignature(header http.Header, body []byte) Reason {
	if r.secrets == nil {
		return ""
	}
	values := header.Values(signing.SignatureHeader)
	if len(values) > 1 {
		return SignatureMalformed
	}
	current, previous, err := r.secrets.read()
	if err != nil {
		return NoSecret
	}
	signature := header.Get(signing.SignatureHeader)
	return reasonOf(signing.Verify(signature, body, r.now(), signing.DefaultTolerance, current, previous))
}
