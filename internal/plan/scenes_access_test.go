package plan

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
)

const inSync = "a webhook in sync is left alone"

func createdAgo(d time.Duration) with {
	return func(o *Observed) { o.Object.CreationTimestamp = metav1.NewTime(noon.Add(-d)) }
}

func suspend(s *v1alpha1.Chatt2WebhookSpec) { s.Suspend = true }

func refuses(h *Hub) { h.Refused = true }

func isDown(h *Hub) { h.Down = true }

// asked is a request to look again, first seen a second ago.
func asked(o *Observed) {
	o.Object.Annotations[v1alpha1.AnnotationReconcileRequestedAt] = "now"
	o.Local.Requested = o.Now.Add(-time.Second)
}

func seenAt(at time.Time) with { return func(o *Observed) { o.Remote.SeenAt = at } }

func held(m *LocalState) { m.Held = true }

func drifted(w *hub.Webhook) { w.Endpoint = "https://hooks.example/other" }

func keyless(o *Observed) {
	o.Key = Key{Problem: problem(v1alpha1.ConditionSynced, v1alpha1.ReasonAPIKeyNotFound)}
}

// foreignKey is a key that is not the one of the last success.
func foreignKey(o *Observed) { o.Key.Hash, o.Hub.ApplicationID = "another key", "" }

// untold is a webhook that only this process knows of.
func untold(o *Observed) {
	o.Local.WebhookID, o.Local.ApplicationID, o.Local.APIKeyHash = mine, "app", "key"
	o.Object.Status = v1alpha1.Chatt2WebhookStatus{ObservedGeneration: -1}
}

func unsettledSince(d time.Duration) with {
	return remembered(func(m *LocalState) {
		m.Unsettled, m.Problem = noon.Add(-d), problem(v1alpha1.ConditionSynced, v1alpha1.ReasonHubUnavailable)
	})
}

