package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

// keepSecrets removes the resource from the owners of its signing Secrets, so that they survive it: its webhook stays
// on the Hub and goes on signing, and the Hub never shows a secret twice. This comes before the finalizer is removed,
// for afterwards the garbage collector deletes them. It returns the end of the note for the event, which says what
// was kept. A Secret that the API server does not let be changed is reported there and does not block the deletion.
func (r *Reconciler) keepSecrets(ctx context.Context, o *observation) (string, error) {
	names, err := r.knownSecrets(ctx, o)
	if err != nil {
		return "", err
	}
	if o.Object.Spec.RequiresSignature && !slices.Contains(names, o.Signing.Name) {
		names = append(names, o.Signing.Name)
	}
	var kept, lost []string
	for _, name := range names {
		isKept, err := r.keepSecret(ctx, o, name)
		switch {
		case secretProblem(o, err) != nil:
			lost = append(lost, name)
		case err != nil:
			return "", err
		case isKept:
			kept = append(kept, name)
		}
	}
	var note string
	if len(kept) > 0 {
		note = "; kept its signing secret in the Secret " + quoted(kept)
	}
	if len(lost) > 0 {
		note += "; the API server does not let the operator keep its signing secret in the Secret " + quoted(lost)
	}
	if note == "" && o.Object.Spec.RequiresSignature {
		note = "; its signing secret is not kept, as there is no Secret with it any more"
	}
	return note, nil
}

// keepSecret keeps one Secret, if it holds a signing secret of the resource, and reports whether it is kept. A new
// secret that could not be stored before is stored now.
func (r *Reconciler) keepSecret(ctx context.Context, o *observation, name string) (bool, error) {
	secret, err := r.readSecret(ctx, o, name)
	if err != nil {
		return false, err
	}
	if name == o.Signing.Name && o.local.held != nil {
		o.secret, o.Signing = secret, o.describe(name, secret, o.Now)
		held := o.local.held.value
		// The annotations that a policy removes are not worth losing the secret for.
		if err := r.store(ctx, o); err != nil && (!errors.Is(err, errNotKept) || o.content().Current != held) {
			return false, err
		}
		secret = o.secret
	}
	switch {
	case secret == nil || !o.isOwnSecret(secret):
		return false, nil
	case !metav1.IsControlledBy(secret, o.Object):
		// Without a controller it was kept by a step whose finalizer write failed.
		return metav1.GetControllerOfNoCopy(secret) == nil, nil
	}
	released := secret.DeepCopy()
	if err := r.setOwner(o, released); err != nil {
		return false, err
	}
	return true, r.saveSecret(ctx, o, released)
}

// setOwner makes the resource the controller of a Secret, so that the Secret is deleted with it. A resource that is
// being deleted is removed from the owners instead: its Secrets are written only to keep them.
func (r *Reconciler) setOwner(o *observation, secret *corev1.Secret) error {
	if o.Object.DeletionTimestamp.IsZero() {
		return controllerutil.SetControllerReference(o.Object, secret, r.Client.Scheme())
	}
	secret.OwnerReferences = slices.DeleteFunc(slices.Clone(secret.OwnerReferences),
		func(owner metav1.OwnerReference) bool { return owner.UID == o.Object.UID })
	return nil
}

func quoted(names []string) string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = fmt.Sprintf("%q", name)
	}
	return strings.Join(all, ", ")
}
