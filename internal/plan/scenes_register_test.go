package plan

import (
	"strings"
	"time"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

func never(s *v1alpha1.Chatt2WebhookSpec) { s.Adoption.Policy = v1alpha1.AdoptNever }

func byID(s *v1alpha1.Chatt2WebhookSpec) { s.Adoption.WebhookID = new(other) }

func wanted(p Presence) with { return func(o *Observed) { o.Wanted.Presence = p } }

func listedAt(at time.Time) with { return onHub(func(h *Hub) { h.ListedAt = at }) }

// listing is a first listing under way.
func listing(pages, read int) with {
	return onHub(func(h *Hub) { h.ListedAt, h.Pages, h.PagesRead = time.Time{}, pages, read })
}

// unkept: the API server has just not kept what is recorded of a registration.
var unkept = remembered(func(m *LocalState) { m.UnkeptUntil = noon.Add(time.Hour) })

func actingSince(at time.Time) with { return func(o *Observed) { o.Settings.ActingSince = at } }

func signing(s *v1alpha1.Chatt2WebhookSpec) { s.RequiresSignature = true }

func foreign(s *SigningSecret) { s.Exists, s.Foreign = true, true }

func retryIn(d time.Duration) with {
	return remembered(func(m *LocalState) {
		m.RetryAt, m.Problem = noon.Add(d), problem(v1alpha1.ConditionSynced, v1alpha1.ReasonThrottled)
	})
}

func rejects(m *LocalState) {
	m.Rejected = problem(v1alpha1.ConditionSynced, v1alpha1.ReasonRejected)
	m.Rejected.Stalled, m.RejectedUntil = true, noon.Add(time.Hour)
}

func headerless(o *Observed) {
	o.Headers = Headers{Hash: "new", Problem: problem(v1alpha1.ConditionSynced, v1alpha1.ReasonHeaderSourceNotFound)}
}

func keyed(o *Observed) { o.OtherKey = true }

func registerScenes() []scene {
	const (
		others    = "a registration with another API key is given up"
		open      = "outcome of the registration known"
		named     = "an existing webhook is adopted"
		unlisted  = "webhooks listed"
		own       = "the webhook of an unconfirmed registration is adopted"
		atLast    = "a webhook that another resource claims is left to it"
		match1    = "an existing webhook is adopted"
		dup       = "a duplicate of a lost answer is deleted"
		later     = "retry due"
		withdraws = "the intent of a rejected registration is withdrawn"
		rejected  = "spec accepted by the Hub"
		conflict  = "what keeps a registration from starting is reported"
		noHeaders = "what keeps a registration from starting is reported"
		creates   = "a webhook that does not exist is registered"
		yields    = "of two webhooks registered at once the younger resource deletes its own"
		atOnce    = "a webhook that another resource claims is left to it"
	)
	registering := v1alpha1.ReasonRegistering
	ago := func(d time.Duration) time.Time { return noon.Add(-d) }
	closed := remembered(func(m *LocalState) { m.IntentClosed = true })
	olderHas := func(o *Observed) { o.OlderClaimant = "chat/old" }
	return []scene{
		{name: "what is recorded of a registration is not kept", o: observed(unregistered, unkept), rule: "what keeps a registration from starting is reported", action: Rest, reason: v1alpha1.ReasonMetadataRejected, recheck: time.Hour},
		{name: "what is recorded of a registration is not kept, and a look was asked for", o: observed(unregistered, unkept, asked, listedAt(noon.Add(time.Second))), rule: creates, action: Create, reason: v1alpha1.ReasonRegistering, is: func(p Plan) bool { return p.Serves }},
		{name: "the finalizer is not kept", o: observed(unkept, func(o *Observed) { o.Object.Finalizers = nil }, remote(drifted)), rule: "what differs on the Hub is updated", action: Update, id: mine, reason: v1alpha1.ReasonUpdating},
		{name: "new", o: observed(unregistered), rule: creates, action: Create, reason: registering, is: func(p Plan) bool { return !p.Retried }},
		{name: "new and the Hub was not listed", o: observed(unregistered, listedAt(time.Time{})), need: unlisted, action: AwaitListing, recheck: time.Minute, is: func(p Plan) bool { return p.Hold }},
		{name: "new and the Hub is being listed", o: observed(unregistered, listing(103, 3), remembered(func(m *LocalState) { m.SeenAt = ago(10 * time.Second) })), need: unlisted, action: AwaitListing, recheck: 20 * time.Second, is: func(p Plan) bool { return p.Hold }},
		{name: "new and the Hub is being listed for long", o: observed(unregistered, listing(103, 53), remembered(func(m *LocalState) { m.SeenAt = ago(time.Minute) })), need: unlisted, action: AwaitListing, reason: v1alpha1.ReasonPending, recheck: time.Minute, is: func(p Plan) bool { return !p.Hold && strings.Contains(p.Problem.Message, "half of 103 pages") }},
		{name: "an intent of ours whose call was not made", o: observed(unregistered, intent(ago(time.Second)), closed), rule: creates, action: Create, reason: registering, is: func(p Plan) bool { return !p.Retried }},

		{
			name: "an intent of an earlier process", need: open, action: AwaitListing, reason: v1alpha1.ReasonCreateUnconfirmed, recheck: 90*time.Second - 10*time.Second,
			o:  observed(unregistered, intent(ago(time.Hour)), actingSince(ago(10*time.Second)), listedAt(noon)),
			is: func(p Plan) bool { return p.ListingAfter.Equal(noon.Add(20 * time.Second)) },
		},
		{
			name: "an intent whose answer this process lost", need: open, action: AwaitListing, reason: v1alpha1.ReasonCreateUnconfirmed,
			o:  observed(unregistered, intent(ago(time.Minute)), unsettledSince(time.Second), listedAt(noon)),
			is: func(p Plan) bool { return p.ListingAfter.Equal(noon.Add(29 * time.Second)) },
		},
		{
			name: "an intent that another shard wrote a moment ago", need: open, action: AwaitListing, reason: v1alpha1.ReasonCreateUnconfirmed,
			o:  observed(unregistered, intent(ago(time.Second)), listedAt(noon)),
			is: func(p Plan) bool { return p.ListingAfter.Equal(noon.Add(30 * time.Second)) },
		},
		{
			name: "an intent that another shard has just repeated", need: open, action: AwaitListing, reason: v1alpha1.ReasonCreateUnconfirmed,
			o:  observed(unregistered, intent(ago(time.Hour)), retried(ago(2*time.Second)), listedAt(noon)),
			is: func(p Plan) bool { return p.ListingAfter.Equal(noon.Add(29 * time.Second)) },
		},
		{
			name: "an intent that settled long ago and no listing comes", need: open, action: AwaitListing, reason: v1alpha1.ReasonCreateUnconfirmed, recheck: time.Minute,
			o: observed(unregistered, intent(ago(2*time.Hour)), listedAt(time.Time{})),
		},
		{name: "an open intent and a listing begun when it had settled", o: observed(unregistered, intent(ago(2*time.Hour)), listedAt(ago(time.Hour-30*time.Second))), rule: creates, action: Create, reason: registering, is: func(p Plan) bool { return p.Retried }},
		{name: "an open intent and a listing begun a moment too early", o: observed(unregistered, intent(ago(2*time.Hour)), listedAt(noon.Add(-time.Hour+29*time.Second))), need: open, action: AwaitListing, reason: v1alpha1.ReasonCreateUnconfirmed},
		{
			name: "an intent of which no time can be read", rule: own, action: Adopt, id: other, reason: registering,
			o: observed(unregistered, intent(noon), annotated(v1alpha1.AnnotationCreateStartedAt, "yesterday"), match(other, ago(23*time.Hour), ""), listedAt(noon)),
		},

		{
			name: "an intent of a time that is still to come", rule: own, action: Adopt, id: other, reason: registering,
			o: observed(unregistered, intent(noon.Add(time.Hour)), match(other, ago(23*time.Hour), ""), listedAt(noon)),
		},
		{name: "an intent that was copied from another resource", o: observed(unregistered, spec(never), intent(ago(72*time.Hour)), match(other, ago(48*time.Hour), "")), rule: match1, action: Rest, reason: v1alpha1.ReasonAlreadyExists},
		{name: "an intent and a repetition that were copied from another resource", o: observed(unregistered, spec(never), intent(ago(72*time.Hour)), retried(ago(48*time.Hour)), match(other, ago(48*time.Hour), "")), rule: match1, action: Rest, reason: v1alpha1.ReasonAlreadyExists},
		{name: "the webhook of a lost answer", o: observed(unregistered, intent(ago(time.Minute)), match(other, ago(time.Minute), "")), rule: own, action: Adopt, id: other, reason: registering},
		{name: "the webhook of a lost answer and an older resource that declares the same", o: observed(unregistered, intent(ago(time.Minute)), match(other, ago(time.Minute), ""), olderHas), rule: own, action: Adopt, id: other, reason: registering},
		{name: "nothing of a lost answer and an older resource that declares the same", o: observed(unregistered, intent(ago(time.Minute)), olderHas), rule: atLast, action: Rest, reason: v1alpha1.ReasonConflict},
		{name: "the webhook of a lost answer by a clock that is behind", o: observed(unregistered, intent(ago(time.Minute)), match(other, ago(time.Minute+clockSkew), "")), rule: own, action: Adopt, id: other, reason: registering},
		{name: "the webhook of a lost answer with policy Never", o: observed(unregistered, spec(never), intent(ago(time.Minute)), match(other, ago(time.Minute), "")), rule: own, action: Adopt, id: other, reason: registering},
		{name: "the older of two webhooks of lost answers", o: observed(unregistered, intent(ago(time.Minute)), match(other, ago(50*time.Second), ""), match(another, ago(40*time.Second), "")), rule: own, action: Adopt, id: other, reason: registering},
		{name: "a webhook older than the intent", o: observed(unregistered, spec(never), intent(ago(time.Minute)), match(other, ago(time.Minute+clockSkew+time.Second), "")), rule: match1, action: Rest, reason: v1alpha1.ReasonAlreadyExists},
		{name: "a webhook made later than a registration may be carried out", o: observed(unregistered, spec(never), intent(ago(2*time.Hour)), match(other, ago(2*time.Hour-lateCommit-time.Second), "")), rule: match1, action: Rest, reason: v1alpha1.ReasonAlreadyExists},
		{name: "a webhook made long after a registration and before it was repeated", o: observed(unregistered, spec(never), intent(ago(5*time.Hour)), retried(ago(2*time.Hour)), match(other, ago(3*time.Hour), ""), listedAt(noon)), rule: match1, action: Rest, reason: v1alpha1.ReasonAlreadyExists},
		{name: "a webhook made long after an intent of which no time can be read", o: observed(unregistered, spec(never), intent(noon), annotated(v1alpha1.AnnotationCreateStartedAt, "yesterday"), match(other, ago(time.Hour), ""), listedAt(noon)), rule: own, action: Adopt, id: other, reason: registering},
		{name: "the webhook of a registration repeated later", o: observed(unregistered, spec(never), intent(ago(5*time.Hour)), retried(ago(2*time.Hour)), match(other, ago(2*time.Hour-lateCommit), "")), rule: own, action: Adopt, id: other, reason: registering},
		{name: "a webhook that another registered meanwhile", o: observed(unregistered, intent(ago(time.Minute)), match(other, ago(time.Minute), "chat/other")), rule: match1, action: Rest, reason: v1alpha1.ReasonConflict},

		{name: "what was registered at the same moment as the webhook of an older resource", o: observed(olderHas, match(other, ago(time.Hour), "chat/old")), rule: yields, action: DeleteYounger, id: mine, is: func(p Plan) bool { return p.Other == other && p.Hold }},
		{name: "what was adopted and an older resource has another one", o: observed(olderHas, match(other, ago(time.Hour), "chat/old"), func(o *Observed) { delete(o.Object.Annotations, v1alpha1.AnnotationCreateStartedAt) }), rule: atOnce, action: Rest, reason: v1alpha1.ReasonConflict},
		{name: "what is older than the registration and an older resource has another one", o: observed(olderHas, match(other, ago(time.Hour), "chat/old"), intent(ago(time.Hour))), rule: atOnce, action: Rest, reason: v1alpha1.ReasonConflict},
		{name: "what spec does not say any more and an older resource has that", o: observed(olderHas, match(other, ago(time.Hour), "chat/old"), remote(drifted)), rule: atOnce, action: Rest, reason: v1alpha1.ReasonConflict},
		{name: "an older resource whose webhook is not there", o: observed(olderHas, match(other, ago(time.Hour), "")), rule: atOnce, action: Rest, reason: v1alpha1.ReasonConflict},
		{name: "what was registered at the same moment, and the Hub is down", o: observed(olderHas, match(other, ago(time.Hour), "chat/old"), onHub(func(h *Hub) { h.Down = true })), rule: atOnce, action: Rest, reason: v1alpha1.ReasonConflict},
		{name: "a webhook like the own one that nobody is known to have", o: observed(func(o *Observed) { o.Unclaimed = true }, match(other, ago(time.Hour), "")), rule: "a webhook in sync is left alone", action: Rest, recheck: time.Minute},

		{name: "one match", o: observed(unregistered, match(other, ago(time.Hour), "")), rule: match1, action: Adopt, id: other, reason: registering},
		{name: "two matches", o: observed(unregistered, match(other, ago(time.Hour), ""), match(another, ago(time.Hour), "")), rule: match1, action: Rest, reason: v1alpha1.ReasonAmbiguousMatch},
		{name: "one match with policy Never", o: observed(unregistered, spec(never), match(other, ago(time.Hour), "")), rule: match1, action: Rest, reason: v1alpha1.ReasonAlreadyExists},
		{name: "a match that belongs to another", o: observed(unregistered, match(other, ago(time.Hour), "chat/other")), rule: match1, action: Rest, reason: v1alpha1.ReasonConflict},
		{name: "a match without a label that belongs to another", o: observed(unregistered, match(other, ago(time.Hour), "chat/other", unlabelled)), rule: creates, action: Create, reason: registering},
		{name: "a match without a label", o: observed(unregistered, match(other, ago(time.Hour), "", unlabelled)), rule: match1, action: Adopt, id: other, reason: registering},
		{name: "a match of a registered resource", o: observed(match(other, ago(time.Hour), "")), rule: inSync, action: Rest},

		{name: "named while the webhook of a lost answer is there", o: observed(unregistered, spec(byID), wanted(Present), intent(ago(time.Minute)), match(another, ago(time.Minute), "")), rule: own, action: Adopt, id: another, reason: registering},
		{name: "named and the webhook of a lost answer", o: observed(unregistered, spec(byID), wanted(Present), intent(ago(time.Minute)), match(other, ago(time.Minute), "")), rule: named, action: Adopt, id: other, reason: registering},
		{name: "named and there", o: observed(unregistered, spec(byID), wanted(Present)), rule: named, action: Adopt, id: other, reason: registering},
		{name: "named and not there", o: observed(unregistered, spec(byID), wanted(Absent)), rule: named, action: Rest, reason: v1alpha1.ReasonWebhookNotFound},
		{name: "named and not seen", o: observed(unregistered, spec(byID)), rule: named, action: Rest, recheck: time.Minute, is: func(p Plan) bool { return p.Hold }},
		{name: "named and another's", o: observed(unregistered, spec(byID), wanted(Present), func(o *Observed) { o.Owner = "chat/other" }), rule: named, action: Rest, reason: v1alpha1.ReasonConflict},
		{name: "named when it has one already", o: observed(spec(byID)), rule: "a resource that has a webhook does not adopt another", action: Rest, reason: v1alpha1.ReasonAlreadyRegistered},

		{name: "a second webhook after a repeated registration", o: observed(intent(ago(time.Hour)), retried(ago(time.Hour)), match(other, ago(time.Hour), "")), rule: dup, action: DeleteDuplicate, id: other, is: func(p Plan) bool { return p.Hold }},
		{name: "a second webhook without a repeated registration", o: observed(intent(ago(time.Hour)), match(other, ago(time.Hour), "")), rule: inSync, action: Rest},
		{name: "a second webhook older than the intent", o: observed(intent(ago(time.Hour)), retried(ago(time.Hour)), match(other, ago(time.Hour+time.Second), "")), rule: inSync, action: Rest},
		{name: "a second webhook that belongs to another", o: observed(intent(ago(time.Hour)), retried(ago(time.Hour)), match(other, ago(time.Hour), "chat/other")), rule: inSync, action: Rest},
		{name: "a second webhook that shows no label", o: observed(intent(ago(time.Hour)), retried(ago(time.Hour)), match(other, ago(time.Hour), "", unlabelled)), rule: inSync, action: Rest},
		{name: "a second webhook that was seen long after the repetition", o: observed(intent(ago(sweepTime)), retried(ago(sweepTime)), match(other, ago(sweepTime), "")), rule: inSync, action: Rest},
		{name: "a second webhook made long before a repetition and long after the first", o: observed(intent(ago(5*time.Hour)), retried(ago(2*time.Hour)), match(other, ago(3*time.Hour), "")), rule: inSync, action: Rest},
		{name: "a second webhook made as late as a registration may be carried out", o: observed(intent(ago(3*time.Hour)), retried(ago(2*time.Hour)), match(other, ago(2*time.Hour-lateCommit), "")), rule: dup, action: DeleteDuplicate, id: other},
		{name: "a second webhook made after a repetition of a time that is still to come", o: observed(intent(ago(time.Hour)), retried(noon.Add(time.Hour)), match(other, ago(time.Hour), "")), rule: inSync, action: Rest},
		{name: "a second webhook made later than a registration may be carried out", o: observed(intent(ago(3*time.Hour)), retried(ago(2*time.Hour)), match(other, ago(2*time.Hour-lateCommit-time.Second), "")), rule: inSync, action: Rest},

		{name: "a call failed a moment ago", o: observed(unregistered, retryIn(time.Second)), need: later, action: Rest, reason: v1alpha1.ReasonThrottled, recheck: time.Second},
		{name: "a call failed some time ago", o: observed(unregistered, retryIn(0)), rule: creates, action: Create, reason: registering},
		{name: "a call failed and a look is asked for", o: observed(remote(drifted), retryIn(time.Second), asked, seenAt(noon)), rule: "what differs on the Hub is updated", action: Update, id: mine, reason: v1alpha1.ReasonUpdating, is: func(p Plan) bool { return p.Serves }},
		{name: "the Hub refused it", o: observed(unregistered, remembered(rejects)), need: rejected, action: Rest, reason: v1alpha1.ReasonRejected},
		{name: "the Hub refused it and that it was tried is written down", o: observed(unregistered, intent(ago(time.Minute)), closed, remembered(rejects)), rule: withdraws, action: WithdrawIntent, reason: v1alpha1.ReasonRejected},
		{name: "the Hub refused it and an earlier one is open", o: observed(unregistered, intent(ago(2*time.Hour)), listedAt(noon), remembered(rejects)), need: rejected, action: Rest, reason: v1alpha1.ReasonRejected},
		{name: "an intent of which nothing shows and whose call was made with another key", o: observed(unregistered, intent(ago(time.Minute)), listedAt(noon), keyed), rule: others, action: Forget, reason: registering},
		{name: "a call with another key that came to nothing", o: observed(unregistered, intent(ago(time.Minute)), closed, listedAt(noon), keyed), rule: creates, action: Create, reason: registering},
		{name: "the Hub refused it an hour ago", o: observed(unregistered, remembered(rejects), now(time.Hour), listedAt(noon.Add(time.Hour))), rule: creates, action: Create, reason: registering},
		{name: "the Hub refused it and a look is asked for", o: observed(unregistered, remembered(rejects), asked, listedAt(noon)), rule: creates, action: Create, reason: registering, is: func(p Plan) bool { return p.Serves }},
		{name: "the signing Secret is another's", o: observed(unregistered, spec(signing), secret(foreign)), rule: conflict, action: Rest, reason: v1alpha1.ReasonSecretConflict},
		{name: "a Secret is another's and nothing is signed", o: observed(unregistered, secret(foreign)), rule: creates, action: Create, reason: registering},
		{name: "the source of a header is missing", o: observed(unregistered, headerless), rule: noHeaders, action: Rest, reason: v1alpha1.ReasonHeaderSourceNotFound, recheck: keyRecheck},
		{name: "the source of a header is missing after registration", o: observed(headerless), rule: inSync, action: Rest},
	}
}
