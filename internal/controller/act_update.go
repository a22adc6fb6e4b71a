package controller

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/hub/connection"
	"github.com/chatt2me/webhook-operator/internal/plan"
)

// update sends what differs.
func (r *Reconciler) update(ctx context.Context, o *observation, p plan.Plan, out *outcome) {
	sent := p.Changes
	ends := sent.Has(plan.FieldRequiresSignature) && !o.Object.Spec.RequiresSignature
	if ends && !r.endSigning(ctx, o, out) {
		return
	}
	got, err := o.conn.Update(ctx, subject(o.name), o.ID, plan.UpdateBody(&o.Object.Spec, o.headers, sent))
	if hub.IsKind(err, hub.Invalid) && !hub.IsConflict(err) && sent.Has(plan.FieldLabel) {
		// Some deployments take no label in an update: the rest is sent without it, in the next step.
		o.local.succeeded()
		o.Applied.Ignored, out.failed = o.Ignoring(plan.FieldLabel), true
		return
	}
	now := r.Now()
	if o.callFailed(plan.Update, err, now, out) {
		if !out.waiting && hub.OutcomeOf(err) == hub.Unknown {
			o.mayHaveUpdated(sent, ends)
		}
		return
	}
	// The other half of a nudge, which found no token then, is no change.
	nudged := len(sent) == 1 && hub.IsRespelled(o.Remote.Webhook.Endpoint, o.Object.Spec.Endpoint)
	o.verifies(sent, &got.Webhook, nudged, now)
	o.updated(sent, got.Webhook, now)
	ignored := o.ignored(sent, &got.Webhook)
	// What the Hub ignores will not be otherwise for being asked again.
	out.failed = len(ignored) > 0
	if p.Changes = slices.DeleteFunc(slices.Clone(sent), ignored.Has); len(p.Changes) > 0 {
		r.reportUpdate(p, nudged, out)
	}
	if !got.Secret.IsZero() && o.Object.Spec.RequiresSignature {
		r.hold(o, got.Secret)
		_ = r.store(ctx, o) // a secret that is not stored is held, and stored later
	}
}

// reportUpdate reports which fields the Hub changed.
func (r *Reconciler) reportUpdate(p plan.Plan, nudged bool, out *outcome) {
	if !nudged {
		out.tell(updateEvent(p))
	}
	if p.Drift {
		r.Metrics.DriftCorrected()
	}
}

// updateEvent is the event of an update.
func updateEvent(p plan.Plan) occurrence {
	if p.Drift {
		return normal(v1alpha1.EventDriftCorrected, "Restored what was changed on the Hub: %s",
			strings.Join(p.Changes, ", "))
	}
	return normal(v1alpha1.EventUpdated, "Updated on the Hub: %s", strings.Join(p.Changes, ", "))
}

// mayHaveUpdated forgets what an update of unknown outcome may have changed of what the Hub does not show.
func (o *observation) mayHaveUpdated(sent plan.Changes, ends bool) {
	if sent.Has(plan.FieldHeaders) {
		o.Applied.HeadersHash = ""
	}
	if sent.Has(plan.FieldRequiresSignature) {
		o.local.RequiresSignature = nil
	}
	if ends {
		o.local.RotationOwn = false
	}
}

// ignored records what the Hub was sent and has not changed, and returns it.
func (o *observation) ignored(sent plan.Changes, w *hub.Webhook) plan.Changes {
	var ignored plan.Changes
	spec := &o.Object.Spec
	for _, field := range plan.Diff(spec, plan.Sent{Applied: o.Applied, RequiresSignature: spec.RequiresSignature}, w) {
		if sent.Has(field) {
			o.Applied.Ignored = o.Ignoring(field)
			ignored = append(ignored, field)
		}
	}
	return ignored
}

// updated records what the Hub took.
func (o *observation) updated(sent plan.Changes, w hub.Webhook, now time.Time) {
	spec := &o.Object.Spec
	o.Remote = plan.Remote{Presence: plan.Present, Webhook: w, SeenAt: now}
	if sent.Has(plan.FieldHeaders) {
		o.Applied.HeadersHash = o.Headers.Hash
	}
	if sent.Has(plan.FieldRequiresSignature) {
		o.local.RequiresSignature = new(spec.RequiresSignature)
	}
	plan.Remember(&o.Applied, spec, sent)
}

// verifies records what an update means for the verification of the endpoint.
func (o *observation) verifies(sent plan.Changes, w *hub.Webhook, nudged bool, now time.Time) {
	switch {
	case nudged:
		v := o.Verification()
		o.local.Verification = plan.Verification{Since: now, Triggers: v.Triggers}
	case sent.Has(plan.FieldEndpoint):
		o.local.Verification = plan.Verification{Since: now}
	case sent.Has(plan.FieldHeaders) && !w.IsVerified && o.Remote.Webhook.IsVerified:
		// Some deployments take a verification back for new headers, and never try again.
		o.local.Verification = plan.VerifyNow(now)
	case sent.Has(plan.FieldHeaders) && !w.IsVerified:
		// Some give up one under way.
		o.local.Verification = plan.Verification{Since: now, Undone: true}
	}
}

// verify sends the endpoint again, so that the Hub tries to verify it. A Hub that only verifies an endpoint that
// changes is sent another spelling of the same one first; should the second call not be made, the other spelling is a
// difference that an update corrects.
func (r *Reconciler) verify(ctx context.Context, o *observation, p plan.Plan, out *outcome) {
	endpoint, v := o.Object.Spec.Endpoint, o.Verification()
	other := hub.Respell(endpoint)
	if p.Nudge && other != endpoint && !r.sendEndpoint(ctx, o, other, v, out) {
		return
	}
	r.sendEndpoint(ctx, o, endpoint, v, out)
}

// sendEndpoint sends a spelling of the endpoint, records that the Hub was made to verify it, unless the call was not
// carried out, and reports whether it succeeded.
func (r *Reconciler) sendEndpoint(
	ctx context.Context, o *observation, endpoint string, v plan.Verification, out *outcome,
) bool {
	got, err := o.conn.Update(ctx, subject(o.name), o.ID, hub.WebhookFields{Endpoint: &endpoint})
	if errors.Is(err, connection.ErrWait) {
		out.waiting = true
		return false
	}
	now := r.Now()
	switch {
	case err == nil:
		o.Remote = plan.Remote{Presence: plan.Present, Webhook: got.Webhook, SeenAt: now}
	case hub.OutcomeOf(err) == hub.Unknown:
		o.local.Unsettled = now
	case hub.IsKind(err, hub.NotFound):
		out.again = true
	case !hub.IsKind(err, hub.Invalid) || hub.IsConflict(err):
		o.local.failed(now, o.attempt(), nil)
		return false
	}
	o.local.Verification = v.Triggered(now)
	return err == nil
}
