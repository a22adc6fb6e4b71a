package controller

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/hub/connection"
	"github.com/chatt2me/webhook-operator/internal/plan"
)

// outcome is what acting came to. What is known of the world after it stands in the observation.
type outcome struct {
	// err is a failure at the API server; failures at the Hub go into the memory, which the next decision reads.
	err error
	// waiting: the call was not made, the resource is woken when its turn comes.
	waiting bool
	// failed: the call to the Hub was made and failed.
	failed bool
	// gone: the finalizer was removed.
	gone bool
	// again: what was observed is outdated, reconcile at once.
	again bool
	// events are what was done that a person would want to know of.
	events []occurrence
}

func (out *outcome) tell(e occurrence) { out.events = append(out.events, e) }

type actFunc func(*Reconciler, context.Context, *observation, plan.Plan, *outcome)

// acts has one function for each action that does something.
var acts = map[plan.Action]actFunc{
	plan.RestoreMetadata:      (*Reconciler).restoreMetadata,
	plan.Observe:              (*Reconciler).look,
	plan.Create:               (*Reconciler).create,
	plan.WithdrawIntent:       (*Reconciler).withdrawIntent,
	plan.Adopt:                (*Reconciler).adopt,
	plan.Forget:               (*Reconciler).forgetWebhook,
	plan.Yield:                (*Reconciler).yield,
	plan.DeleteYounger:        (*Reconciler).deleteYounger,
	plan.Update:               (*Reconciler).update,
	plan.Verify:               (*Reconciler).verify,
	plan.BeginRotation:        (*Reconciler).beginRotation,
	plan.Redefine:             (*Reconciler).redefine,
	plan.StoreSecret:          (*Reconciler).storeHeld,
	plan.PruneSecret:          (*Reconciler).pruneSecret,
	plan.MoveSecret:           (*Reconciler).moveSecret,
	plan.DeleteFormerSecret:   (*Reconciler).deleteFormerSecret,
	plan.DeleteSecret:         (*Reconciler).deleteSecret,
	plan.UpdateSecretMetadata: (*Reconciler).updateSecretMetadata,
	plan.DeleteDuplicate:      (*Reconciler).deleteDuplicate,
	plan.Delete:               (*Reconciler).deleteWebhook,
	plan.Release:              (*Reconciler).releaseResource,
	plan.Orphan:               (*Reconciler).orphan,
}

// changing are the actions that change the webhook of the resource, or say that it will be.
var changing = []plan.Action{
	plan.Update, plan.Verify, plan.BeginRotation, plan.Redefine, plan.Delete, plan.DeleteYounger,
}

// act carries out a plan. It changes the observation to what is known afterwards.
func (r *Reconciler) act(ctx context.Context, o *observation, p plan.Plan) outcome {
	var out outcome
	if o.Key.Unprotected && o.Object.DeletionTimestamp.IsZero() && !o.Object.Spec.Suspend {
		if out.err = r.protect(ctx, o, &out); out.err != nil {
			return out
		}
	}
	if p.Serves && o.conn != nil {
		o.conn.Probe() // which does nothing while calls can be made
	}
	if do, ok := acts[p.Action]; ok && (!slices.Contains(changing, p.Action) || r.hasAlone(ctx, o, p, &out)) {
		do(r, ctx, o, p, &out)
	}
	if p.Served(out.failed) && !out.waiting && out.err == nil {
		o.local.Answered = o.ReconcileRequest()
	}
	o.Local = o.local.LocalState
	return out
}

// callFailed takes a call to the Hub that failed, and reports whether it did.
func (o *observation) callFailed(action plan.Action, err error, now time.Time, out *outcome) bool {
	if err == nil {
		o.local.succeeded()
		return false
	}
	if errors.Is(err, connection.ErrWait) {
		out.waiting = true
		return true
	}
	out.failed = true
	disposition, problem := plan.FailedCall(action, o.showable(action, err))
	switch disposition {
	case plan.Stall:
		o.local.Rejected, o.local.attempted = problem, o.attempt()
		o.local.RejectedUntil = now.Add(jitter(plan.RejectedTime))
	case plan.Settle:
		o.local.failed(now, o.attempt(), problem)
		o.local.Unsettled = now
	case plan.Retry:
		o.local.failed(now, o.attempt(), problem)
	case plan.AwaitProbe:
		o.local.failed(now, o.attempt(), problem)
		// The connection finds out, and enqueues all its resources if it is the key. If not, the next refusal is
		// reported.
		out.waiting = o.local.failures == 1
	case plan.Reobserve:
		o.local.failed(now, o.attempt(), problem)
		out.again = true
	}
	return true
}

// restoreMetadata restores what a user, or a tool that replaces objects, has removed.
func (r *Reconciler) restoreMetadata(ctx context.Context, o *observation, _ plan.Plan, out *outcome) {
	out.err = r.patchMetadata(ctx, o, func(w *v1alpha1.Chatt2Webhook) {
		addFinalizer(w)
		if w.Annotations == nil {
			w.Annotations = map[string]string{}
		}
		for annotation, value := range o.local.Intent {
			if _, ok := w.Annotations[annotation]; !ok {
				w.Annotations[annotation] = value
			}
		}
	})
	out.failed = !o.local.UnkeptUntil.IsZero()
}

