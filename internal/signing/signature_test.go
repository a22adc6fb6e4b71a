package signing

import (
	"errors"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 2, 9, 12, 0, 0, 0, time.UTC)

func TestSignGivesTheDocumentedHeader(t *testing.T) {
	// Made with: printf '1770638400.{"a":1}' | openssl dgst -sha256 -hmac s3cret
	const want = "t=1770638400,v1=f0fbbb74ba35ad8f486eef9da15f7f18ca122f6d7579f117da20a4af054b3515"
	if got := Sign("s3cret", noon.Add(999*time.Millisecond), []byte(`{"a":1}`)); got != want {
		t.Errorf("Sign gave %q, want %q", got, want)
	}
}

func TestVerify(t *testing.T) {
	body := []byte(`{"eventType":"Message"}`)
	good := Sign("current", noon, body)
	stamp, v1, _ := strings.Cut(good, ",")
	tests := []struct {
		name    string
		header  string
		body    string
		now     time.Time
		secrets []string
		want    error
	}{
		{name: "accepts the current secret", header: good},
		{name: "accepts the previous secret", header: good, secrets: []string{"next", "current"}},
		{name: "passes over an empty secret", header: good, secrets: []string{"", "current"}},
		{name: "accepts a part it does not know", header: good + ",v2=abc"},
		{name: "accepts the parts in any order and with blanks", header: v1 + ", " + stamp},
		{name: "accepts 300 s of age", header: good, now: noon.Add(300 * time.Second)},
		{name: "accepts 300 s ahead", header: good, now: noon.Add(-300 * time.Second)},
		{name: "refuses 301 s of age", header: good, now: noon.Add(301 * time.Second), want: ErrExpired},
		{name: "refuses 301 s ahead", header: good, now: noon.Add(-301 * time.Second), want: ErrExpired},
		{name: "refuses a time beyond any clock", header: "t=9223372036854775807," + v1, want: ErrExpired},
		{name: "refuses another body", header: good, body: `{"eventType":"message"}`, want: ErrMismatch},
		{name: "refuses another secret", header: good, secrets: []string{"other"}, want: ErrMismatch},
		{name: "refuses when no secret is known", header: good, secrets: []string{""}, want: ErrNoSecret},
		{name: "does not take the empty secret for a key", header: Sign("", noon, body), secrets: []string{"", ""}, want: ErrNoSecret},
		{name: "refuses another time with the same signature", header: "t=1770638401," + v1, want: ErrMismatch},
		{name: "refuses an absent header", header: "", want: ErrMissing},
		{name: "refuses words", header: "hello", want: ErrMalformed},
		{name: "refuses a header without a time", header: v1, want: ErrMalformed},
		{name: "refuses a header without a signature", header: stamp, want: ErrMalformed},
		{name: "refuses two times", header: stamp + "," + good, want: ErrMalformed},
		{name: "refuses two signatures", header: good + "," + v1, want: ErrMalformed},
		{name: "refuses a time with a sign", header: "t=+1770638400," + v1, want: ErrMalformed},
		{name: "refuses a time with a leading zero", header: "t=01770638400," + v1, want: ErrMalformed},
		{name: "refuses a time that is no number", header: "t=noon," + v1, want: ErrMalformed},
		{name: "refuses upper-case hex", header: stamp + ",v1=" + strings.ToUpper(v1[3:]), want: ErrMalformed},
		{name: "refuses a short signature", header: good[:len(good)-2], want: ErrMalformed},
		{name: "refuses what is not hex", header: good[:len(good)-1] + "x", want: ErrMalformed},
		{name: "refuses a header of great length", header: good + "," + strings.Repeat("v2=a,", 100) + "v3=a", want: ErrMalformed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.secrets == nil {
				test.secrets = []string{"current"}
			}
			if test.now.IsZero() {
				test.now = noon
			}
			sent := body
			if test.body != "" {
				sent = []byte(test.body)
			}
			if err := Verify(test.header, sent, test.now, DefaultTolerance, test.secrets...); !errors.Is(err, test.want) {
				t.Errorf("Verify(%q) gave %v, want %v", test.header, err, test.want)
			}
		})
	}
}

func FuzzVerify(f *testing.F) {
	f.Add(Sign("s", noon, []byte("{}")), []byte("{}"))
	f.Add("t=1770638400,v1=", []byte(""))
	f.Add("t=,v1=,t=", []byte("x"))
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		if Verify(header, body, noon, DefaultTolerance, "unknown to the fuzzer, 6f1c") == nil {
			t.Errorf("header %q was accepted without knowledge of the secret", header)
		}
		signed := Sign("s", noon, body)
		if err := Verify(signed, body, noon, DefaultTolerance, "s"); err != nil {
			t.Errorf("own signature %q was refused: %v", signed, err)
		}
		if header != signed && Verify(header, body, noon, DefaultTolerance, "s") == nil &&
			!strings.Contains(header, signed[len("t=1770638400,v1="):]) {
			t.Errorf("header %q was accepted without the signature in it", header)
		}
	})
}
