package controller

import (
	"context"
	"math/rand/v2"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/plan"
)

const (
	// atOnce is the delay of a step that can be taken now.
	atOnce = time.Millisecond
	// firstConflict and lastConflict bound how long a step waits that lost against another write.
	firstConflict = 100 * time.Millisecond
	lastConflict  = 10 * time.Second
	// sameAgain is the delay of a step that is the same as the one just taken.
	sameAgain = time.Second
	// manySteps in a row are more than anything takes; lastStep bounds how long each further one waits.
	manySteps = 30
	lastStep  = time.Minute
)

// report writes the status if it changed, emits the events, and returns when to reconcile again. What could not be
// done at the Hub is in the memory and so in the next decision.
func (r *Reconciler) report(ctx context.Context, o *observation, p plan.Plan, out outcome) (reconcile.Result, error) {
	if out.err != nil {
		return o.failed(out.err)
	}
	if out.gone {
		r.emit(ctx, o.Object, out.events)
		return reconcile.Result{}, nil
	}
	next := plan.Decide(&o.Observed)
	if next.Action == plan.Rest && next.Served(false) && !out.waiting {
		o.local.Answered = o.ReconcileRequest()
		o.Local = o.local.LocalState
	}
	if !holds(p, next, out) {
		turned, err := r.writeStatus(ctx, o, next)
		// What was done is reported whether or not it could be recorded.
		r.emit(ctx, o.Object, together(out.events, turned))
		if err != nil {
			return o.failed(err)
		}
	} else {
		r.emit(ctx, o.Object, out.events)
	}
	o.local.conflicts = 0
	return r.wait(o, p, next, out), nil
}

// failed says what becomes of a step that failed at the API server. What somebody else wrote meanwhile is not kept
// waiting for as long as the failure would be.
func (o *observation) failed(err error) (reconcile.Result, error) {
	if o.overwritten {
		return reconcile.Result{RequeueAfter: jitter(firstConflict)}, nil
	}
	if passedBy(err) {
		o.local.conflicts++
	}
	return failed(err, o.local.conflicts)
}

// passedBy reports whether an object changed or went meanwhile.
func passedBy(err error) bool { return isConflict(err) || apierrors.IsNotFound(err) }

// failed says what becomes of a failure at the API server, so many conflicts in a row included. That an object changed
// or went meanwhile is no failure: the next look sees it. When it does not, the cache is behind, and every look may
// cost a call to the Hub.
func failed(err error, conflicts int) (reconcile.Result, error) {
	if passedBy(err) {
		wait := firstConflict << min(max(conflicts-1, 0), 10)
		return reconcile.Result{RequeueAfter: jitter(min(wait, lastConflict))}, nil
	}
	return reconcile.Result{}, err
}

// holds reports whether status stays as it is: nothing was done and nothing is known yet.
func holds(p, next plan.Plan, out outcome) bool {
	if out.waiting {
		return true
	}
	return next.Hold && (p.Hold || p.Action == plan.Rest)
}

// writeStatus writes the status in one patch and returns the events of the conditions that turned.
func (r *Reconciler) writeStatus(ctx context.Context, o *observation, next plan.Plan) ([]occurrence, error) {
	after := o.Object.DeepCopy()
	after.Status = plan.Status(&o.Observed, next)
	o.local.unwritten = nil
	before := o.Object
	if equality.Semantic.DeepEqual(before.Status, after.Status) {
		return nil, nil
	}
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	status := after.Status.DeepCopy()
	err := o.write(&r.resources, after, func() error { return r.Client.Status().Patch(ctx, after, patch) })
	if err != nil {
		o.local.unwritten = status
		return nil, err
	}
	if after.ResourceVersion != before.ResourceVersion {
		o.local.replaced(before)
	}
	o.Object = after
	return turned(before.Status.Conditions, after.Status.Conditions, plan.Problems(&o.Observed, next)), nil
}

// turned are the events of conditions that changed: a verification, and each problem that is worth one.
func turned(before, after []metav1.Condition, problems []*plan.Problem) []occurrence {
	var events []occurrence
	if meta.IsStatusConditionTrue(after, v1alpha1.ConditionVerified) &&
		!meta.IsStatusConditionTrue(before, v1alpha1.ConditionVerified) {
		events = append(events, normal(v1alpha1.ReasonVerified, "The Hub has verified the endpoint"))
	}
	for _, t := range problems {
		was := meta.FindStatusCondition(before, t.Condition)
		if t.Event && (was == nil || was.Reason != t.Reason) {
			events = append(events, warning(t.Reason, "%s", t.Message))
		}
	}
	return events
}

// wait says when to look again, and asks for the listing that the next step needs.
func (r *Reconciler) wait(o *observation, p, next plan.Plan, out outcome) reconcile.Result {
	switch {
	case o.overwritten:
		return reconcile.Result{RequeueAfter: o.local.nextStep()}
	case out.waiting && next.Recheck == 0 && o.Now.Before(o.local.RetryAt):
		// A user asked for a look meanwhile, which no back-off keeps waiting. What was refused is tried again even so.
		return reconcile.Result{RequeueAfter: o.local.RetryAt.Sub(o.Now)}
	case out.waiting:
		return reconcile.Result{RequeueAfter: next.Recheck}
	case next.Action == plan.AwaitListing:
		if o.conn != nil {
			o.conn.Want(subject(o.name), next.ListingAfter)
		}
		return reconcile.Result{RequeueAfter: next.Recheck}
	case next.Action == plan.Rest && !out.again:
		o.local.steps = 0
		return reconcile.Result{RequeueAfter: next.Recheck}
	case next.Action == plan.Observe && p.Action == plan.Observe:
		// A listing shows it; who waits for it is woken.
		return reconcile.Result{RequeueAfter: o.Settings.PollInterval}
	case next.Action == p.Action && next.Action != plan.ReportRotation:
		return reconcile.Result{RequeueAfter: max(jitter(sameAgain), o.local.nextStep())}
	}
	return reconcile.Result{RequeueAfter: o.local.nextStep()}
}

// nextStep returns the delay of a step that can be taken now. Steps that lead nowhere back off, so that an unforeseen
// loop overloads neither the Hub nor the API server.
func (m *localState) nextStep() time.Duration {
	if m.steps++; m.steps <= manySteps {
		return atOnce
	}
	return jitter(min(sameAgain<<min(m.steps-manySteps, 10), lastStep))
}

// jitter makes a delay up to a fifth longer.
func jitter(d time.Duration) time.Duration {
	return d + time.Duration(rand.Int64N(int64(d)/5+1)) //nolint:gosec // no secret depends on it
}
