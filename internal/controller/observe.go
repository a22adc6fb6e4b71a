package controller

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/hub/connection"
	"github.com/chatt2me/webhook-operator/internal/plan"
)

// observation is everything a decision rests on, and what acting on it takes besides.
type observation struct {
	plan.Observed
	name  types.NamespacedName
	local *localState
	// key is the API key.
	key apiKey
	// conn is the connection of the API key, nil when there is no usable key.
	conn *connection.Connection
	// headers are the values to send, read only when they differ from what was sent.
	headers []hub.Header
	// secret and former are the signing Secret and the one of the name before, as they were read; nil when not there.
	secret, former *corev1.Secret
	// overwritten: another client wrote at the same time, and the observation is outdated.
	overwritten bool
}

// observe reads all that a decision needs. It writes nothing and makes no call to the Hub but a GET of a webhook that
// a listing did not show.
func (r *Reconciler) observe(
	ctx context.Context, object *v1alpha1.Chatt2Webhook, local *localState,
) (*observation, error) {
	o := &observation{name: client.ObjectKeyFromObject(object), local: local}
	o.Now, o.Settings, o.Object = r.Now(), r.Options.Settings, object
	o.ID = local.named(&object.Status)
	local.rememberIntent(o)
	o.Local = local.LocalState
	o.Unwritten = local.unwritten
	status := cmp.Or(local.unwritten, &object.Status)
	if a := status.Applied; a != nil {
		o.Applied = *a.DeepCopy()
	}
	for _, look := range []func(context.Context, *observation) error{
		r.observeKey, r.observeSigning, r.observeHeaders, r.observeHub, r.observeProtection,
	} {
		if err := look(ctx, o); err != nil {
			return nil, err
		}
	}
	r.updateLocalState(o)
	return o, nil
}

func (r *Reconciler) observeKey(ctx context.Context, o *observation) error {
	key, err := r.apiKey(ctx, o.Object)
	if err != nil {
		return err
	}
	o.key, o.Key.Problem, o.Key.Hash = key, key.problem, key.hash
	o.Key.Terminating = key.meta != nil && !key.meta.DeletionTimestamp.IsZero()
	if key.problem != nil {
		return nil
	}
	o.conn, err = r.Pool.For(key.value)
	if err != nil {
		o.Key.Problem = keyProblem(v1alpha1.ReasonAPIKeyInvalid, true,
			"the API key in the Secret %q cannot be sent to the Hub; put a valid one there",
			o.Object.Spec.APIKeySecretRef.Name)
	}
	return nil
}

// observeProtection finds out whether the Secret of the API key lacks the in-use finalizer. It carries the finalizer
// once the Hub has accepted the key, and so before anything is registered. Without the watch nothing would remove a
// finalizer that a process left behind when it died.
func (r *Reconciler) observeProtection(_ context.Context, o *observation) error {
	meta := o.key.meta
	if !r.Options.ProtectAPIKeySecrets || !r.Options.WatchSecrets || meta == nil || o.Key.Terminating ||
		o.Hub.ListedAt.IsZero() || hasFinalizer(meta, v1alpha1.APIKeyFinalizer) {
		return nil
	}
	o.Key.ProtectAt = r.keys.protectAt(client.ObjectKeyFromObject(meta))
	o.Key.Unprotected = !o.Now.Before(o.Key.ProtectAt)
	return nil
}

