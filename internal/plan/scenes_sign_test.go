package plan

import (
	"slices"
	"time"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
)

// ownSecret is a Secret that is there and right, of a webhook that is not signed.
func ownSecret(o *Observed) {
	o.Signing = SigningSecret{Name: "hook-signing", Exists: true, WebhookID: mine, Fingerprint: "print", RotatedAt: noon.Add(-time.Hour)}
}

// recordedSecret is a Secret that status knows of and somebody has deleted.
func recordedSecret(o *Observed) {
	o.Object.Status.SigningSecret = &v1alpha1.SigningSecretStatus{Name: "hook-signing", Fingerprint: "print"}
}

func isSigned(w *hub.Webhook) { w.RequiresSignature = known(true) }

// silent is an older deployment, which does not show whether a webhook is signed.
func silent(w *hub.Webhook) { w.RequiresSignature = hub.Field[bool]{} }

func sentSignature(on bool) with {
	return remembered(func(m *LocalState) { m.RequiresSignature = &on })
}

// former is a Secret under the name that spec said before, as good as the one it takes the place of.
func former(changes ...func(*SigningSecret)) with {
	return func(o *Observed) {
		s := SigningSecret{Name: "former", Exists: true, WebhookID: mine, Fingerprint: "print", RotatedAt: o.Signing.RotatedAt}
		for _, change := range changes {
			change(&s)
		}
		o.FormerSecret = &s
		o.Object.Status.SigningSecret = &v1alpha1.SigningSecretStatus{Name: "former", Fingerprint: "print"}
		at := timestamp(&s.RotatedAt)
		o.Object.Status.SigningSecret.RotatedAt = at
	}
}

func missing(s *SigningSecret) { *s = SigningSecret{Name: s.Name} }

// unowned is a Secret of the operator's that nothing controls.
func unowned(s *SigningSecret) { s.Foreign, s.Unowned, s.Outdated = true, true, true }

// notStored: a secret is held, and it is tried again in a second to store it.
var notStored = remembered(func(m *LocalState) {
	m.Held, m.SecretRetryAt = true, noon.Add(time.Second)
	m.SecretProblem = problem(v1alpha1.ConditionSigningSecretReady, v1alpha1.ReasonSecretNotStored)
})

// refusedWrite: the API server has just refused a write of the Secret, which is tried again in a second.
var refusedWrite = remembered(func(m *LocalState) {
	m.SecretRetryAt = noon.Add(time.Second)
	m.SecretProblem = problem(v1alpha1.ConditionSigningSecretReady, v1alpha1.ReasonSecretRejected)
	m.SecretProblem.Stalled = true
})

func unseenRemote(o *Observed) { o.Remote = Remote{} }

