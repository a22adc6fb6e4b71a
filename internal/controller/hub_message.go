package controller

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/plan"
	"github.com/chatt2me/webhook-operator/internal/signing"
)

// noHeaders is the hash of a list without headers.
var noHeaders = headersHash(nil, []version{})

// showable returns the failure of a call, with the Hub's message only if that contains no value that the Hub may know
// and that must not be shown. Those that the call carried were looked for already.
func (o *observation) showable(action plan.Action, err error) error {
	secrets, all := o.signingSecrets()
	if !all || o.otherHeaders(action) {
		return hub.WithoutMessage(err)
	}
	return hub.Withholding(err, secrets...)
}

// otherHeaders reports whether the Hub may know values of headers that a call has not carried: those that the webhook
// has, which cannot be read back and are replaced by an update, or those of a registration whose end is not known.
func (o *observation) otherHeaders(action plan.Action) bool {
	if action != plan.Create {
		return o.Applied.HeadersHash != noHeaders
	}
	everHadNone := len(o.Object.Spec.Headers) == 0 && o.Object.Generation <= 1
	return !o.local.IntentClosed && !everHadNone
}

// signingSecrets are the values that the Hub signs or signed with, as far as this process has them, and whether that
// is all: not when the Secret was not read, does not hold what was stored, or another process may have made a new one.
func (o *observation) signingSecrets() (secrets []hub.Secret, all bool) {
	if o.local.held != nil {
		secrets = append(secrets, o.local.held.value)
	}
	recorded := ""
	if s := o.Object.Status.SigningSecret; s != nil {
		recorded = s.Fingerprint
	}
	// A Secret that status knows nothing of was read all the same, unless the resource is being deleted.
	all = recorded == "" && (!o.Object.Spec.RequiresSignature || o.Object.DeletionTimestamp.IsZero())
	for _, secret := range []*corev1.Secret{o.secret, o.former} {
		if secret == nil {
			continue
		}
		content := o.contentOf(secret)
		for _, value := range []hub.Secret{content.Current, content.Previous} {
			secrets = append(secrets, value)
			all = all || signing.Fingerprint(content.WebhookID, value) == recorded
		}
	}
	return secrets, all && (!o.Signing.RotationOpen || o.local.RotationOwn)
}