func accessScenes() []scene {
	const (
		metadata  = "removed finalizers and create intents are restored"
		heldFirst = "a secret that could not be stored is stored"
		suspended = "a suspended resource is left alone"
		noKey     = "API key usable"
		claimant  = "a webhook that another resource claims is left to it"
		left      = "a webhook that another resource claims is left to it"
		owned     = "a webhook that another resource claims is left to it"
		refused   = "Hub accepts calls"
		isDownNow = "Hub accepts calls"
		givenUp   = "a webhook that the user gives up is left behind"
		unseen    = "presence of the webhook known"
		changed   = "presence of the webhook known"
		deleted   = "a webhook that was deleted on the Hub is forgotten"
		settles   = "observation fresh"
		request   = "observation fresh"
	)
	served := func(p Plan) bool { return p.Serves }
	notServed := func(p Plan) bool { return !p.Serves }
	held := remembered(held)
	return []scene{
		{name: "all is well", o: observed(), rule: inSync, action: Rest},

		{name: "a secret is held", o: observed(held, spec(suspend)), rule: heldFirst, action: StoreSecret},
		{
			name: "a secret is held and was not stored a moment ago", rule: inSync, action: Rest, recheck: time.Second,
			o: observed(held, remembered(func(m *LocalState) {
				m.SecretRetryAt, m.SecretProblem = noon.Add(time.Second), problem(v1alpha1.ConditionSigningSecretReady, v1alpha1.ReasonSecretNotStored)
			})),
		},
		{name: "the finalizer was taken away", o: observed(func(o *Observed) { o.Object.Finalizers = nil }), rule: metadata, action: RestoreMetadata},
		{name: "what was written down of a registration was removed", o: observed(unregistered, intentRemoved(noon.Add(-time.Minute)), retryIn(time.Second)), rule: metadata, action: RestoreMetadata},
		{name: "when a registration was repeated was removed", o: observed(unregistered, intent(noon), remembered(func(m *LocalState) {
			m.Intent = map[string]string{v1alpha1.AnnotationCreateRetriedAt: stamp(noon)}
		})), rule: metadata, action: RestoreMetadata},
		{name: "suspended", o: observed(spec(suspend), remote(drifted), keyless), rule: suspended, action: Rest, reason: v1alpha1.ReasonSuspended},
		{name: "suspended while a look is asked for", o: observed(spec(suspend), asked), rule: suspended, action: Rest, reason: v1alpha1.ReasonSuspended, is: notServed},
		{name: "without a key", o: observed(keyless), need: noKey, action: Rest, reason: v1alpha1.ReasonAPIKeyNotFound, recheck: keyRecheck},
		{name: "an older resource declares the same", o: observed(unregistered, func(o *Observed) { o.OlderClaimant = "chat/old" }), rule: claimant, action: Rest, reason: v1alpha1.ReasonConflict},
		{name: "an older resource declares the same as one that was just created", o: observed(unregistered, createdAgo(10*time.Second), func(o *Observed) { o.OlderClaimant = "chat/old" }), rule: claimant, action: Rest, reason: v1alpha1.ReasonConflict, recheck: 20 * time.Second, is: func(p Plan) bool { return !p.Problem.Stalled }},
		{name: "an older resource declares the same as one that was created 30 s ago", o: observed(unregistered, createdAgo(30*time.Second), func(o *Observed) { o.OlderClaimant = "chat/old" }), rule: claimant, action: Rest, reason: v1alpha1.ReasonConflict, recheck: time.Minute, is: func(p Plan) bool { return p.Problem.Stalled }},
		{name: "an older resource declares the same as one of a time to come", o: observed(unregistered, createdAgo(-time.Hour), func(o *Observed) { o.OlderClaimant = "chat/old" }), rule: claimant, action: Rest, reason: v1alpha1.ReasonConflict, is: func(p Plan) bool { return p.Problem.Stalled }},
		{name: "the webhook belongs to another that is being deleted", o: observed(func(o *Observed) { o.Owner, o.Leaving = "chat/old", []string{"chat/old"} }), rule: owned, action: Rest, reason: v1alpha1.ReasonConflict, is: func(p Plan) bool { return !p.Problem.Stalled }},
		{name: "the webhook belongs to another", o: observed(func(o *Observed) { o.Owner = "chat/old" }), rule: owned, action: Rest, reason: v1alpha1.ReasonConflict},
		{name: "the webhook belongs to another that declares something else", o: observed(func(o *Observed) { o.Owner, o.OwnerDiffers = "chat/old", true }), rule: left, action: Yield, id: mine, reason: v1alpha1.ReasonRegistering},
		{name: "the key is refused", o: observed(onHub(refuses), remote(drifted)), need: refused, action: Rest, reason: v1alpha1.ReasonAPIKeyRefused},
		{name: "the Hub asked for a long pause", o: observed(unregistered, onHub(func(h *Hub) { h.PausedUntil = noon.Add(time.Minute) })), need: "calls not paused", action: Rest, reason: v1alpha1.ReasonThrottled, recheck: time.Minute},
		{name: "the Hub is down", o: observed(onHub(isDown), remote(drifted)), need: isDownNow, action: Rest, reason: v1alpha1.ReasonHubUnavailable},
		{
			name: "the Hub is down while a previous secret is past its time", rule: "an expired previous secret is removed", action: PruneSecret,
			o: observed(signedSince(noon.Add(-time.Hour)), onHub(isDown), secret(func(s *SigningSecret) {
				s.HasPrevious, s.PreviousExpiresAt = true, noon.Add(-time.Minute)
			})),
			is: func(p Plan) bool { return p.Recheck == 0 },
		},

		{name: "forced orphan of this webhook", o: observed(annotated(v1alpha1.AnnotationForceOrphan, mine)), rule: givenUp, action: Forget, id: mine, reason: v1alpha1.ReasonRegistering},
		{name: "forced orphan of a former webhook", o: observed(annotated(v1alpha1.AnnotationForceOrphan, other)), rule: inSync, action: Rest},

		{name: "the webhook was not seen yet", o: observed(unseenYet), need: unseen, action: Rest, recheck: unseenRecheck, is: func(p Plan) bool { return p.Hold && !p.Serves }},
		{name: "a look is asked for while the webhook was not seen yet", o: observed(unseenYet, asked), need: unseen, action: Rest, is: notServed},
		{name: "it is gone and the key is another one", o: observed(absent, foreignKey), need: changed, action: Rest, reason: v1alpha1.ReasonApplicationChanged},
		{name: "it is gone and the listing is of another Application", o: observed(absent, onHub(func(h *Hub) { h.ApplicationID = "another" })), need: changed, action: Rest, reason: v1alpha1.ReasonApplicationChanged},
		{name: "it is gone and the key is another one than status could be told of", o: observed(absent, untold, foreignKey), need: changed, action: Rest, reason: v1alpha1.ReasonApplicationChanged},
		{name: "it is gone and the listing is of another Application than status could be told of", o: observed(absent, untold, onHub(func(h *Hub) { h.ApplicationID = "another" })), need: changed, action: Rest, reason: v1alpha1.ReasonApplicationChanged},
		{name: "it is gone and status could not be told of it", o: observed(absent, untold), rule: deleted, action: Forget, id: mine, reason: v1alpha1.ReasonRemotelyDeleted},
		{name: "it is gone, the key is another one, and of no Application", o: observed(absent, foreignKey, func(o *Observed) { o.Object.Status.ApplicationID = "" }), need: changed, action: Rest, reason: v1alpha1.ReasonApplicationChanged},
		{name: "it is gone, the key is another one, of the same Application", o: observed(absent, func(o *Observed) { o.Key.Hash = "another key" }), rule: deleted, action: Forget, id: mine, reason: v1alpha1.ReasonRemotelyDeleted},
		{name: "it is there although the key is another one", o: observed(foreignKey), rule: inSync, action: Rest},
		{name: "it may be another Application's and is given up", o: observed(absent, foreignKey, annotated(v1alpha1.AnnotationForceOrphan, mine)), rule: givenUp, action: Forget, id: mine, reason: v1alpha1.ReasonRegistering},
		{name: "it was deleted on the Hub", o: observed(absent), rule: deleted, action: Forget, id: mine, reason: v1alpha1.ReasonRemotelyDeleted},

		{name: "a call may still be carried out", o: observed(unsettledSince(10*time.Second), remote(drifted)), need: settles, action: Rest, reason: v1alpha1.ReasonHubUnavailable, recheck: 20 * time.Second},
		{name: "a call may still be carried out that spec has changed since", o: observed(remembered(func(m *LocalState) { m.Unsettled = noon.Add(-10 * time.Second) })), need: settles, action: Rest, reason: v1alpha1.ReasonUpdating, recheck: 20 * time.Second},
		{name: "a call has settled and nobody looked since", o: observed(unsettledSince(30*time.Second), seenAt(noon.Add(-time.Second)), remote(drifted)), need: settles, action: Observe, id: mine, reason: v1alpha1.ReasonHubUnavailable},
		{name: "a look is asked for when a call has settled", o: observed(unsettledSince(30*time.Second), seenAt(noon.Add(-time.Second)), asked), need: settles, action: Observe, id: mine, reason: v1alpha1.ReasonHubUnavailable, is: notServed},
		{name: "a call has settled and somebody looked since", o: observed(unsettledSince(30*time.Second), seenAt(noon)), rule: inSync, action: Rest},

		{name: "a look is asked for", o: observed(asked), need: request, action: Observe, id: mine, is: notServed},
		{name: "a look is asked for and was taken", o: observed(asked, seenAt(noon)), rule: inSync, action: Rest, is: served},
		{name: "a look is asked for before the registration", o: observed(unregistered, asked), need: request, action: AwaitListing, is: func(p Plan) bool { return p.ListingAfter.Equal(noon.Add(-time.Second)) && !p.Serves }},
		{
			name: "a look was asked for and answered, and status could not say so", rule: inSync, action: Rest, is: notServed,
			o: observed(asked, remembered(func(m *LocalState) { m.Answered = "now" })),
		},
		{
			name: "a look was asked for and answered", rule: inSync, action: Rest, is: notServed,
			o: observed(asked, func(o *Observed) { o.Object.Status.LastHandledReconcileAt = "now" }),
		},
	}
}