// observeHub reads what the connection has observed.
func (r *Reconciler) observeHub(ctx context.Context, o *observation) error {
	if o.conn != o.local.conn {
		o.unsubscribe()
	}
	suspended := o.Object.Spec.Suspend && o.Object.DeletionTimestamp.IsZero()
	if o.conn == nil || suspended {
		o.unsubscribe()
		if o.conn != nil && o.local.unproved != o.ID {
			o.Remote = o.seen(o.ID) // status may not show it yet
		}
		return nil
	}
	natural := natural(o.Object)
	o.local.conn = o.conn
	o.subscribe()
	before := o.ID
	if r.findOwn(ctx, o); o.ID != before {
		o.subscribe()
	}
	if wanted := o.Object.Spec.Adoption.WebhookID; o.ID == "" && wanted != nil {
		o.Wanted = r.find(ctx, o, *wanted)
	}
	// Asked after the look, which may have changed it.
	state, listing := o.conn.State(), o.conn.Listing()
	o.Hub = plan.Hub{
		Refused: state.Access == connection.Refused, Down: state.Access == connection.Down,
		Cause: state.Cause, PausedUntil: state.PausedUntil,
		ListedAt: listing.BeganAt, ListingCalls: listing.Calls, ApplicationID: listing.ApplicationID,
		Unreadable: listing.Unreadable, Pages: listing.Pages, PagesRead: listing.Read,
	}
	return r.observeOthers(ctx, o, natural)
}

// subscribe has the resource woken by what becomes of its webhook, of the one it is to adopt, and of those like it.
func (o *observation) subscribe() {
	id := cmp.Or(o.ID, plan.Value(o.Object.Spec.Adoption.WebhookID))
	o.conn.Subscribe(subject(o.name), id, natural(o.Object), o.formerAttempts()...)
}

// unsubscribe leaves the connection that the resource is subscribed to, if there is one.
func (o *observation) unsubscribe() {
	conn := o.local.conn
	if conn == nil {
		return
	}
	if seen, ok := conn.Find(o.ID); ok {
		o.local.seenAt = seen.SeenAt
	}
	conn.Unsubscribe(subject(o.name))
	o.local.conn = nil
}

// observeOthers looks for other resources and other webhooks that are in the way.
func (r *Reconciler) observeOthers(ctx context.Context, o *observation, natural connection.NaturalKey) error {
	claimed := o.ID
	if claimed == "" && o.Object.Spec.Adoption.WebhookID != nil {
		claimed = *o.Object.Spec.Adoption.WebhookID
	}
	var err error
	if o.Owner, err = r.ownerOf(ctx, claimed, o.Object); err != nil {
		return err
	}
	if id := o.Signing.WebhookID; o.Object.Spec.RequiresSignature {
		owner := o.Owner
		if id != claimed {
			if owner, err = r.ownerOf(ctx, id, o.Object); err != nil {
				return err
			}
		}
		o.SecretTaken = owner != ""
	}
	if o.OwnerDiffers, err = r.ownerDiffers(ctx, o); err != nil {
		return err
	}
	if o.OlderClaimant, err = r.claimant(ctx, o); err != nil {
		return err
	}
	o.OtherKey = o.hasOtherKey()
	if err := r.observeMatches(ctx, o, natural, false); err != nil {
		return err
	}
	for _, key := range o.formerAttempts() {
		if err := r.observeMatches(ctx, o, key, true); err != nil {
			return err
		}
	}
	if err := r.observeClaimsElsewhere(ctx, o); err != nil {
		return err
	}
	return r.observeLeaving(ctx, o)
}

// observeLeaving finds out which of the resources that are in the way are being deleted. Those of other shards are not
// in the cache, and are not known to be.
func (r *Reconciler) observeLeaving(ctx context.Context, o *observation) error {
	claimants := []string{o.Owner, o.OlderClaimant}
	for i := range o.Matches {
		claimants = append(claimants, o.Matches[i].Owner)
	}
	for _, claimant := range unique(claimants) {
		if claimant == "" {
			continue
		}
		var key types.NamespacedName
		key.Namespace, key.Name, _ = strings.Cut(claimant, "/")
		if !r.watches(key.Namespace) {
			continue
		}
		var other v1alpha1.Chatt2Webhook
		if err := r.Client.Get(ctx, key, &other); client.IgnoreNotFound(err) != nil {
			return err
		}
		if !other.DeletionTimestamp.IsZero() {
			o.Leaving = append(o.Leaving, claimant)
		}
	}
	return nil
}

