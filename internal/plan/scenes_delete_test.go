package plan

import (
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
)

func retaining(s *v1alpha1.Chatt2WebhookSpec) { s.DeletionPolicy = v1alpha1.DeletionRetain }

// refusedFor is a deletion that the Hub has refused for so long.
func refusedFor(d time.Duration) with {
	return func(o *Observed) {
		_, t := FailedCall(Delete, &hub.Error{Kind: hub.Invalid, Outcome: hub.NotApplied})
		o.Local.RetryAt, o.Local.Problem, o.Local.ProblemTime = noon.Add(time.Second), t, d
	}
}

func forbids(o *Observed) { o.Local.Problem.Reason = v1alpha1.ReasonForbidden }

func deleteScenes() []scene {
	const (
		notHeld = "a resource without the operator's finalizer is left alone"
		givenUp = "a webhook that the user gives up is left behind"
		retain  = "a retained webhook is left behind"
		never   = "a resource that has no webhook is released"
		owned   = "a resource that has no webhook is released"
		noKey   = "API key usable"
		isDown0 = "Hub accepts calls"
		changed = "presence of the webhook known"
		later   = "retry due"
		dup     = "a duplicate of a lost answer is deleted"
		deletes = "the webhook is deleted"
		looks   = "presence of the webhook known"
		open    = "outcome of the registration known"
		own     = "the webhook of an unconfirmed registration is deleted"
		goes    = "the webhook of an unconfirmed registration is deleted"
	)
	blocked := v1alpha1.ReasonDeletionBlocked
	ago := func(d time.Duration) time.Time { return noon.Add(-d) }
	now := deletedFor(time.Second)
	closed := remembered(func(m *LocalState) { m.IntentClosed = true })
	keylessSince := func(d time.Duration) with {
		return remembered(func(m *LocalState) { m.KeyProblemSince = ago(d) })
	}
	lost := []with{unregistered, intent(ago(time.Minute)), listedAt(noon)}
	gone := func(changes ...with) *Observed { return observed(append(lost, append(changes, now)...)...) }
	return []scene{
		{name: "deleted on the Hub and not released", o: observed(deletedFor(time.Second), remembered(func(m *LocalState) { m.DeletedID = mine }), keyless), rule: "a resource that has no webhook is released", action: Release},
		{name: "being deleted", o: observed(now), rule: deletes, action: Delete, id: mine},
		{name: "being deleted while suspended", o: observed(now, spec(suspend)), rule: deletes, action: Delete, id: mine},
		{name: "being deleted while the webhook was not seen", o: observed(now, unseenYet), rule: deletes, action: Delete, id: mine},
		{name: "being deleted before the Hub was listed", o: observed(now, unseenYet, listedAt(time.Time{})), need: looks, action: Rest, recheck: 5 * time.Second, is: func(p Plan) bool { return p.Hold }},
		{name: "being deleted while the webhook that only status tells of was not seen", o: observed(now, unseenYet, func(o *Observed) { o.Unproved = true }), need: looks, action: Rest, recheck: 5 * time.Second, is: func(p Plan) bool { return p.Hold }},
		{name: "being deleted without our finalizer", o: observed(now, func(o *Observed) { o.Object.Finalizers = nil }), rule: notHeld, action: Rest, is: func(p Plan) bool { return p.Hold }},
		{
			name: "being deleted with the finalizer of another controller only", rule: notHeld, action: Rest, reason: v1alpha1.ReasonPending,
			o:  observed(now, keyless, func(o *Observed) { o.Object.Finalizers = []string{"example.com/x"} }),
			is: func(p Plan) bool { return !p.Hold && strings.Contains(p.Problem.Message, "example.com/x") },
		},
		{name: "retained", o: observed(now, spec(retaining), keyless), rule: retain, action: Release, id: mine, is: func(p Plan) bool { return !p.Unconfirmed }},
		{name: "retained with an open intent", o: gone(spec(retaining)), rule: retain, action: Release, is: func(p Plan) bool { return p.Unconfirmed }},
		{name: "retained with an open intent and its webhook", o: gone(spec(retaining), match(other, ago(time.Minute), "")), rule: retain, action: Release, id: other, is: func(p Plan) bool { return p.Unconfirmed }},
		{name: "never registered", o: observed(unregistered, func(o *Observed) { o.Object.Finalizers = []string{v1alpha1.WebhookFinalizer} }, now, keyless), rule: never, action: Release},
		{name: "never registered although the intent was written", o: gone(closed), rule: never, action: Release},
		{name: "of another resource", o: observed(now, func(o *Observed) { o.Owner = "chat/old" }), rule: owned, action: Release},

		{name: "given up", o: observed(now, annotated(v1alpha1.AnnotationForceOrphan, mine), keyless), rule: givenUp, action: Orphan, id: mine},
		{name: "another one was given up", o: observed(now, annotated(v1alpha1.AnnotationForceOrphan, other)), rule: deletes, action: Delete, id: mine},
		{name: "given up without an id", o: gone(annotated(v1alpha1.AnnotationForceOrphan, "unknown")), rule: givenUp, action: Orphan},
		{name: "another one was given up before an answer was lost", o: gone(annotated(v1alpha1.AnnotationForceOrphan, other)), rule: goes, action: Release},

		{name: "without a key", o: observed(now, keyless, keylessSince(time.Hour)), need: noKey, action: Rest, reason: blocked, recheck: keyRecheck},
		{name: "without a key for long", o: observed(deletedFor(15*time.Minute), keyless, keylessSince(time.Hour)), need: noKey, action: Orphan, id: mine},
		{name: "without a key, almost for long", o: observed(deletedFor(15*time.Minute-time.Second), keyless, keylessSince(time.Hour)), need: noKey, action: Rest, reason: blocked, recheck: time.Second},
		{name: "without a key since the operator came back", o: observed(deletedFor(time.Hour), keyless, keylessSince(10*time.Second), actingSince(ago(10*time.Second))), need: noKey, action: Rest, reason: blocked, recheck: 50 * time.Second},
		{name: "without a key since a minute, deleted long ago", o: observed(deletedFor(time.Hour), keyless, keylessSince(time.Minute)), need: noKey, action: Orphan, id: mine},
		{name: "refused", o: observed(now, onHub(refuses)), need: isDown0, action: Rest, reason: blocked, recheck: keyRecheck},
		{name: "refused for long", o: observed(deletedFor(time.Hour), onHub(refuses), keylessSince(time.Hour)), need: isDown0, action: Orphan, id: mine},
		{name: "without a key after an answer was lost, for long", o: observed(unregistered, intent(ago(2*time.Hour)), keyless, keylessSince(time.Hour), deletedFor(time.Hour)), need: noKey, action: Orphan},
		{name: "down", o: observed(deletedFor(99*time.Hour), onHub(isDown)), need: isDown0, action: Rest, reason: blocked},

		{name: "gone, and the key is another one", o: observed(now, absent, foreignKey), need: changed, action: Rest, reason: blocked, recheck: keyRecheck},
		{name: "gone, and the key is another one than status could be told of", o: observed(now, absent, untold, foreignKey), need: changed, action: Rest, reason: blocked, recheck: keyRecheck},
		{name: "gone, and the key is another one for long", o: observed(deletedFor(time.Hour), absent, foreignKey), need: changed, action: Orphan, id: mine},
		{name: "not seen, and the key is another one", o: observed(now, unseenYet, foreignKey), need: changed, action: Rest, recheck: unseenRecheck, is: func(p Plan) bool { return p.Hold }},
		{name: "there, and the key is another one", o: observed(now, foreignKey), rule: deletes, action: Delete, id: mine},
		{name: "gone", o: observed(now, absent), rule: deletes, action: Delete, id: mine},
		{name: "failed a moment ago", o: observed(now, retryIn(time.Second)), need: later, action: Rest, reason: blocked, recheck: time.Second},
		{name: "refused for long by the Hub", o: observed(deletedFor(time.Hour), refusedFor(time.Minute)), need: later, action: Orphan, id: mine},
		{name: "refused for long by the Hub, of a lost answer", o: observed(append(lost, match(other, ago(time.Minute), ""), refusedFor(time.Hour), deletedFor(time.Hour))...), need: later, action: Orphan, id: other},
		{name: "forbidden for long by the Hub", o: observed(deletedFor(time.Hour), refusedFor(time.Minute), forbids), need: later, action: Orphan, id: mine},
		{name: "refused by the Hub", o: observed(now, refusedFor(time.Minute)), need: later, action: Rest, reason: blocked, recheck: time.Second},
		{name: "refused by the Hub for a moment, deleted long ago", o: observed(deletedFor(time.Hour), refusedFor(time.Minute-time.Second)), need: later, action: Rest, reason: blocked, recheck: time.Second},
		{name: "failed for long", o: observed(deletedFor(time.Hour), retryIn(time.Second), remembered(func(m *LocalState) { m.ProblemTime = time.Hour })), need: later, action: Rest, reason: blocked, recheck: time.Second},
		{name: "failed a moment ago, and an attempt is asked for", o: observed(now, retryIn(time.Hour), asked), rule: deletes, action: Delete, id: mine, is: func(p Plan) bool { return p.Served(true) }},
		{name: "failed some time ago", o: observed(now, retryIn(0)), rule: deletes, action: Delete, id: mine},
		{name: "two of them after a repeated registration", o: observed(now, intent(ago(time.Hour)), retried(ago(time.Hour)), match(other, ago(time.Hour), "")), rule: dup, action: DeleteDuplicate, id: other, is: func(p Plan) bool { return p.Hold }},

		{name: "two of them, of which the other is not deleted although that was asked for", o: observed(now, retryIn(time.Hour), asked, intent(ago(time.Hour)), retried(ago(time.Hour)), match(other, ago(time.Hour), "")), rule: dup, action: DeleteDuplicate, id: other, is: func(p Plan) bool { return p.Served(true) && !p.Served(false) }},

		{name: "deleted with an open intent", o: gone(unsettledSince(time.Second)), need: open, action: AwaitListing, reason: v1alpha1.ReasonCreateUnconfirmed},
		{name: "deleted with an open intent that was removed", o: gone(intentRemoved(ago(time.Minute)), unsettledSince(time.Second)), need: open, action: AwaitListing, reason: v1alpha1.ReasonCreateUnconfirmed},
		{name: "deleted with an open intent that was removed and its webhook", o: gone(intentRemoved(ago(time.Minute)), match(other, ago(time.Minute), "")), rule: own, action: DeleteDuplicate, id: other},
		{name: "deleted with an open intent and its webhook", o: gone(match(other, ago(time.Minute), "")), rule: own, action: DeleteDuplicate, id: other},
		{name: "deleted with an open intent and two webhooks, repeated", o: gone(retried(ago(time.Minute)), match(other, ago(time.Minute), ""), match(another, ago(time.Minute), "")), rule: own, action: DeleteDuplicate, id: other},
		{name: "deleted with an open intent and two webhooks", o: gone(match(other, ago(time.Minute), ""), match(another, ago(time.Minute), "")), rule: own, action: Rest, reason: blocked},
		{name: "deleted with an open intent and another's webhook", o: gone(match(other, ago(time.Minute), "chat/other")), rule: goes, action: Release},
		{name: "deleted with an open intent whose call was made with another key", o: gone(keyed), rule: "the webhook of an unconfirmed registration is deleted", action: Orphan},
		{name: "deleted with an open intent and an old webhook", o: gone(match(other, ago(2*time.Hour), "")), rule: goes, action: Release},
		{name: "deleted with an open intent and a webhook that is older by a clock that may be wrong", o: gone(match(other, ago(30*time.Minute), "")), rule: own, action: Rest, reason: v1alpha1.ReasonDeletionBlocked, recheck: time.Minute},
		{name: "deleted with an open intent and a webhook made as late as a registration may be carried out", o: gone(intent(ago(2*time.Hour)), match(other, ago(2*time.Hour-lateCommit), "")), rule: own, action: DeleteDuplicate, id: other},
		{name: "deleted with an open intent and a webhook made later than a registration may be carried out", o: gone(intent(ago(2*time.Hour)), match(other, ago(2*time.Hour-lateCommit-time.Second), "")), rule: own, action: Rest, reason: v1alpha1.ReasonDeletionBlocked, recheck: time.Minute},
		{name: "deleted with an intent repeated long ago and the webhook made then", o: gone(func(o *Observed) { o.Object.CreationTimestamp = metav1.NewTime(ago(3 * sweepTime)) }, intent(ago(3*sweepTime)), retried(ago(2*sweepTime)), match(other, ago(2*sweepTime), "")), rule: own, action: DeleteDuplicate, id: other},
		{name: "deleted with an open intent and a webhook of unknown age", o: gone(match(other, time.Time{}, "")), rule: own, action: Rest, reason: v1alpha1.ReasonDeletionBlocked, recheck: time.Minute},
		{name: "deleted with an open intent and no webhook", o: gone(), rule: goes, action: Release},
	}
}
