package controller

import (
	"cmp"
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/hub/connection"
	"github.com/chatt2me/webhook-operator/internal/plan"
	"github.com/chatt2me/webhook-operator/internal/signing"
)

// storeTries is how often storing a secret is tried in a row when the Secret changes meanwhile.
const storeTries = 3

// beginRotation records that the stored secret may be stale from now on. It proves, too, that the Secret can be
// written, before the Hub is asked for what it shows once.
func (r *Reconciler) beginRotation(ctx context.Context, o *observation, p plan.Plan, out *outcome) {
	// A secret is not marked stale before the turn has come to have another one made.
	if out.waiting = !o.conn.Turn(subject(o.name), connection.Repair); out.waiting {
		return
	}
	if o.secret != nil && plan.Value(o.secret.Immutable) {
		// What is said beside its data can be changed, and so the write below would prove nothing.
		r.secretDone(o, errImmutableSecret, out)
		return
	}
	if o.local.RotationOwn && o.secret != nil && !o.Signing.RotationOpen {
		// Another controller has removed what this process recorded, and may do it again.
		o.local.RotationOwn = false
		r.secretDone(o, errRemoved, out)
		return
	}
	content := o.content()
	if p.Discard {
		content.Current = hub.Secret{}
	}
	if r.secretDone(o, r.writeSecret(ctx, o, content.Begin(o.ID, r.Now())), out) {
		o.local.RotationOwn, o.local.trigger, o.local.SecretAmbiguous = true, cmp.Or(o.local.trigger, p.Trigger), false
	}
}

// redefine has a new secret made and stores it, unless the resource is not as it was read: a process that leads no
// longer and does not know it yet would kill what its successor has stored.
func (r *Reconciler) redefine(ctx context.Context, o *observation, _ plan.Plan, out *outcome) {
	if out.err = r.fence(ctx, o); out.err != nil {
		return
	}
	secret, err := o.conn.RedefineSignature(ctx, subject(o.name), o.ID)
	if o.callFailed(plan.Redefine, err, r.Now(), out) {
		if !out.waiting {
			r.Metrics.Rotated(o.local.trigger, "failed")
			o.local.RotationOwn = o.local.RotationOwn && hub.OutcomeOf(err) == hub.NotApplied
		}
		if hub.IsKind(err, hub.Invalid) {
			// Perhaps it does not sign any more. If it cannot be read now, it is read after the next refusal.
			if seen, err := o.conn.Get(ctx, subject(o.name), o.ID, connection.Repair); err == nil {
				o.Remote = plan.Remote{Presence: plan.Present, Webhook: seen.Webhook, SeenAt: seen.SeenAt}
			}
		}
		return
	}
	r.hold(o, secret)
	r.Metrics.Rotated(o.local.trigger, "redefined")
	if err := r.store(ctx, o); err == nil && !o.local.SecretAmbiguous {
		out.tell(normal(v1alpha1.EventSecretRotated, "Stored a new signing secret in the Secret %q", o.Signing.Name))
	}
}

// hold keeps a secret in memory until it is stored.
func (r *Reconciler) hold(o *observation, secret hub.Secret) {
	request := plan.Request(o.Object.Annotations[v1alpha1.AnnotationRotateRequestedAt])
	o.local.held = &heldSecret{
		webhookID: o.ID, value: secret, request: request, begun: o.content().RotationStartedAt,
	}
	o.local.Held = true
	o.local.made = madeSecret{fingerprint: signing.Fingerprint(o.ID, secret), request: request}
}

func (r *Reconciler) storeHeld(ctx context.Context, o *observation, _ plan.Plan, out *outcome) {
	out.failed = r.store(ctx, o) != nil
}

