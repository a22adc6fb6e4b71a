package controller

import (
	"context"
	"errors"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/hub/connection"
	"github.com/chatt2me/webhook-operator/internal/plan"
)

// reportVanished counts and reports the webhook of a resource that is gone though this process has not released it:
// a user has removed the finalizer, or a tool has replaced the resource without it. A resource that only left the
// shard still exists, and what another resource has or declares is not left behind, nor is what the Hub does not have
// any more: another process may have deleted it. The error is connection.ErrWait while the Hub is about to be asked. A
// resource that was replaced is known to be gone: the API server answers a write to another UID as an invalid one.
func (r *Reconciler) reportVanished(ctx context.Context, name types.NamespacedName, isReplaced bool) error {
	local := r.localStates.of(name)
	id := local.WebhookID
	if id == "" || local.released || local.retains || local.DeletedID == id || local.uid == "" || local.unproved == id {
		return nil
	}
	gone := &v1alpha1.Chatt2Webhook{}
	gone.Namespace, gone.Name, gone.UID = name.Namespace, name.Name, local.uid
	if !isReplaced {
		err := r.refresh(ctx, gone.DeepCopy())
		switch {
		case apierrors.IsForbidden(err):
			return nil // the namespace is being deleted, and the right with it
		case !apierrors.IsNotFound(err) && !apierrors.IsConflict(err):
			return err
		}
	}
	o := &observation{name: name, local: local, Observed: plan.Observed{Object: gone, Local: local.LocalState}}
	if left, err := r.isLeft(ctx, o, id); err != nil || !left {
		return err
	}
	var out outcome
	r.orphaned(o, id, "", &out)
	r.emit(ctx, gone, out.events)
	return nil
}

// isLeft reports whether a webhook is on the Hub, as far as is known, and no resource has it or is about to adopt it.
func (r *Reconciler) isLeft(ctx context.Context, o *observation, id string) (bool, error) {
	if conn := o.local.conn; conn != nil {
		seen, there := conn.Find(id)
		if !there && conn.Listing().BeganAt.After(o.shownAt()) {
			return false, nil
		}
		w := &seen.Webhook
		others, err := r.declaring(ctx, o, connection.Natural(w.Label.Value, w.Endpoint, w.EventType))
		if there && slices.ContainsFunc(others, mayAdopt) || err != nil {
			return false, err
		}
	}
	owner, err := r.ownerOf(ctx, id, o.Object)
	if owner != "" || err != nil {
		return false, err
	}
	owner, err = r.liveOwnerOf(ctx, id, o.Object)
	if owner != "" || err != nil || o.local.conn == nil {
		return owner == "", err
	}
	return r.isOnHub(ctx, o, id)
}

// mayAdopt reports whether a resource may yet adopt a webhook like the one that it declares.
func mayAdopt(w *v1alpha1.Chatt2Webhook) bool {
	return w.DeletionTimestamp.IsZero() && w.Status.WebhookID == "" && w.Spec.Adoption.Policy != v1alpha1.AdoptNever
}

// mostAsked is how often the Hub is asked for the webhook of a resource that is gone when it answers with errors.
const mostAsked = 5

// isOnHub asks the Hub for a webhook. A Hub that is down, refuses the API key or cannot show this webhook may never
// answer, and the next resource of this name waits: the webhook is then taken to be there.
func (r *Reconciler) isOnHub(ctx context.Context, o *observation, id string) (bool, error) {
	_, err := o.local.conn.Get(ctx, subject(o.name), id, connection.Repair)
	switch {
	case hub.IsKind(err, hub.NotFound) && r.Now().After(o.shownAt()):
		return false, nil
	case err == nil, o.local.conn.State().Access != connection.Open:
		return true, nil
	case errors.Is(err, connection.ErrWait), hub.IsKind(err, hub.NotFound), hub.IsKind(err, hub.Throttled):
		return false, connection.ErrWait
	}
	if o.local.failures++; o.local.failures < mostAsked {
		return false, connection.ErrWait
	}
	return true, nil
}

// shownAt is when the Hub shows the webhook at the latest that this process has registered.
func (o *observation) shownAt() time.Time { return o.local.registeredAt.Add(connection.ReadLag) }
