package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// longestRequest is the longest request that is recorded as it is; a longer one is recorded as its hash.
const longestRequest = 200

// Request is the form in which the value of an annotation that acts is recorded.
func Request(annotation string) string {
	if len(annotation) <= longestRequest {
		return annotation
	}
	sum := sha256.Sum256([]byte(annotation))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// ReconcileRequest is the user's request to look again, answered or not; empty when there is none.
func (o *Observed) ReconcileRequest() string {
	return Request(o.Object.Annotations[v1alpha1.AnnotationReconcileRequestedAt])
}

// requestPending reports whether the user asked for a look that was not answered yet.
func (o *Observed) requestPending() bool {
	request := o.ReconcileRequest()
	return request != "" && request != o.Object.Status.LastHandledReconcileAt && request != o.Local.Answered
}

// rotationRequest is the user's request to rotate, empty when there is none that was not answered yet.
func (o *Observed) rotationRequest() string {
	value := o.Object.Annotations[v1alpha1.AnnotationRotateRequestedAt]
	if value == "" || Request(value) == o.Signing.Request || Request(value) == o.Object.Status.LastHandledRotateAt {
		return ""
	}
	return Request(value)
}

// mayBeOtherApplication reports whether the API key may belong to another Application than the webhook does.
func (o *Observed) mayBeOtherApplication() bool {
	application, keyHash := o.Application()
	if application != "" && o.Hub.ApplicationID != "" {
		return application != o.Hub.ApplicationID
	}
	if keyHash == "" {
		return application != "" // it is unknown with which key it was observed
	}
	return keyHash != o.Key.Hash
}

// Application is the one that the webhook belongs to, and the hash of the API key that showed it last, from status or,
// while that could not be told, from this process's memory. Either is empty when it is not known.
func (o *Observed) Application() (id, keyHash string) {
	recorded, m := &o.Object.Status, &o.Local
	return cmp.Or(recorded.ApplicationID, m.ApplicationID), cmp.Or(recorded.APIKeyHash, m.APIKeyHash)
}

// forcedOrphan reports whether the user gave up the webhook.
func (o *Observed) forcedOrphan() bool {
	value := o.Object.Annotations[v1alpha1.AnnotationForceOrphan]
	return value != "" && value == o.ID
}

// signed reports whether the webhook is to be signed and, as far as is known, is.
func (o *Observed) signed() bool {
	return o.Object.Spec.RequiresSignature && o.Remote.Presence == Present &&
		!o.plainDifferences().Has(FieldRequiresSignature)
}

// tampered reports whether the Secret holds something else than what was stored in it. A Secret that was stored later
// than status says is one whose storing the status does not know of yet.
func (o *Observed) tampered() bool {
	s := o.Object.Status.SigningSecret
	if s == nil || s.Fingerprint == "" || s.Fingerprint == o.Signing.Fingerprint {
		return false
	}
	return !o.Signing.RotatedAt.After(StoredAt(o.Object, o.Now))
}

// StoredAt is when the signing secret was stored that status knows of. It is zero when status does not say, or says a
// time that no clock shows yet: nothing could be stored after that.
func StoredAt(object *v1alpha1.Chatt2Webhook, now time.Time) time.Time {
	s := object.Status.SigningSecret
	if s == nil || s.RotatedAt == nil || s.RotatedAt.After(now.Add(clockSkew)) {
		return time.Time{}
	}
	return s.RotatedAt.Time
}

// ForeignSecret reports whether the signing Secret belongs to another owner. One that nothing controls is the
// resource's if it has the operator's label and names the webhook that the resource has and the Hub shows.
func (o *Observed) ForeignSecret() bool {
	s := &o.Signing
	claimed := s.Unowned && s.WebhookID == o.ID && o.Remote.Presence == Present && !o.SecretTaken
	return s.Foreign && !claimed
}

// secretGood reports whether the Secret holds what the Hub signs with.
func (o *Observed) secretGood() bool {
	s := &o.Signing
	return s.Exists && !o.ForeignSecret() && s.WebhookID == o.ID && s.Fingerprint != "" && !s.RotationOpen &&
		!o.tampered() &&
		!o.Local.Held && !o.Local.SecretAmbiguous
}

// rotationDue is when the next rotation is due, zero when never.
func (o *Observed) rotationDue() time.Time {
	interval := duration(rotation(&o.Object.Spec).Interval)
	if interval <= 0 || o.Signing.RotatedAt.IsZero() {
		return time.Time{}
	}
	return o.Signing.RotatedAt.Add(interval)
}

// Overlap is how long the previous secret stays after a rotation.
func Overlap(spec *v1alpha1.Chatt2WebhookSpec) time.Duration {
	const byDefault = 10 * time.Minute
	r := rotation(spec)
	if r.Overlap == "" {
		return byDefault
	}
	return duration(r.Overlap)
}

func rotation(spec *v1alpha1.Chatt2WebhookSpec) v1alpha1.Rotation {
	if spec.SigningSecret == nil {
		return v1alpha1.Rotation{}
	}
	return spec.SigningSecret.Rotation
}

// duration reads a duration that the API server has found good; one that cannot be read is none.
func duration(s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0
	}
	return d
}

// sooner is the shorter of two delays, of which 0 is none.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || (b > 0 && b < a) {
		return b
	}
	return a
}

// until is the delay until t, at least a moment.
func (o *Observed) until(t time.Time) time.Duration {
	return max(t.Sub(o.Now), time.Millisecond)
}

// restsOnSecrets reports whether what is well now may be ended by a Secret that changes: that of a key which is
// refused, of a header, or the signing one.
func (o *Observed) restsOnSecrets() bool {
	return o.Hub.Refused || o.Object.Spec.RequiresSignature || len(o.Object.SecretNames()) > 1
}