// look reads the webhook from the Hub.
func (r *Reconciler) look(ctx context.Context, o *observation, p plan.Plan, out *outcome) {
	seen, ok, err := o.conn.Look(ctx, subject(o.name), p.WebhookID)
	if errors.Is(err, connection.ErrWait) {
		out.waiting = true
		return
	}
	o.local.ObservedAt = r.Now()
	o.local.Verification = o.Verification()
	if ok && err == nil {
		o.Remote = plan.Remote{Presence: plan.Present, Webhook: seen.Webhook, SeenAt: seen.SeenAt}
		r.updateLocalState(o)
	}
}

// forgetWebhook gives up a webhook that is no longer the resource's: first the intent goes, so that nothing looks as
// if a registration were open, then status forgets the id.
func (r *Reconciler) forgetWebhook(ctx context.Context, o *observation, p plan.Plan, out *outcome) {
	if out.err = r.patchMetadata(ctx, o, removeIntent); out.err != nil {
		return
	}
	if p.WebhookID == "" || o.Object.Annotations[v1alpha1.AnnotationForceOrphan] == p.WebhookID {
		r.orphaned(o, p.WebhookID, "", out)
	} else {
		out.tell(warning(v1alpha1.ReasonRemotelyDeleted, "Webhook %s was deleted on the Hub; registering it again",
			p.WebhookID))
	}
	r.forgotten(o)
	out.again = true
}

// forgotten forgets the webhook of a resource whose intent is removed.
func (r *Reconciler) forgotten(o *observation) {
	o.local.LocalState = plan.LocalState{Requested: o.local.Requested}
	o.local.held, o.local.unwritten = nil, nil
	o.local.succeeded()
	o.local.secretWritten()
	r.claims.release(o.name)
	o.ID, o.Remote, o.Applied = "", plan.Remote{}, v1alpha1.AppliedStatus{}
}

// patchMetadata changes annotations and finalizers of the resource in one write, if there is anything to change. The
// write fails when the resource is not as it was read. What the API server does not keep is recorded in the memory.
func (r *Reconciler) patchMetadata(ctx context.Context, o *observation, change func(*v1alpha1.Chatt2Webhook)) error {
	after := o.Object.DeepCopy()
	change(after)
	if equalMetadata(after, o.Object) {
		o.local.UnkeptUntil = time.Time{}
		return nil
	}
	before, wanted := o.Object.DeepCopy(), after.DeepCopy()
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	err := o.write(&r.resources, after, func() error { return r.Client.Patch(ctx, after, patch) })
	if err != nil {
		return err
	}
	if after.ResourceVersion != before.ResourceVersion {
		o.local.replaced(before)
	}
	if o.Object, o.local.UnkeptUntil = after, (time.Time{}); !keeps(after, wanted) {
		o.local.UnkeptUntil = r.Now().Add(jitter(plan.RejectedTime))
	}
	return nil
}

// keeps reports whether a resource has the finalizer and the annotations of a registration that another state has.
func keeps(stored, wanted *v1alpha1.Chatt2Webhook) bool {
	for _, annotation := range intentAnnotations {
		if value, ok := wanted.Annotations[annotation]; ok && stored.Annotations[annotation] != value {
			return false
		}
	}
	return hasFinalizer(stored, v1alpha1.WebhookFinalizer) || !hasFinalizer(wanted, v1alpha1.WebhookFinalizer)
}

// fence fails unless the resource is still as it was read: a write that changes nothing.
func (r *Reconciler) fence(ctx context.Context, o *observation) error {
	same := fmt.Appendf(nil, `{"metadata":{"resourceVersion":%q}}`, o.Object.ResourceVersion)
	return r.Client.Patch(ctx, o.Object.DeepCopy(), client.RawPatch(types.MergePatchType, same))
}

// readAgain reads the resource from the API server: a patch that changes nothing returns it, if it is still the same
// one.
func (r *Reconciler) readAgain(ctx context.Context, o *observation) error {
	now := o.Object.DeepCopy()
	if err := r.refresh(ctx, now); err != nil {
		return err
	}
	o.Object = now
	return nil
}

func (r *Reconciler) refresh(ctx context.Context, object *v1alpha1.Chatt2Webhook) error {
	same := fmt.Appendf(nil, `{"metadata":{"uid":%q}}`, object.UID)
	return r.Client.Patch(ctx, object, client.RawPatch(types.MergePatchType, same))
}

func equalMetadata(a, b *v1alpha1.Chatt2Webhook) bool {
	if len(a.Annotations) != len(b.Annotations) {
		return false
	}
	for key, value := range a.Annotations {
		if have, ok := b.Annotations[key]; !ok || have != value {
			return false
		}
	}
	return slices.Equal(a.Finalizers, b.Finalizers)
}

