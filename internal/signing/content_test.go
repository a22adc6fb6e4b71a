package signing

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
)

// written is the content as it comes back from a Secret.
func written(c Content) Content {
	annotations := map[string]string{}
	for key, value := range c.Annotations() {
		if value != "" {
			annotations[key] = value
		}
	}
	return Parse(c.Data(), annotations)
}

func stored(changes ...func(*Content)) Content {
	c := Content{WebhookID: "w", Current: hub.NewSecret("current"), RotatedAt: noon, RotationRequest: "asked"}
	for _, change := range changes {
		change(&c)
	}
	return c
}

func withPrevious(c *Content) {
	c.Previous, c.PreviousExpiresAt = hub.NewSecret("previous"), noon.Add(10*time.Minute)
}

func TestContentComesBackAsItWasWritten(t *testing.T) {
	for name, c := range map[string]Content{
		"nothing":             {},
		"a secret":            stored(),
		"a previous secret":   stored(withPrevious),
		"an open rotation":    stored().Begin("w", noon.Add(time.Second)),
		"the first rotation":  Content{}.Begin("w", noon),
		"bytes that are none": stored(func(c *Content) { c.Current = hub.NewSecret("\x00\xff\n") }),
	} {
		if diff := cmp.Diff(c, written(c)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestTimesThatCannotBeRead(t *testing.T) {
	for _, malformed := range []string{"noon", "2026-02-09", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00"} {
		c := Parse(nil, map[string]string{
			v1alpha1.AnnotationRotatedAt:         malformed,
			v1alpha1.AnnotationPreviousExpiresAt: malformed,
			v1alpha1.AnnotationRotationStartedAt: malformed,
		})
		if !c.RotatedAt.IsZero() {
			t.Errorf("%q: rotated at %v", malformed, c.RotatedAt)
		}
		if c.PreviousExpiresAt != longPast || c.RotationStartedAt != longPast {
			t.Errorf("%q is overlooked: %v, %v", malformed, c.PreviousExpiresAt, c.RotationStartedAt)
		}
	}
	if c := Parse(nil, nil); c != (Content{}) {
		t.Errorf("of nothing it reads %+v", c)
	}
}

func TestStoreKeepsTheSecretThatItReplaces(t *testing.T) {
	const overlap = 10 * time.Minute
	later := noon.Add(time.Hour)
	tests := []struct {
		name      string
		before    Content
		overlap   time.Duration
		previous  string
		expiresAt time.Time
	}{
		{name: "for the overlap", before: stored(), overlap: overlap, previous: "current", expiresAt: later.Add(overlap)},
		{name: "for the overlap, after a rotation that was begun", before: stored().Begin("w", noon), overlap: overlap, previous: "current", expiresAt: later.Add(overlap)},
		{name: "and not the one before that", before: stored(withPrevious), overlap: overlap, previous: "current", expiresAt: later.Add(overlap)},
		{name: "of a webhook that is no more", before: stored(func(c *Content) { c.WebhookID = "old" }), overlap: overlap, previous: "current", expiresAt: later.Add(overlap)},
		{name: "not without an overlap", before: stored(withPrevious)},
		{name: "not when there was none", before: Content{}.Begin("w", noon), overlap: overlap},
		{
			name: "when the same is stored once more", overlap: overlap, previous: "previous", expiresAt: noon.Add(overlap),
			before: stored(withPrevious, func(c *Content) { c.Current = hub.NewSecret("new") }),
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := Content{
				WebhookID: "w", Current: hub.NewSecret("new"), RotatedAt: later, RotationRequest: "again",
				Previous: hub.NewSecret(test.previous), PreviousExpiresAt: test.expiresAt,
			}
			got := test.before.Store("w", hub.NewSecret("new"), "again", later, test.overlap)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("content (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBeginSaysThatTheSecretMayBeDeadAndChangesNothingElse(t *testing.T) {
	c := stored(withPrevious)
	want := c
	want.RotationStartedAt = noon
	if got := c.Begin("another", noon); got != want {
		t.Errorf("the content is %+v", got)
	}
	if got := (Content{}).Begin("w", noon); got.WebhookID != "w" {
		t.Errorf("an empty Secret is of the webhook %q", got.WebhookID)
	}
}

func TestPruneRemovesThePreviousSecretOnly(t *testing.T) {
	got := stored(withPrevious).Prune()
	if diff := cmp.Diff(stored(), got); diff != "" {
		t.Errorf("content (-want +got):\n%s", diff)
	}
	if _, ok := got.Data()[v1alpha1.SecretKeyPrevious]; ok || got.Annotations()[v1alpha1.AnnotationPreviousExpiresAt] != "" {
		t.Error("it leaves a trace")
	}
}

func TestTheFingerprintIsOverWebhookAndSecret(t *testing.T) {
	// printf 'w\0s' | sha256sum
	const want = "2eee648fbe9f1584d6f25c9befd277a484e3368fa643a7ef128d26ce3777b0ef"
	got := Fingerprint("w", hub.NewSecret("s"))
	if got != want {
		t.Errorf("it is %s", got)
	}
	for _, pair := range [][2]string{{"w", "t"}, {"v", "s"}, {"ws", ""}, {"", "ws"}} {
		if Fingerprint(pair[0], hub.NewSecret(pair[1])) == got {
			t.Errorf("%v have the same", pair)
		}
	}
}

// What anybody may have written is read without harm, and what was read comes back the same.
func FuzzParse(f *testing.F) {
	f.Add("w", "current", "previous", "2026-02-09T12:00:00Z", "", "noon", "asked")
	f.Add("", "", "", "9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00+23:59", "0001-01-01T00:00:00Z", "")
	f.Fuzz(func(t *testing.T, id, current, previous, rotated, expires, started, request string) {
		c := Parse(map[string][]byte{
			v1alpha1.SecretKeyCurrent: []byte(current), v1alpha1.SecretKeyPrevious: []byte(previous),
		}, map[string]string{
			v1alpha1.AnnotationWebhookID: id, v1alpha1.AnnotationRotationRequest: request,
			v1alpha1.AnnotationRotatedAt: rotated, v1alpha1.AnnotationPreviousExpiresAt: expires,
			v1alpha1.AnnotationRotationStartedAt: started,
		})
		if (started == "") != c.RotationStartedAt.IsZero() || (expires == "") != c.PreviousExpiresAt.IsZero() {
			t.Errorf("a rotation or an expiry is overlooked or made up: %q, %q", started, expires)
		}
		first := written(c)
		if first.WebhookID != id || first.Current.Reveal() != current || first.Previous.Reveal() != previous {
			t.Error("a value changed")
		}
		if second := written(first); second != first {
			t.Errorf("it does not come to rest: %+v, then %+v", first, second)
		}
	})
}
