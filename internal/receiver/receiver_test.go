package receiver

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chatt2me/webhook-operator/internal/signing"
)

const (
	current  = "canary-current-secret"
	previous = "canary-previous-secret"
	message  = `{"eventType":"Message","messageId":"m1","from":"someone"}`
)

var noon = time.Date(2026, 2, 9, 12, 0, 0, 0, time.UTC)

type endpoint struct {
	*Receiver
	t       *testing.T
	out     *bytes.Buffer
	secrets string
}

// newSigned is an endpoint that knows a current and a previous secret, at noon.
func newSigned(t *testing.T, o Options) *endpoint {
	t.Helper()
	e := &endpoint{t: t, out: &bytes.Buffer{}, secrets: t.TempDir()}
	o.SigningSecretDir, o.Out, o.Now = e.secrets, e.out, func() time.Time { return noon }
	e.store(current, previous)
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	e.Receiver = r
	return e
}

// store swaps the secrets as Kubernetes does: a new directory, and one rename of the link ..data.
func (e *endpoint) store(current, previous string) {
	e.t.Helper()
	directory, err := os.MkdirTemp(e.secrets, "..version")
	must(e.t, err)
	must(e.t, os.WriteFile(filepath.Join(directory, "secret"), []byte(current), 0o600))
	if previous != "" {
		must(e.t, os.WriteFile(filepath.Join(directory, "previousSecret"), []byte(previous), 0o600))
	}
	link := filepath.Join(e.secrets, "..new")
	must(e.t, os.Symlink(filepath.Base(directory), link))
	must(e.t, os.Rename(link, filepath.Join(e.secrets, "..data")))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (e *endpoint) post(body, signature string, headers ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodPost, DefaultPath, strings.NewReader(body))
	if signature != "" {
		request.Header.Set(signing.SignatureHeader, signature)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	answer := httptest.NewRecorder()
	e.Handler().ServeHTTP(answer, request)
	return answer
}

func TestDeliveries(t *testing.T) {
	sign := func(secret string, at time.Time) string { return signing.Sign(secret, at, []byte(message)) }
	tests := []struct {
		name, body, signature string
		status                int
		reason                Reason
	}{
		{"signed with the current secret", message, sign(current, noon), 200, ""},
		{"signed with the previous secret", message, sign(previous, noon), 200, ""},
		{"300 s old", message, sign(current, noon.Add(-300*time.Second)), 200, ""},
		{"301 s old", message, sign(current, noon.Add(-301*time.Second)), 401, SignatureExpired},
		{"signed with another secret", message, sign("other", noon), 401, SignatureMismatch},
		{"with one byte more", message + " ", sign(current, noon), 401, SignatureMismatch},
		{"unsigned", message, "", 401, SignatureMissing},
		{"with an odd signature", message, "t=1", 401, SignatureMalformed},
		{"signed and no JSON", "hello", signing.Sign(current, noon, []byte("hello")), 400, NotJSON},
		{"above 1 MiB", strings.Repeat(" ", maxBody+1), "", 413, TooLarge},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := newSigned(t, Options{})
			if got := e.post(test.body, test.signature); got.Code != test.status {
				t.Errorf("status %d, want %d", got.Code, test.status)
			}
			want := Stats{Refused: map[string]int{}}
			if test.reason == "" {
				want.Accepted = 1
			} else {
				want.Refused[string(test.reason)] = 1
			}
			if diff := cmp.Diff(want, e.Stats()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSecretsAreReadAgainAfterASwap(t *testing.T) {
	e := newSigned(t, Options{})
	accepts := func(secret string, want int) {
		t.Helper()
		if got := e.post(message, signing.Sign(secret, noon, []byte(message))).Code; got != want {
			t.Errorf("status %d, want %d", got, want)
		}
	}
	e.store("next", current)
	accepts("next", 200)
	accepts(current, 200)
	accepts(previous, 401)
	e.store("next", "")
	accepts(current, 401)
	must(t, os.Remove(filepath.Join(e.secrets, "..data")))
	accepts("next", 503)
	// Plain files do as well, with the newline that an editor puts at the end.
	must(t, os.WriteFile(filepath.Join(e.secrets, "secret"), []byte("plain\n"), 0o600))
	accepts("plain", 200)
	must(t, os.WriteFile(filepath.Join(e.secrets, "secret"), nil, 0o600))
	accepts("", 503)
}

func TestTwoSignatureHeadersAreRefused(t *testing.T) {
	e := newSigned(t, Options{})
	good := signing.Sign(current, noon, []byte(message))
	if got := e.post(message, good, signing.SignatureHeader, good); got.Code != http.StatusUnauthorized {
		t.Errorf("status %d, want 401", got.Code)
	}
}

func TestUnsignedDeliveriesAreAcceptedWithoutASecretDirectory(t *testing.T) {
	r, err := New(Options{})
	must(t, err)
	e := &endpoint{Receiver: r, t: t}
	if got := e.post(message, ""); got.Code != http.StatusOK {
		t.Errorf("status %d, want 200", got.Code)
	}
}

func TestTheHandshakeRepeatsTheToken(t *testing.T) {
	for contentType, want := range map[string]string{TextHandshake: `to"ken`, JSONHandshake: `"to\"ken"`} {
		e := newSigned(t, Options{HandshakeContentType: contentType})
		got := e.post("", "", signing.ValidationTokenHeader, `to"ken`)
		if got.Code != 200 || got.Body.String() != want || got.Header().Get("Content-Type") != contentType {
			t.Errorf("%s: %d %s %q", contentType, got.Code, got.Header().Get("Content-Type"), got.Body)
		}
		if e.Stats().Handshakes != 1 {
			t.Error("the handshake was not counted")
		}
		if got := e.post("", "", signing.ValidationTokenHeader, strings.Repeat("a", maxToken+1)); got.Code != 413 {
			t.Errorf("a token of great length was answered %d", got.Code)
		}
	}
}

func TestRequiredHeadersGuardHandshakesAndDeliveries(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	must(t, os.WriteFile(token, []byte("wanted\n"), 0o600))
	e := newSigned(t, Options{RequiredHeaders: map[string]string{"X-Token": token}})
	good := signing.Sign(current, noon, []byte(message))
	for _, test := range []struct {
		given string
		want  int
	}{{"wanted", 200}, {"other", 401}, {"", 401}} {
		if got := e.post(message, good, "X-Token", test.given).Code; got != test.want {
			t.Errorf("a delivery with %q got %d, want %d", test.given, got, test.want)
		}
		if got := e.post("", "", "X-Token", test.given, signing.ValidationTokenHeader, "t").Code; got != test.want {
			t.Errorf("a handshake with %q got %d, want %d", test.given, got, test.want)
		}
	}
	must(t, os.WriteFile(token, nil, 0o600))
	if got := e.post(message, good, "X-Token", "").Code; got != 401 {
		t.Errorf("an empty file let an empty header pass: %d", got)
	}
}

// TestEachCallIsToldInOneLineWithoutSecrets and, of a delivery that is not proved to be the Hub's, without its content.
func TestEachCallIsToldInOneLineWithoutSecrets(t *testing.T) {
	e := newSigned(t, Options{})
	e.post(message, signing.Sign(current, noon, []byte(message)))
	signature := signing.Sign("other", noon, []byte(message))
	e.post(message, signature)
	e.post("", "", signing.ValidationTokenHeader, "canary-token")
	want := `{"time":"2026-02-09T12:00:00Z","result":"accepted","eventType":"Message","messageId":"m1"}
{"time":"2026-02-09T12:00:00Z","result":"refused","reason":"SignatureMismatch"}
{"time":"2026-02-09T12:00:00Z","result":"handshake"}
`
	if diff := cmp.Diff(want, e.out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestHealthStatsAndOtherPaths(t *testing.T) {
	e := newSigned(t, Options{})
	e.post(message, "")
	get := func(path string) *httptest.ResponseRecorder {
		answer := httptest.NewRecorder()
		e.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
		return answer
	}
	if got := get("/healthz"); got.Code != 200 {
		t.Errorf("healthz is %d", got.Code)
	}
	var stats Stats
	if err := json.Unmarshal(get("/stats").Body.Bytes(), &stats); err != nil || stats.Refused["SignatureMissing"] != 1 {
		t.Errorf("stats are %v, %v", stats, err)
	}
	if got := get("/other"); got.Code != 404 {
		t.Errorf("another path is %d", got.Code)
	}
	if got := get(DefaultPath); got.Code != 405 || got.Header().Get("Allow") != "POST" {
		t.Errorf("GET of the endpoint is %d", got.Code)
	}
}

func TestABodyThatBreaksOffIsRefused(t *testing.T) {
	e := newSigned(t, Options{})
	request := httptest.NewRequest(http.MethodPost, DefaultPath, io.MultiReader(strings.NewReader("{"), broken{}))
	answer := httptest.NewRecorder()
	e.Handler().ServeHTTP(answer, request)
	if answer.Code != 400 || e.Stats().Refused[string(Unreadable)] != 1 {
		t.Errorf("status %d, %v", answer.Code, e.Stats())
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("connection lost") }

func TestWrongOptionsAreTold(t *testing.T) {
	for _, o := range []Options{{HandshakeContentType: "text/html"}, {Path: "hook"}, {Path: "/stats"}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}