func hasFinalizer(object client.Object, finalizer string) bool {
	return slices.Contains(object.GetFinalizers(), finalizer)
}

func addFinalizer(w *v1alpha1.Chatt2Webhook) {
	if !hasFinalizer(w, v1alpha1.WebhookFinalizer) {
		w.Finalizers = append(slices.Clone(w.Finalizers), v1alpha1.WebhookFinalizer)
	}
}

// mostReleases bounds how often in a row the finalizer is removed from a resource that others write at the same time.
const mostReleases = 3

// release removes the finalizer. The garbage collector, and others, write a resource that is being deleted while the
// Hub is called: after a conflict the resource is read again, and nothing is repeated at the Hub.
func (r *Reconciler) release(ctx context.Context, o *observation, out *outcome) {
	// Recorded before the call, as its answer may be lost.
	o.local.released = true
	var err error
	for range mostReleases {
		err = r.patchMetadata(ctx, o, func(w *v1alpha1.Chatt2Webhook) {
			w.Finalizers = slices.DeleteFunc(slices.Clone(w.Finalizers), func(f string) bool {
				return f == v1alpha1.WebhookFinalizer
			})
		})
		if !isConflict(err) || r.readAgain(ctx, o) != nil {
			break
		}
	}
	if out.err = client.IgnoreNotFound(err); out.err != nil {
		return
	}
	out.gone = err != nil || len(o.Object.Finalizers) == 0
	// What is remembered is kept until the cache shows it gone, too.
	o.unsubscribe()
}

func (r *Reconciler) releaseResource(ctx context.Context, o *observation, p plan.Plan, out *outcome) {
	id := cmp.Or(p.WebhookID, unknownID)
	if p.Unconfirmed {
		id += ", should a registration have made it whose answer was lost,"
	}
	if o.Object.Spec.DeletionPolicy == v1alpha1.DeletionRetain && (p.Unconfirmed || p.WebhookID != "") {
		var kept string
		if kept, out.err = r.keepSecrets(ctx, o); out.err != nil {
			return
		}
		out.tell(normal(v1alpha1.EventRetained, "Left webhook %s on the Hub, as spec.deletionPolicy says%s", id, kept))
	}
	r.release(ctx, o, out)
}

// deleteWebhook deletes the webhook and releases the resource. A webhook that does not exist counts as deleted.
func (r *Reconciler) deleteWebhook(ctx context.Context, o *observation, p plan.Plan, out *outcome) {
	err := o.conn.Delete(ctx, subject(o.name), p.WebhookID)
	if hub.IsKind(err, hub.NotFound) {
		err = nil
	}
	if o.callFailed(plan.Delete, err, r.Now(), out) {
		return
	}
	o.local.DeletedID = p.WebhookID
	out.tell(normal(v1alpha1.EventDeleted, "Deleted webhook %s on the Hub", p.WebhookID))
	r.release(ctx, o, out)
}

// deleteDuplicate deletes a webhook that a registration made whose answer was lost.
func (r *Reconciler) deleteDuplicate(ctx context.Context, o *observation, p plan.Plan, out *outcome) {
	if owner, err := r.liveOwnerOf(ctx, p.WebhookID, o.Object); err != nil || owner != "" {
		r.claims.seenElsewhere(p.WebhookID, owner, r.Now())
		out.err, out.again = err, true
		return
	}
	err := o.conn.Delete(ctx, subject(o.name), p.WebhookID)
	if hub.IsKind(err, hub.NotFound) {
		err = nil
	}
	if o.callFailed(plan.DeleteDuplicate, err, r.Now(), out) {
		return
	}
	o.Matches = slices.DeleteFunc(o.Matches, func(m plan.Match) bool { return m.Webhook.ID == p.WebhookID })
	out.tell(normal(v1alpha1.EventDuplicateDeleted,
		"Deleted webhook %s, which a registration made whose answer was lost", p.WebhookID))
	out.again = true
}

// orphan releases the resource and leaves its webhook on the Hub. It is reported first: twice is better than never.
func (r *Reconciler) orphan(ctx context.Context, o *observation, p plan.Plan, out *outcome) {
	kept, err := r.keepSecrets(ctx, o)
	if out.err = err; err != nil {
		return
	}
	var told outcome
	r.orphaned(o, p.WebhookID, kept, &told)
	r.emit(ctx, o.Object, told.events)
	r.release(ctx, o, out)
}

// unknownID stands where a webhook's id would.
const unknownID = "of unknown id"

// orphaned counts and reports a webhook that is left on the Hub; kept is what became of its signing secret.
func (r *Reconciler) orphaned(o *observation, id, kept string, out *outcome) {
	application, _ := o.Application()
	r.Metrics.Orphaned()
	out.tell(warning(v1alpha1.EventOrphaned,
		"Left webhook %s on the Hub (Application %s); delete it there if it is not wanted%s",
		cmp.Or(id, unknownID), cmp.Or(application, "unknown"), kept))
}

// isConflict reports whether a write failed because the object was not as it was read.
func isConflict(err error) bool { return apierrors.IsConflict(err) }