// store stores the secret that is held, the one it replaces as the previous one, and ends the rotation, all in one
// write. Until that has succeeded the secret stays in memory, and no other one is made.
func (r *Reconciler) store(ctx context.Context, o *observation) error {
	held := o.local.held
	var err error
	for range storeTries {
		if o.overtaken() {
			// Another process has made another secret, before this one or after: only a third one is known to be
			// current.
			o.local.held, o.local.Held, o.local.SecretAmbiguous = nil, false, true
			o.local.secretWritten()
			return nil
		}
		content := o.content().Store(
			held.webhookID, held.value, held.request, r.storeTime(o), plan.Overlap(&o.Object.Spec))
		if err = r.writeSecret(ctx, o, content); !changedMeanwhile(err) {
			break
		}
		// Look and write again.
		if o.secret, err = r.readSecret(ctx, o, o.Signing.Name); err != nil {
			break
		}
		o.Signing = o.describe(o.Signing.Name, o.secret, o.Now)
	}
	if err == nil {
		o.local.held, o.local.Held = nil, false
		o.local.RotationOwn, o.local.trigger = false, ""
		o.local.secretWritten()
		return nil
	}
	problem := secretProblem(o, err)
	if problem == nil {
		problem = &plan.Problem{
			Condition: v1alpha1.ConditionSigningSecretReady, Reason: v1alpha1.ReasonSecretNotStored, Event: true,
			Message: "a new signing secret could not be written to its Secret yet; the operator holds it; " +
				plan.TriedAgain,
		}
	}
	o.secretFailed(r.Now(), problem, err)
	return err
}

// overtaken reports whether another process has stored a secret of the webhook since the held one was requested.
func (o *observation) overtaken() bool {
	held, content := o.local.held, o.content()
	if content.Current.IsZero() || content.WebhookID != held.webhookID || content.Current == held.value {
		return false
	}
	return !content.RotationStartedAt.Equal(held.begun) || held.begun.IsZero()
}

// storeTime returns the time that a secret is stored with: later, in whole seconds, than the one in status, so that a
// secret that status does not show yet differs from one that was tampered with.
func (r *Reconciler) storeTime(o *observation) time.Time {
	now := r.Now()
	if later := plan.StoredAt(o.Object, now).Add(time.Second); later.After(now) {
		return later
	}
	return now
}

// changedMeanwhile reports whether a write failed because the Secret was not as it was read.
func changedMeanwhile(err error) bool {
	return isConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err)
}

// content is what the signing Secret holds, nothing when it is not there or not ours.
func (o *observation) content() signing.Content {
	if o.secret == nil || o.ForeignSecret() {
		return signing.Content{}
	}
	return o.contentOf(o.secret)
}

// writeSecret writes the signing Secret: creates it, or replaces it as it was read. A Secret that the resource does not
// control is not touched.
func (r *Reconciler) writeSecret(ctx context.Context, o *observation, content signing.Content) error {
	if o.ForeignSecret() {
		return errForeignSecret
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: o.name.Namespace, Name: o.Signing.Name}, Type: corev1.SecretTypeOpaque,
	}
	if o.secret != nil {
		secret = o.secret.DeepCopy()
	}
	isTaken := o.secret != nil && !metav1.IsControlledBy(o.secret, o.Object)
	isMarker := o.secret == nil && content.Current.IsZero()
	if (isTaken || isMarker) && o.Object.DeletionTimestamp.IsZero() {
		// A cache that is behind shows neither a deletion, which keeps the Secret, nor another name in spec. And
		// nothing is made for a resource that is gone, unless it holds a secret of which there is no other copy.
		if err := r.fence(ctx, o); err != nil {
			return err
		}
	}
	if err := r.setOwner(o, secret); err != nil {
		return err
	}
	applyTemplate(secret, o.Object)
	for key, value := range content.Annotations() {
		if secret.Annotations[key] = value; value == "" {
			delete(secret.Annotations, key)
		}
	}
	secret.Data = content.Data()
	if err := r.saveSecret(ctx, o, secret); err != nil {
		return err
	}
	o.secret, o.local.secretName = secret, o.Signing.Name
	o.Signing = o.describe(o.Signing.Name, secret, r.Now())
	if !isKept(secret, content) {
		return errNotKept
	}
	return nil
}

// saveSecret creates a Secret that was never read, and updates any other.
func (r *Reconciler) saveSecret(ctx context.Context, o *observation, secret *corev1.Secret) error {
	save := func() error { return r.Client.Update(ctx, secret) }
	if secret.ResourceVersion == "" {
		save = func() error { return r.Client.Create(ctx, secret) }
	}
	if r.Options.WatchSecrets {
		return o.write(&r.secrets, secret, save)
	}
	return save()
}