func signScenes() []scene {
	const (
		begins = "a rotation is recorded before signing is turned on or off"
		right  = "what differs on the Hub is updated"
		goes   = "a Secret that is not used is moved or deleted"
		moves  = "a Secret that is not used is moved or deleted"
		old    = "a Secret that is not used is moved or deleted"
		meta   = "the metadata of the Secret is updated"
		lost   = "the signing secret is rotated"
	)
	updating := v1alpha1.ReasonUpdating
	rotate := annotated(v1alpha1.AnnotationRotateRequestedAt, "today")
	turns := func(p Plan) bool { return slices.Equal(p.Changes, []string{FieldRequiresSignature}) }
	signed := signedSince(noon.Add(-time.Hour))
	return []scene{
		{name: "signed and at rest", o: observed(signed), rule: inSync, action: Rest},
		{name: "signing is turned on", o: observed(newGeneration, spec(signing)), rule: right, action: Update, id: mine, reason: updating, is: turns},
		{name: "signing was turned off on the Hub", o: observed(signed, remote(func(w *hub.Webhook) { w.RequiresSignature = known(false) })), rule: begins, action: BeginRotation, id: mine, reason: updating, is: func(p Plan) bool { return p.Trigger == TriggerLoss }},
		{
			name: "signing was turned off on the Hub and it is written down", rule: right, action: Update, id: mine, reason: updating, is: turns,
			o: observed(signed, remote(func(w *hub.Webhook) { w.RequiresSignature = known(false) }), secret(func(s *SigningSecret) { s.RotationOpen = true })),
		},
		{name: "signing is turned on and the Secret is another's", o: observed(newGeneration, spec(signing), secret(foreign)), rule: inSync, action: Rest},
		{name: "signing and the endpoint differ and the Secret is another's", o: observed(newGeneration, spec(signing), secret(foreign), remote(drifted)), rule: right, action: Update, id: mine, reason: updating, is: func(p Plan) bool { return slices.Equal(p.Changes, []string{FieldEndpoint}) }},

		{name: "signing is turned off", o: observed(newGeneration, ownSecret, remote(isSigned)), rule: right, action: Update, id: mine, reason: updating, is: turns},
		{name: "signing was turned off", o: observed(ownSecret), rule: goes, action: DeleteSecret},
		{name: "signing was turned off and the Hub ignores it", o: observed(ownSecret, remote(isSigned), ignoring(FieldRequiresSignature)), rule: inSync, action: Rest},
		{name: "signing was turned off and the Secret was renamed", o: observed(former()), rule: goes, action: DeleteFormerSecret},
		{name: "nothing is signed and a Secret is another's", o: observed(secret(foreign)), rule: inSync, action: Rest},

		{name: "an older deployment turned on", o: observed(newGeneration, spec(signing), remote(silent)), rule: begins, action: BeginRotation, id: mine, reason: updating},
		{name: "an older deployment that took it and showed no secret", o: observed(spec(signing), remote(silent), sentSignature(true)), rule: lost, action: BeginRotation, id: mine},
		{name: "an older deployment that is signed", o: observed(signed, remote(silent)), rule: inSync, action: Rest},
		{name: "an older deployment that is signed, the Secret renamed", o: observed(signed, remote(silent), secret(missing), former()), rule: moves, action: MoveSecret},
		{name: "an older deployment turned off", o: observed(newGeneration, ownSecret, remote(silent)), rule: right, action: Update, id: mine, reason: updating, is: turns},
		{name: "an older deployment that took it to be off", o: observed(ownSecret, remote(silent), sentSignature(false)), rule: goes, action: DeleteSecret},
		{name: "an older deployment, and only status knows that it signs", o: observed(recordedSecret, remote(silent)), rule: right, action: Update, id: mine, reason: updating, is: turns},
		{name: "an older deployment, and status knows of another webhook", o: observed(recordedSecret, remote(silent), func(o *Observed) { o.Object.Status.WebhookID = other }), rule: inSync, action: Rest},
		{name: "what a Hub shows counts for more than what status knows", o: observed(recordedSecret), rule: inSync, action: Rest},
		{name: "what a Hub shows counts for more than what was sent", o: observed(sentSignature(true)), rule: inSync, action: Rest},

		{name: "the Secret is renamed", o: observed(signed, secret(missing), former()), rule: moves, action: MoveSecret},
		{name: "the Secret is renamed and was moved", o: observed(signed, former()), rule: old, action: DeleteFormerSecret},
		{name: "the Secret is renamed amid a rotation", o: observed(signed, secret(missing), former(func(s *SigningSecret) { s.RotationOpen = true })), rule: lost, action: BeginRotation, id: mine},
		{name: "the Secret is renamed and the former one was changed", o: observed(signed, secret(missing), former(func(s *SigningSecret) { s.Fingerprint = "other" })), rule: lost, action: BeginRotation, id: mine},
		{name: "the Secret is renamed and the former one is another webhook's", o: observed(signed, secret(missing), former(func(s *SigningSecret) { s.WebhookID = other })), rule: lost, action: BeginRotation, id: mine},
		{name: "the Secret is renamed to one that is another's", o: observed(signed, secret(foreign), former()), rule: inSync, action: Rest},
		{name: "the Secret lacks a label that the API server did not keep", o: observed(signed, secret(func(s *SigningSecret) { s.Outdated = true }), remembered(func(m *LocalState) { m.MetadataLostOf = 2 })), rule: inSync, action: Rest},
		{name: "a secret is held that could not be stored, and the endpoint differs", o: observed(signed, secret(missing), remote(drifted), notStored), rule: right, action: Update, id: mine, reason: updating, is: func(p Plan) bool { return slices.Equal(p.Changes, []string{FieldEndpoint}) }},
		{name: "a secret is held that could not be stored, and no other is made", o: observed(signed, secret(missing), notStored), rule: inSync, action: Rest, recheck: time.Second},
		{name: "a secret is held that could not be stored, and a rotation is open", o: observed(signed, secret(func(s *SigningSecret) { s.RotationOpen = true }), notStored), rule: inSync, action: Rest, recheck: time.Second},
		{name: "a secret is held that could not be stored, and signing was turned off on the Hub", o: observed(signed, secret(missing), remote(func(w *hub.Webhook) { w.RequiresSignature = known(false) }), notStored), rule: inSync, action: Rest, recheck: time.Second},
		{name: "the Secret cannot be written, and a rotation is requested", o: observed(signed, rotate, refusedWrite), rule: inSync, action: Rest, recheck: time.Second},
		{name: "the Secret cannot be written, and a rotation is requested and a look", o: observed(signed, rotate, asked, refusedWrite), need: "observation fresh", action: Observe, id: mine},
		{name: "the Secret cannot be written, and the secret is lost", o: observed(signed, secret(missing), refusedWrite), rule: inSync, action: Rest, recheck: time.Second},
		{name: "the Secret cannot be written, and a rotation is open", o: observed(signed, secret(func(s *SigningSecret) { s.RotationOpen = true }), remembered(func(m *LocalState) { m.RotationOwn = true }), refusedWrite), rule: inSync, action: Rest, recheck: time.Second},
		{name: "the Secret cannot be written, and the endpoint is not verified", o: observed(signed, rotate, attempts(time.Minute, nil), seenAgo(20*time.Second), refusedWrite), rule: "an endpoint that is not verified is verified again", action: Verify, id: mine},
		{name: "the Secret cannot be written, and the endpoint differs", o: observed(signed, rotate, remote(drifted), refusedWrite), rule: right, action: Update, id: mine, reason: updating},
		{name: "the Secret cannot be written, and signing is turned on", o: observed(newGeneration, spec(signing), remote(drifted), refusedWrite), rule: right, action: Update, id: mine, reason: updating, is: func(p Plan) bool { return slices.Equal(p.Changes, []string{FieldEndpoint}) }},
		{name: "the Secret cannot be written, and signing is turned off", o: observed(newGeneration, ownSecret, remote(isSigned), refusedWrite), rule: right, action: Update, id: mine, reason: updating, is: turns},
		{name: "the Secret cannot be deleted", o: observed(ownSecret, refusedWrite), rule: inSync, action: Rest, recheck: time.Second},
		{name: "signing was turned off and somebody's finalizer keeps the Secret", o: observed(ownSecret, secret(func(s *SigningSecret) { s.Terminating = true })), rule: inSync, action: Rest},
		{name: "the Secret lost its owner and names the webhook", o: observed(signed, secret(unowned)), rule: meta, action: UpdateSecretMetadata},
		{name: "the Secret lost its owner and its webhook was not seen", o: observed(signed, secret(unowned), unseenRemote), need: "presence of the webhook known", action: Rest},
		{name: "the Secret lost its owner and names another webhook", o: observed(signed, secret(unowned), secret(func(s *SigningSecret) { s.WebhookID = other })), rule: inSync, action: Rest},
		{name: "the Secret lost its owner and another resource has its webhook", o: observed(signed, secret(unowned), func(o *Observed) { o.SecretTaken = true }), rule: inSync, action: Rest},
		{name: "the Secret lost its owner and nothing is signed any more", o: observed(ownSecret, secret(unowned)), rule: inSync, action: Rest},
		{name: "the Secret lacks a label from spec", o: observed(signed, secret(func(s *SigningSecret) { s.Outdated = true })), rule: meta, action: UpdateSecretMetadata},
	}
}
