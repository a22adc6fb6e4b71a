package receiver

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chatt2me/webhook-operator/internal/signing"
)

// FuzzDelivery: whatever a stranger posts, only what is signed is accepted, a token is repeated and nothing else, and
// what is told of a call is one line without a secret.
func FuzzDelivery(f *testing.F) {
	body := `{"id":"1","type":"Message"}`
	for _, signature := range []string{
		"", signing.Sign(current, noon, []byte(body)), signing.Sign(previous, noon, []byte(body)),
		signing.Sign("guessed", noon, []byte(body)), signing.Sign(current, noon.Add(-time.Hour), []byte(body)), "t=1,v1=",
	} {
		f.Add("POST", body, signature, "")
	}
	f.Add("POST", "", "", "token")
	f.Add("POST", "", "", "<script>\x00\r\n")
	f.Add("GET", body, signing.Sign(current, noon, []byte(body)), "")
	f.Add("POST", "[1", signing.Sign(current, noon, []byte("[1")), "")
	f.Add("POST", strings.Repeat("[", 10_000), "", "")
	secrets, out := f.TempDir(), &bytes.Buffer{}
	for name, value := range map[string]string{"secret": current, "previousSecret": previous} {
		if err := os.WriteFile(filepath.Join(secrets, name), []byte(value), 0o600); err != nil {
			f.Fatal(err)
		}
	}
	r, err := New(Options{SigningSecretDir: secrets, Out: out, Now: func() time.Time { return noon }})
	if err != nil {
		f.Fatal(err)
	}
	handler := r.Handler()
	f.Fuzz(func(t *testing.T, method, body, signature, token string) {
		out.Reset()
		before := r.Stats()
		request := httptest.NewRequest(http.MethodPost, DefaultPath, strings.NewReader(body))
		request.Method = method
		request.Header[http.CanonicalHeaderKey(signing.SignatureHeader)] = []string{signature}
		request.Header[http.CanonicalHeaderKey(signing.ValidationTokenHeader)] = []string{token}
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		after := r.Stats()

		good := signing.Verify(signature, []byte(body), noon, signing.DefaultTolerance, current, previous) == nil
		if after.Accepted > before.Accepted && (!good || method != http.MethodPost || token != "") {
			t.Errorf("accepted %s %q, signed %q", method, body, signature)
		}
		if answer.Code == http.StatusOK && token != "" && answer.Body.String() != token {
			t.Errorf("the token %q was answered by %q", token, answer.Body)
		}
		if answer.Code == http.StatusOK && after.Accepted+after.Handshakes == before.Accepted+before.Handshakes {
			t.Errorf("%s %q was answered 200 and is neither a delivery nor a handshake", method, body)
		}
		told := strings.TrimSuffix(out.String(), "\n")
		if strings.Contains(told, "\n") || strings.Contains(told, current) && !strings.Contains(body, current) {
			t.Errorf("was told as %q", told)
		}
	})
}