// endSigning writes down, on each Secret of the webhook, that the Hub may not sign with what is in it any more. Should
// this process die and spec be turned back, nothing else tells of that. What the API server does not let be written is
// no reason to go on signing. It reports whether that may be ended now: not by a process that leads no longer.
func (r *Reconciler) endSigning(ctx context.Context, o *observation, out *outcome) bool {
	if out.waiting = !o.conn.Turn(subject(o.name), connection.Repair); out.waiting {
		return false
	}
	for _, secret := range []**corev1.Secret{&o.secret, &o.former} {
		if *secret == nil || !metav1.IsControlledBy(*secret, o.Object) && (*secret != o.secret || o.ForeignSecret()) {
			continue
		}
		content, marked := o.contentOf(*secret), (*secret).DeepCopy()
		if content.WebhookID != o.ID || !content.RotationStartedAt.IsZero() {
			continue
		}
		begun := content.Begin(o.ID, r.Now()).Annotations()[v1alpha1.AnnotationRotationStartedAt]
		metav1.SetMetaDataAnnotation(&marked.ObjectMeta, v1alpha1.AnnotationRotationStartedAt, begun)
		switch err := r.saveSecret(ctx, o, marked); {
		case err == nil:
			*secret, o.local.RotationOwn = marked, true
		case secretProblem(o, err) == nil:
			out.err = err
			return false
		}
	}
	o.Signing = o.describe(o.Signing.Name, o.secret, r.Now())
	if o.former != nil {
		o.FormerSecret = new(o.describe(o.former.Name, o.former, r.Now()))
	}
	out.err = r.fence(ctx, o)
	return out.err == nil
}

// secretDone takes the end of a write to the signing Secret, and reports whether it succeeded. What the API server does
// not let happen is told on the resource and tried again ever later.
func (r *Reconciler) secretDone(o *observation, err error, out *outcome) bool {
	if problem := secretProblem(o, err); problem != nil {
		o.secretFailed(r.Now(), problem, err)
		out.failed = true
		return false
	}
	if out.err = err; err == nil {
		o.local.secretWritten()
	}
	return err == nil
}

func (r *Reconciler) pruneSecret(ctx context.Context, o *observation, _ plan.Plan, out *outcome) {
	r.secretDone(o, r.writeSecret(ctx, o, o.content().Prune()), out)
}

func (r *Reconciler) updateSecretMetadata(ctx context.Context, o *observation, _ plan.Plan, out *outcome) {
	unowned := o.Signing.Foreign
	if !r.secretDone(o, r.writeSecret(ctx, o, o.content()), out) {
		return
	}
	if unowned && !o.Signing.Foreign {
		out.tell(normal(v1alpha1.EventAdopted, "Took over the Secret %q with the signing secret of webhook %s",
			o.Signing.Name, o.ID))
	}
	if o.local.MetadataLostOf = 0; o.Signing.Outdated || o.local.restoredOften(o.Object.Generation) {
		// What an admission policy or another controller undoes will not be otherwise for being written again.
		o.local.MetadataLostOf, out.failed = o.Object.Generation, o.Signing.Outdated
		out.tell(warning(v1alpha1.ReasonSecretRejected, "The labels, annotations or owner that were written to the "+
			"Secret %q are not kept; an admission policy or another controller may change them", o.Signing.Name))
	}
}

// moveSecret writes what the former Secret holds to the name that spec says now. The former one is deleted later.
func (r *Reconciler) moveSecret(ctx context.Context, o *observation, _ plan.Plan, out *outcome) {
	r.secretDone(o, r.writeSecret(ctx, o, o.contentOf(o.former)), out)
}

func (r *Reconciler) deleteFormerSecret(ctx context.Context, o *observation, _ plan.Plan, out *outcome) {
	if r.secretDone(o, r.removeSecret(ctx, o, o.former), out) {
		o.former, o.FormerSecret, out.again = nil, nil, true // there may be more of them
	}
}

func (r *Reconciler) deleteSecret(ctx context.Context, o *observation, _ plan.Plan, out *outcome) {
	if r.secretDone(o, r.removeSecret(ctx, o, o.secret), out) {
		o.secret, o.Signing = nil, plan.SigningSecret{Name: o.Signing.Name}
	}
}

// removeSecret deletes a Secret as it was read, and no other.
func (r *Reconciler) removeSecret(ctx context.Context, o *observation, secret *corev1.Secret) error {
	err := client.IgnoreNotFound(r.Client.Delete(ctx, secret, client.Preconditions{
		UID: &secret.UID, ResourceVersion: &secret.ResourceVersion,
	}))
	if err == nil && o.local.secretName == secret.Name {
		o.local.secretName = ""
	}
	return err
}
