package signing

import (
	"encoding/hex"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
)

var signedTime = regexp.MustCompile(`(^|,)\s*t=(-?[0-9]+)\s*(,|$)`)

// FuzzSignature: what is accepted was signed with the secret at the time that the header says, which is near, whatever
// else the header says; and what was signed is accepted.
func FuzzSignature(f *testing.F) {
	const secret = "CNRY-secret"
	now := time.Unix(1_770_638_400, 0)
	good := Sign(secret, now, []byte(`{"a":1}`))
	for _, header := range []string{
		"", good, good + ",v2=00", "t=1770638400", "v1=00", "t=,v1=", good + "," + good, strings.ToUpper(good),
		strings.Replace(good, "t=", "t=+", 1), strings.Replace(good, "t=", "t=0", 1), " " + good + " ",
		strings.Replace(good, ",", ";", 1), "t=9223372036854775807,v1=" + strings.Repeat("0", 64),
		"t=-9223372036854775808,v1=" + strings.Repeat("0", 64), strings.Repeat("t=1,", 1000), "t=1\x00,v1=\xff",
		strings.Replace(good, "v1=", "v1=0", 1), "t=1770638400,v1=" + strings.Repeat("é", 32),
	} {
		f.Add(header, []byte(`{"a":1}`), int64(0))
	}
	f.Add(good, []byte(`{"a":2}`), int64(0))
	f.Add(good, []byte(`{"a":1}`), int64(301))
	f.Add(good, []byte(`{"a":1}`), int64(-301))
	f.Fuzz(func(t *testing.T, header string, body []byte, later int64) {
		at := now.Add(time.Duration(later%1e6) * time.Second)
		if err := Verify(Sign(secret, at, body), body, at, DefaultTolerance, "", "other", secret); err != nil {
			t.Fatalf("what was signed is refused: %v", err)
		}
		err := Verify(header, body, at, DefaultTolerance, secret)
		if err != nil {
			if strings.Contains(err.Error(), secret) {
				t.Fatalf("the error holds the secret: %v", err)
			}
			return
		}
		said := signedTime.FindStringSubmatch(header)
		if said == nil {
			t.Fatalf("%q is accepted and says no time", header)
		}
		if !strings.Contains(header, "v1="+hex.EncodeToString(digest(secret, said[2], body))) {
			t.Fatalf("%q is accepted and is not signed", header)
		}
		if Verify(header, body, at.Add(2*DefaultTolerance+time.Second), DefaultTolerance, secret) == nil {
			t.Fatalf("%q never expires", header)
		}
		if Verify(header, append(body, '.'), at, DefaultTolerance, secret) == nil {
			t.Fatalf("%q is accepted of another body", header)
		}
	})
}

// FuzzSecretContent: what stands in a Secret, by whatever hand, is read as the worst that it may mean, and what was
// read once is read the same again after it was written.
func FuzzSecretContent(f *testing.F) {
	const noon = "2026-02-09T12:00:00Z"
	f.Add("CNRY-a", "CNRY-b", "a1b2c3d4-e5f6-7890-abcd-ef1234567890", noon, noon, noon, "now")
	f.Add("", "", "", "", "", "", "")
	f.Add("a", "", "not a UUID", "yesterday", "", "tomorrow", "")
	f.Add("a", "a", "\x00", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "\xff")
	f.Add("\xff", "\n", "", "9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00+23:59", "2026-02-09T12:00:00.999999999Z", "")
	f.Add("a", "b", "", "2026-02-30T12:00:00Z", "2026-02-09T24:00:00Z", " ", "")
	f.Fuzz(func(t *testing.T, current, previous, id, rotated, expires, started, request string) {
		annotations := map[string]string{
			v1alpha1.AnnotationWebhookID: id, v1alpha1.AnnotationRotatedAt: rotated,
			v1alpha1.AnnotationPreviousExpiresAt: expires, v1alpha1.AnnotationRotationStartedAt: started,
			v1alpha1.AnnotationRotationRequest: request,
		}
		c := Parse(map[string][]byte{
			v1alpha1.SecretKeyCurrent: []byte(current), v1alpha1.SecretKeyPrevious: []byte(previous),
		}, annotations)
		if started != "" && c.RotationStartedAt.IsZero() {
			t.Errorf("a rotation that began at %q is overlooked", started)
		}
		if expires != "" && c.PreviousExpiresAt.IsZero() {
			t.Errorf("an end of the overlap at %q is overlooked", expires)
		}
		once := again(c)
		if twice := again(once); twice != once {
			t.Errorf("%+v becomes %+v when it is written", once, twice)
		}
		if once.Current != c.Current || once.Previous != c.Previous || once.WebhookID != c.WebhookID ||
			once.RotationStartedAt.IsZero() != c.RotationStartedAt.IsZero() {
			t.Errorf("%+v was read and %+v written", c, once)
		}
		changes(t, c)
	})
}

// again is the content as it is read after it was written.
func again(c Content) Content {
	annotations := map[string]string{}
	for key, value := range c.Annotations() {
		if value != "" {
			annotations[key] = value
		}
	}
	return Parse(c.Data(), annotations)
}

// changes makes every change to a content and looks whether a secret is lost by it.
func changes(t *testing.T, c Content) {
	t.Helper()
	at := time.Unix(1_770_638_400, 0).UTC()
	if begun := again(c.Begin("id", at)); begun.Current != c.Current || begun.Previous != c.Previous ||
		begun.RotationStartedAt.IsZero() {
		t.Errorf("%+v has begun a rotation as %+v", c, begun)
	}
	made := hub.NewSecret("CNRY-new")
	stored := again(c.Store("id", made, "r", at, time.Minute))
	if stored.Current != made || stored.WebhookID != "id" || !stored.RotationStartedAt.IsZero() {
		t.Errorf("%+v has stored a secret as %+v", c, stored)
	}
	if c.Current != made && stored.Previous != c.Current {
		t.Errorf("%+v has lost its secret: %+v", c, stored)
	}
	if pruned := again(c.Prune()); pruned.Current != c.Current || !pruned.Previous.IsZero() ||
		pruned.RotationStartedAt.IsZero() != c.RotationStartedAt.IsZero() {
		t.Errorf("%+v was pruned to %+v", c, pruned)
	}
}
