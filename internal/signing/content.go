// Package signing is what is inside the Secret that holds a webhook's signing secret, and the signature that the Hub
// makes with it.
package signing

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
)

// Content is what the signing Secret says. The facts about rotation live in it, not in the status of the resource, so
// that a resource restored without its status does not rotate.
type Content struct {
	// WebhookID is the webhook whose secret this is.
	WebhookID string
	// Current is the secret that the Hub signs with, unless RotationStartedAt is set.
	Current hub.Secret
	// Previous is the secret before that, inside the overlap only.
	Previous hub.Secret
	// RotatedAt is when Current was stored.
	RotatedAt time.Time
	// PreviousExpiresAt is when Previous is to be removed.
	PreviousExpiresAt time.Time
	// RotationStartedAt is set while Current may be dead already.
	RotationStartedAt time.Time
	// RotationRequest is the user's request that Current answers.
	RotationRequest string
}

// Parse reads the data and annotations of a Secret. RotatedAt is zero when it cannot be read; the other two count as
// long past then, for they must not be overlooked.
func Parse(data map[string][]byte, annotations map[string]string) Content {
	return Content{
		WebhookID:         annotations[v1alpha1.AnnotationWebhookID],
		Current:           hub.NewSecret(string(data[v1alpha1.SecretKeyCurrent])),
		Previous:          hub.NewSecret(string(data[v1alpha1.SecretKeyPrevious])),
		RotatedAt:         parseTime(annotations[v1alpha1.AnnotationRotatedAt], time.Time{}),
		PreviousExpiresAt: parseTime(annotations[v1alpha1.AnnotationPreviousExpiresAt], longPast),
		RotationStartedAt: parseTime(annotations[v1alpha1.AnnotationRotationStartedAt], longPast),
		RotationRequest:   annotations[v1alpha1.AnnotationRotationRequest],
	}
}

// Begin is the content once a rotation for a webhook has begun: from then on Current may be dead.
func (c Content) Begin(webhookID string, now time.Time) Content {
	if c.WebhookID == "" {
		c.WebhookID = webhookID
	}
	c.RotationStartedAt = now
	return c
}

// Store is the content with a new secret of a webhook. The one it replaces stays beside it for the overlap.
func (c Content) Store(
	webhookID string, secret hub.Secret, request string, now time.Time, overlap time.Duration,
) Content {
	next := Content{WebhookID: webhookID, Current: secret, RotatedAt: now, RotationRequest: request}
	switch {
	case c.Current == secret:
		// It was stored before, by a write whose answer was lost.
		next.Previous, next.PreviousExpiresAt = c.Previous, c.PreviousExpiresAt
	case !c.Current.IsZero() && overlap > 0:
		next.Previous, next.PreviousExpiresAt = c.Current, now.Add(overlap)
	}
	return next
}

// Prune is the content without the previous secret.
func (c Content) Prune() Content {
	c.Previous, c.PreviousExpiresAt = hub.Secret{}, time.Time{}
	return c
}

// Data is the data of the Secret.
func (c Content) Data() map[string][]byte {
	data := map[string][]byte{}
	if !c.Current.IsZero() {
		data[v1alpha1.SecretKeyCurrent] = []byte(c.Current.Reveal())
	}
	if !c.Previous.IsZero() {
		data[v1alpha1.SecretKeyPrevious] = []byte(c.Previous.Reveal())
	}
	return data
}

// Annotations are the operator's annotations of the Secret; an empty value means that there is none.
func (c Content) Annotations() map[string]string {
	return map[string]string{
		v1alpha1.AnnotationWebhookID:         c.WebhookID,
		v1alpha1.AnnotationRotatedAt:         formatTime(c.RotatedAt),
		v1alpha1.AnnotationPreviousExpiresAt: formatTime(c.PreviousExpiresAt),
		v1alpha1.AnnotationRotationStartedAt: formatTime(c.RotationStartedAt),
		v1alpha1.AnnotationRotationRequest:   c.RotationRequest,
	}
}

// Fingerprint reports whether the Secret still holds what was stored in it: the SHA-256 of webhook id and secret.
func Fingerprint(webhookID string, secret hub.Secret) string {
	sum := sha256.Sum256([]byte(webhookID + "\x00" + secret.Reveal()))
	return hex.EncodeToString(sum[:])
}

// longPast is what a time counts as that cannot be read.
var longPast = time.Unix(0, 0).UTC()

func parseTime(s string, malformed time.Time) time.Time {
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, s)
	// The zero time would pass for none, and the year 10000 could not be written again.
	if t = t.UTC(); err != nil || t.IsZero() || t.Year() > 9999 {
		return malformed
	}
	return t
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
