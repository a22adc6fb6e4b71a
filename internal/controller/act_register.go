package controller

import (
	"context"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/hub/connection"
	"github.com/chatt2me/webhook-operator/internal/plan"
)

// create writes down the intent, registers the webhook and stores its secret. The report that follows records the id.
func (r *Reconciler) create(ctx context.Context, o *observation, p plan.Plan, out *outcome) {
	// Nothing is recorded before the call's turn has come.
	if out.waiting = !o.conn.Turn(subject(o.name), connection.Creation); out.waiting {
		return
	}
	if o.OlderClaimant, out.err = r.olderClaimantElsewhere(ctx, o); out.err != nil || o.OlderClaimant != "" {
		return
	}
	if out.err = r.writeIntent(ctx, o, p.Retried, out); out.err != nil {
		return
	}
	if out.failed = !o.local.UnkeptUntil.IsZero(); out.failed {
		return
	}
	spec := &o.Object.Spec
	// From here to the answer the Hub may create a webhook that only the intent shows.
	closed := o.local.IntentClosed
	o.local.IntentClosed = false
	o.local.rememberIntent(o)
	got, err := o.conn.Create(ctx, subject(o.name), plan.CreateBody(spec, o.headers))
	now := r.Now()
	o.local.IntentClosed = closed && (isWaiting(err) || hub.OutcomeOf(err) == hub.NotApplied)
	if o.callFailed(plan.Create, err, now, out) {
		return
	}
	if !r.claims.claim(got.ID, o.name) {
		// Another resource adopted it before the answer came. The intent stays open, should that one give it up.
		out.again = true
		return
	}
	o.registered(got.Webhook, now)
	o.local.sole, o.local.registeredAt = got.ID, now
	o.local.RequiresSignature = new(spec.RequiresSignature)
	o.Applied = v1alpha1.AppliedStatus{
		HeadersHash: o.Headers.Hash, Label: spec.Label, Scope: plan.Value(spec.Scope),
	}
	out.tell(normal(v1alpha1.EventRegistered, "Registered webhook %s", got.ID))
	if !got.Secret.IsZero() {
		r.hold(o, got.Secret)
		_ = r.store(ctx, o) // a secret that is not stored is held, and stored later
	}
}

// withdrawIntent removes the annotations of registrations that have made nothing.
func (r *Reconciler) withdrawIntent(ctx context.Context, o *observation, _ plan.Plan, out *outcome) {
	if out.err = r.patchMetadata(ctx, o, removeIntent); out.err == nil {
		o.local.IntentClosed, o.local.Intent = false, nil
	}
}

// registered records that the webhook, which was claimed, is the resource's.
func (o *observation) registered(w hub.Webhook, now time.Time) {
	o.local.WebhookID, o.local.ApplicationID, o.local.APIKeyHash = w.ID, w.ApplicationID, o.Key.Hash
	o.local.IntentClosed, o.local.Unsettled = true, time.Time{}
	o.local.Verification = plan.Verification{Since: now}
	o.ID = w.ID
	o.Remote = plan.Remote{Presence: plan.Present, Webhook: w, SeenAt: now}
	o.conn.Subscribe(subject(o.name), w.ID, natural(o.Object), o.formerAttempts()...)
}

// writeIntent writes down, with the finalizer, that there may be a webhook from now on; and, when a registration is
// repeated whose first answer was lost, that there may be two.
func (r *Reconciler) writeIntent(ctx context.Context, o *observation, retried bool, out *outcome) error {
	_, intent := o.Object.Annotations[v1alpha1.AnnotationCreateStartedAt]
	now := r.Now().UTC().Format(time.RFC3339)
	version, dropped := o.Object.ResourceVersion, false
	err := r.patchMetadata(ctx, o, func(w *v1alpha1.Chatt2Webhook) {
		addFinalizer(w)
		if w.Annotations == nil {
			w.Annotations = map[string]string{}
		}
		if !intent || o.local.IntentClosed {
			// The registrations before have made nothing.
			w.Annotations[v1alpha1.AnnotationCreateStartedAt] = now
			delete(w.Annotations, v1alpha1.AnnotationCreateAttempts)
		}
		dropped = addAttempt(w, o.Key.Hash)
		if retried {
			w.Annotations[v1alpha1.AnnotationCreateRetriedAt] = now
		}
	})
	if err == nil && o.local.UnkeptUntil.IsZero() {
		o.local.IntentClosed = o.local.IntentClosed || !intent
		o.local.intentWritten = intentSaid(o.Object)
	}
	if err == nil && dropped {
		r.orphaned(o, "", "", out) // should it have made a webhook, nothing would show it
	}
	if err != nil || o.Object.ResourceVersion != version {
		return err
	}
	return r.fence(ctx, o)
}

// adopt takes a webhook that is on the Hub already, unless a resource of another shard has it.
func (r *Reconciler) adopt(ctx context.Context, o *observation, p plan.Plan, out *outcome) {
	seen, ok := o.conn.Find(p.WebhookID)
	if !ok {
		out.again = true
		return
	}
	owner, err := r.liveOwnerOf(ctx, p.WebhookID, o.Object)
	if out.err = err; err != nil {
		return
	}
	if owner != "" {
		r.claims.seenElsewhere(p.WebhookID, owner, r.Now())
	}
	if owner != "" || !r.claims.claim(p.WebhookID, o.name) {
		// The next look shows whose it is.
		out.again = true
		return
	}
	if out.err = r.patchMetadata(ctx, o, addFinalizer); out.err != nil {
		r.claims.release(o.name)
		return
	}
	o.local.succeeded()
	o.registered(seen.Webhook, r.Now())
	o.local.adopted = o.ID
	o.Remote.SeenAt = seen.SeenAt
	// What its headers are cannot be seen, and so they are sent.
	o.Applied = v1alpha1.AppliedStatus{}
	out.tell(normal(v1alpha1.EventAdopted, "Adopted webhook %s", p.WebhookID))
}

// deleteYounger deletes the webhook that the resource has registered besides that of an older one, if the API server
// still says that the older one has that. It is deleted before it is forgotten: should the process die in between,
// status names a webhook that is gone.
func (r *Reconciler) deleteYounger(ctx context.Context, o *observation, p plan.Plan, out *outcome) {
	others, err := r.liveList(ctx, client.MatchingFields{fieldWebhookID: p.Other})
	if out.err = err; err != nil {
		return
	}
	if !slices.ContainsFunc(others, func(other v1alpha1.Chatt2Webhook) bool { return isOlderClaimant(o, &other) }) {
		r.claims.seenElsewhere(o.name.String(), "", r.Now())
		o.OlderClaimant, out.again = "", true
		return
	}
	me := o.Object.DeepCopy()
	me.Status.WebhookID = "" // any other resource counts that has it, a younger one too
	owner, err := r.liveOwnerOf(ctx, p.WebhookID, me)
	if out.err = err; err != nil {
		return
	}
	if owner != "" {
		r.leave(ctx, o, owner, out)
		return
	}
	err = o.conn.Delete(ctx, subject(o.name), p.WebhookID)
	if hub.IsKind(err, hub.NotFound) {
		err = nil
	}
	if o.callFailed(plan.DeleteDuplicate, err, r.Now(), out) {
		return
	}
	out.tell(normal(v1alpha1.EventDuplicateDeleted, "Deleted webhook %s, which was registered at the same time as "+
		"webhook %s of %s, an older resource that declares the same", p.WebhookID, p.Other, o.OlderClaimant))
	if out.err = r.patchMetadata(ctx, o, removeIntent); out.err == nil {
		r.forgotten(o)
	}
}
