// Package signing holds what signs a delivery of the Hub: the header and the Secret with its keys.
package signing

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"
)

const (
	// SignatureHeader carries the signature of a delivery.
	SignatureHeader = "X-hub-Signature"
	// ValidationTokenHeader carries the token of the handshake that verifies an endpoint.
	ValidationTokenHeader = "X-Validation-Token"
	// DefaultTolerance is how far the time of a signature may be from the receiver's clock, either way.
	DefaultTolerance = 300 * time.Second
)

// Reasons for which Verify refuses. None of them holds a value of the header.
var (
	// ErrNoSecret: there is no secret to verify with.
	ErrNoSecret = errors.New("no signing secret is known")
	// ErrMissing: the header is absent or empty.
	ErrMissing = errors.New("signature header is missing")
	// ErrMalformed: the header is not t=<unix seconds>,v1=<hex> with each part once.
	ErrMalformed = errors.New("signature header is malformed")
	// ErrExpired: the time in the header is further from now than the tolerance.
	ErrExpired = errors.New("signature time is outside the tolerance")
	// ErrMismatch: no known secret gives this signature.
	ErrMismatch = errors.New("signature does not match")
)

// maxHeaderLength bounds the work on a header made by a stranger; a real one has about 80 characters.
const maxHeaderLength = 256

// Sign gives the value of SignatureHeader for body, signed with secret at a time cut to the second.
func Sign(secret string, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	return "t=" + t + ",v1=" + hex.EncodeToString(digest(secret, t, body))
}

// Verify says whether one of the non-empty secrets signed body, and no further than tolerance from now.
// The error is one of the Err values above.
func Verify(header string, body []byte, now time.Time, tolerance time.Duration, secrets ...string) error {
	if header == "" {
		return ErrMissing
	}
	t, seconds, signature, ok := parse(header)
	if !ok {
		return ErrMalformed
	}
	if !within(seconds, now, tolerance) {
		return ErrExpired
	}
	known, matched := false, false
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		known = true
		// Every secret is tried, so that the time taken does not tell which one fits.
		if hmac.Equal(digest(secret, t, body), signature) {
			matched = true
		}
	}
	switch {
	case !known:
		return ErrNoSecret
	case !matched:
		return ErrMismatch
	}
	return nil
}

// within compares in seconds: a duration between far times would overflow.
func within(seconds int64, now time.Time, tolerance time.Duration) bool {
	earliest, latest := now.Add(-tolerance), now.Add(tolerance)
	return seconds >= earliest.Unix() && seconds <= latest.Unix()
}

// digest takes the time as it stands in the header, for that text is what was signed.
func digest(secret, t string, body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(t))
	mac.Write([]byte{'.'})
	mac.Write(body)
	return mac.Sum(nil)
}

// parse splits the header. A part of another name is passed over, so that the Hub may add a v2 one day.
func parse(header string) (t string, seconds int64, signature []byte, ok bool) {
	if len(header) > maxHeaderLength {
		return "", 0, nil, false
	}
	for part := range strings.SplitSeq(header, ",") {
		name, value, found := strings.Cut(strings.TrimSpace(part), "=")
		if !found {
			return "", 0, nil, false
		}
		switch name {
		case "t":
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil || t != "" || strconv.FormatInt(n, 10) != value {
				return "", 0, nil, false
			}
			t, seconds = value, n
		case "v1":
			if signature != nil || len(value) != hex.EncodedLen(sha256.Size) || value != strings.ToLower(value) {
				return "", 0, nil, false
			}
			decoded, err := hex.DecodeString(value)
			if err != nil {
				return "", 0, nil, false
			}
			signature = decoded
		}
	}
	return t, seconds, signature, t != "" && signature != nil
}