// watches reports whether the cache holds the resources of a namespace.
func (r *Reconciler) watches(namespace string) bool {
	return len(r.Options.Namespaces) == 0 || slices.Contains(r.Options.Namespaces, namespace)
}

// observeMatches looks for webhooks with this natural key, which is that of spec or a former one. What was registered
// under a former one belongs to the resource that declares it now, if there is one.
func (r *Reconciler) observeMatches(
	ctx context.Context, o *observation, key connection.NaturalKey, former bool,
) error {
	givenUp := o.Object.Annotations[v1alpha1.AnnotationForceOrphan]
	for _, w := range o.conn.Matches(key) {
		known := slices.ContainsFunc(o.Matches, func(m plan.Match) bool { return m.Webhook.ID == w.ID })
		if w.ID == o.ID || w.ID == givenUp || known {
			continue
		}
		owner, err := r.ownerOf(ctx, w.ID, o.Object)
		if owner == "" && err == nil && former {
			owner, err = r.declaredBy(ctx, o, key, registers)
		}
		if owner == "" && err == nil && !former {
			owner, err = r.registrant(ctx, o, key, &w)
		}
		if owner == "" && err == nil && !former {
			owner, err = r.holder(ctx, o, key, w.ID)
		}
		if err != nil {
			return err
		}
		o.Matches = append(o.Matches, plan.Match{Webhook: w, Owner: owner, Former: former})
	}
	return nil
}

// updateLocalState brings what this process remembers up to date, and into the observation.
func (r *Reconciler) updateLocalState(o *observation) {
	m := o.local
	m.reconsider(o.attempt(), secretUID(o.secret))
	m.requestSeen(o)
	switch {
	case o.ID != "":
		m.SeenAt = time.Time{}
	case m.SeenAt.IsZero():
		m.SeenAt = o.Now
	}
	switch {
	case o.Key.Problem == nil && !o.Hub.Refused:
		m.KeyProblemSince = time.Time{}
	case m.KeyProblemSince.IsZero():
		m.KeyProblemSince = o.Now
	}
	if o.Remote.Presence == plan.Present && o.Remote.Webhook.IsVerified {
		m.Verification = plan.Verification{}
	}
	if !m.Unsettled.IsZero() && !o.Remote.SeenAt.Before(m.Unsettled.Add(o.Settings.SettleTime)) {
		m.Unsettled = time.Time{}
	}
	m.dropHeld(o)
	o.Local = m.LocalState
}

// dropHeld drops a secret that is held for a webhook which is gone, or that spec does not want signed any more: the
// update that turns signing off does not wait for its Secret.
func (m *localState) dropHeld(o *observation) {
	isOfAnother := m.held != nil && o.Remote.Presence == plan.Present && m.held.webhookID != o.ID
	isUnwanted := !o.Object.Spec.RequiresSignature && o.Object.DeletionTimestamp.IsZero()
	if m.held != nil && (isOfAnother || isUnwanted) {
		m.held = nil
		m.secretWritten()
	}
	m.Held = m.held != nil
}

// requestSeen records when a user's request to look again was first seen.
func (m *localState) requestSeen(o *observation) {
	asked := o.Object.Annotations[v1alpha1.AnnotationReconcileRequestedAt]
	switch {
	case asked == "" || plan.Request(asked) == o.Object.Status.LastHandledReconcileAt:
		m.request, m.Requested = "", time.Time{}
	case asked != m.request:
		m.request, m.Requested = asked, o.Now
	}
}

func (o *observation) attempt() attempt {
	return attempt{generation: o.Object.Generation, headersHash: o.Headers.Hash, keyHash: o.Key.Hash}
}

// natural is what the webhook of a resource is recognised by on the Hub.
func natural(object *v1alpha1.Chatt2Webhook) connection.NaturalKey {
	return connection.Natural(object.Spec.Label, object.Spec.Endpoint, string(object.Spec.EventType))
}
