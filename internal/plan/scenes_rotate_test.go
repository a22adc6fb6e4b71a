package plan

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
)

// recordedAt has status say when the secret was stored.
func recordedAt(at time.Time) with {
	return func(o *Observed) { o.Object.Status.SigningSecret.RotatedAt = new(metav1.NewTime(at)) }
}

func rotateScenes() []scene {
	const (
		settles  = "rotation of another process settled"
		finish   = "the signing secret is rotated"
		unsigned = "a Secret that is not used is moved or deleted"
		tell     = "a rotation is reported before the Hub makes a secret"
		lost     = "the signing secret is rotated"
		prune    = "an expired previous secret is removed"
		wish     = "the signing secret is rotated"
		due      = "the signing secret is rotated"
	)
	hourAgo := noon.Add(-time.Hour)
	signed := signedSince(hourAgo)
	open := secret(func(s *SigningSecret) { s.RotationOpen = true })
	openSince := func(d time.Duration) with {
		return secret(func(s *SigningSecret) { s.RotationOpen, s.RotationStartedAt = true, noon.Add(-d) })
	}
	previousUntil := func(at time.Time) with {
		return secret(func(s *SigningSecret) { s.HasPrevious, s.PreviousExpiresAt = true, at })
	}
	triggered := func(by string) func(Plan) bool { return func(p Plan) bool { return p.Trigger == by } }
	wanted := annotated(v1alpha1.AnnotationRotateRequestedAt, "today")
	taken := func(o *Observed) { o.SecretTaken = true }
	unrecorded := func(o *Observed) { o.Object.Status.SigningSecret = nil }
	changed := secret(func(s *SigningSecret) { s.Fingerprint = "other" })
	saysReady := func(o *Observed) {
		meta.SetStatusCondition(&o.Object.Status.Conditions, metav1.Condition{
			Type: v1alpha1.ConditionSigningSecretReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady,
		})
	}
	return []scene{
		{name: "a rotation is under way and status says ready", o: observed(signed, open, saysReady), rule: tell, action: ReportRotation},
		{name: "a rotation is under way in a Secret that is another's, and status says ready", o: observed(signed, open, saysReady, secret(foreign)), rule: inSync, action: Rest},
		{name: "a rotation of ours is under way", o: observed(signed, open, remembered(func(m *LocalState) { m.RotationOwn = true }), actingSince(noon)), rule: finish, action: Redefine, id: mine},
		{name: "a rotation of an earlier process is under way", o: observed(signed, open, actingSince(noon.Add(-10*time.Second))), need: settles, action: Rest, recheck: 20 * time.Second},
		{name: "a rotation of an earlier process has settled", o: observed(signed, open), rule: finish, action: BeginRotation, id: mine, is: func(p Plan) bool { return p.Trigger == TriggerRecovery }},
		{name: "a rotation of another process began a moment ago", o: observed(signed, openSince(10*time.Second)), need: settles, action: Rest, recheck: 21 * time.Second},
		{name: "a rotation of ours began a moment ago", o: observed(signed, openSince(10*time.Second), remembered(func(m *LocalState) { m.RotationOwn = true })), rule: finish, action: Redefine, id: mine},
		{name: "a rotation of another process has settled", o: observed(signed, openSince(31*time.Second)), rule: finish, action: BeginRotation, id: mine},
		{name: "a rotation began by a clock that is ahead", o: observed(signed, openSince(-time.Minute)), need: settles, action: Rest, recheck: 91 * time.Second},
		{name: "a rotation began at a time that cannot be", o: observed(signed, openSince(-61*time.Second)), rule: finish, action: BeginRotation, id: mine},
		{name: "signing is turned on again while a redefinition may be carried out", o: observed(signed, remote(func(w *hub.Webhook) { w.RequiresSignature = known(false) }), openSince(10*time.Second)), need: settles, action: Rest, recheck: 21 * time.Second},
		{name: "signing is turned off while a redefinition may be carried out", o: observed(ownSecret, remote(isSigned), openSince(10*time.Second)), need: settles, action: Rest, recheck: 21 * time.Second},
		{name: "another resource has the webhook of the secret", o: observed(unregistered, spec(signing), ownSecret, taken), rule: "the secret of a webhook that another resource has is marked stale", action: BeginRotation, id: mine, is: triggered(TriggerLoss)},
		{name: "another resource has the webhook of the secret and that is written down", o: observed(unregistered, spec(signing), ownSecret, taken, openSince(time.Hour)), rule: "a webhook that does not exist is registered", action: Create, reason: v1alpha1.ReasonRegistering},
		{name: "signing is turned on again after a redefinition", o: observed(signed, remote(func(w *hub.Webhook) { w.RequiresSignature = known(false) }), openSince(31*time.Second)), rule: "what differs on the Hub is updated", action: Update, id: mine, reason: v1alpha1.ReasonUpdating},
		{name: "signing was turned off while a redefinition may be carried out", o: observed(ownSecret, openSince(10*time.Second)), need: settles, action: Rest, recheck: 21 * time.Second},
		{name: "signing was turned off after a redefinition", o: observed(ownSecret, openSince(31*time.Second)), rule: unsigned, action: DeleteSecret},
		{name: "signing was turned off before the redefinition that we began", o: observed(ownSecret, openSince(10*time.Second), remembered(func(m *LocalState) { m.RotationOwn = true })), rule: unsigned, action: DeleteSecret},
		{name: "a rotation is under way in a Secret that is another's now", o: observed(signed, open, secret(foreign)), rule: inSync, action: Rest},

		{name: "the Secret is gone", o: observed(signed, secret(missing)), rule: lost, action: BeginRotation, id: mine, is: triggered(TriggerLoss)},
		{name: "the Secret is empty", o: observed(signed, secret(func(s *SigningSecret) { s.Fingerprint = "" })), rule: lost, action: BeginRotation, id: mine},
		{name: "the Secret is of another webhook", o: observed(signed, secret(func(s *SigningSecret) { s.WebhookID = other })), rule: lost, action: BeginRotation, id: mine},
		{name: "the secret was changed by somebody", o: observed(signed, changed), rule: lost, action: BeginRotation, id: mine},
		{name: "the secret was changed and its time set back", o: observed(signed, changed, secret(func(s *SigningSecret) { s.RotatedAt = hourAgo.Add(-time.Second) })), rule: lost, action: BeginRotation, id: mine},
		{name: "the secret is newer than status says", o: observed(signed, changed, secret(func(s *SigningSecret) { s.RotatedAt = hourAgo.Add(time.Second) })), rule: inSync, action: Rest},
		{name: "the secret is another than status says of a time to come", o: observed(signed, changed, recordedAt(noon.Add(time.Hour))), rule: inSync, action: Rest},
		{name: "the secret was changed and status says a time just ahead", o: observed(signed, changed, recordedAt(noon.Add(time.Minute))), rule: lost, action: BeginRotation, id: mine},
		{name: "the resource was restored without its status", o: observed(signed, unrecorded, changed), rule: inSync, action: Rest},
		{name: "the Secret is gone and the former status with it", o: observed(signed, unrecorded, secret(missing)), rule: lost, action: BeginRotation, id: mine},
		{name: "the Secret is lost inside the overlap", o: observed(signed, changed, previousUntil(noon.Add(time.Minute))), rule: lost, action: BeginRotation, id: mine},

		{name: "the previous secret is past its time", o: observed(signed, previousUntil(noon)), rule: prune, action: PruneSecret},
		{name: "the previous secret has a minute left", o: observed(signed, previousUntil(noon.Add(time.Minute))), rule: inSync, action: Rest, recheck: time.Minute},
		{name: "the previous secret has no time at all", o: observed(signed, previousUntil(time.Time{})), rule: prune, action: PruneSecret},

		{name: "a rotation is requested", o: observed(signed, wanted), rule: wish, action: BeginRotation, id: mine, is: triggered(TriggerRequest)},
		{name: "a rotation was requested and the secret answers it", o: observed(signed, wanted, secret(func(s *SigningSecret) { s.Request = "today" })), rule: inSync, action: Rest},
		{name: "a rotation was requested and status says so", o: observed(signed, wanted, func(o *Observed) { o.Object.Status.LastHandledRotateAt = "today" }), rule: inSync, action: Rest},
		{name: "a rotation is requested inside the overlap", o: observed(signed, wanted, previousUntil(noon.Add(time.Minute))), rule: inSync, action: Rest, recheck: time.Minute},
		{name: "a rotation is requested of what is not signed", o: observed(wanted), rule: inSync, action: Rest},

		{name: "a rotation is due", o: observed(signed, rotatedEvery("1h", "")), rule: due, action: BeginRotation, id: mine, is: triggered(TriggerSchedule)},
		{name: "a rotation is due in a minute", o: observed(signed, rotatedEvery("1h1m", "")), rule: inSync, action: Rest, recheck: time.Minute},
		{name: "a rotation is due inside the overlap", o: observed(signed, rotatedEvery("1h", ""), previousUntil(noon.Add(time.Minute))), rule: inSync, action: Rest, recheck: time.Minute},
		{name: "a rotation is due and nobody knows when the last one was", o: observed(signedSince(time.Time{}), rotatedEvery("1h", "")), rule: inSync, action: Rest},
		{name: "a rotation is due while a look is refused", o: observed(signed, rotatedEvery("1h", ""), onHub(refuses)), need: "Hub accepts calls", action: Rest, reason: v1alpha1.ReasonAPIKeyRefused},
	}
}
