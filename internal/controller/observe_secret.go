package controller

import (
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/plan"
	"github.com/chatt2me/webhook-operator/internal/signing"
)

// observeSigning reads the signing Secret, and one that the resource has under another name.
func (r *Reconciler) observeSigning(ctx context.Context, o *observation) error {
	name := o.Object.SigningSecretName()
	o.Signing.Name = name
	if !o.Object.DeletionTimestamp.IsZero() {
		return nil // it goes with the resource
	}
	known, err := r.knownSecrets(ctx, o)
	if err != nil || !o.Object.Spec.RequiresSignature && len(known) == 0 {
		return err
	}
	if o.secret, err = r.readSecret(ctx, o, name); err != nil {
		return err
	}
	o.Signing = o.describe(name, o.secret, o.Now)
	for _, other := range known {
		if other == name {
			continue
		}
		secret, err := r.readSecret(ctx, o, other)
		if err != nil {
			return err
		}
		if secret == nil || !metav1.IsControlledBy(secret, o.Object) || !o.isOwnSecret(secret) {
			continue
		}
		if !secret.DeletionTimestamp.IsZero() && (o.secret != nil || !o.Object.Spec.RequiresSignature) {
			continue // a finalizer keeps it, and there is nothing to move
		}
		o.former = secret
		o.FormerSecret = new(o.describe(other, secret, o.Now))
		return nil
	}
	return nil
}

// knownSecrets returns the names of Secrets that may hold a signing secret of the resource: the one that status names,
// the one that this process wrote last, and those that the cache shows. The status may have been lost that was to name
// one.
func (r *Reconciler) knownSecrets(ctx context.Context, o *observation) ([]string, error) {
	var known []string
	add := func(name string) {
		if name != "" && !slices.Contains(known, name) {
			known = append(known, name)
		}
	}
	if s := o.Object.Status.SigningSecret; s != nil {
		add(s.Name) // first, as what it holds can be moved
	}
	add(o.local.secretName)
	if !r.Options.WatchSecrets {
		if o.Object.Status.ObservedGeneration != o.Object.Generation {
			add(o.Object.SigningSecretName())
		}
		return known, nil
	}
	cached := &metav1.PartialObjectMetadataList{}
	cached.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("SecretList"))
	err := r.Client.List(ctx, cached, client.InNamespace(o.name.Namespace),
		client.MatchingFields{indexOwner: bucket(string(o.Object.UID))}, client.UnsafeDisableDeepCopy)
	for n := range cached.Items {
		if metav1.IsControlledBy(&cached.Items[n], o.Object) {
			add(cached.Items[n].Name)
		}
	}
	return known, err
}

// readSecret reads a Secret from the API server, nil when there is none.
func (r *Reconciler) readSecret(ctx context.Context, o *observation, name string) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	err := r.Live.Get(ctx, types.NamespacedName{Namespace: o.name.Namespace, Name: name}, secret)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return secret, nil
}

// describe says of a signing Secret what decisions need to know; no value of it is in there.
func (o *observation) describe(name string, secret *corev1.Secret, now time.Time) plan.SigningSecret {
	object := o.Object
	s := plan.SigningSecret{Name: name}
	if secret == nil {
		return s
	}
	content := o.contentOf(secret)
	s.Terminating = !secret.DeletionTimestamp.IsZero()
	s.Exists, s.Foreign = true, !metav1.IsControlledBy(secret, object)
	s.WebhookID, s.Request = content.WebhookID, content.RotationRequest
	s.HasPrevious, s.PreviousExpiresAt = !content.Previous.IsZero(), content.PreviousExpiresAt
	s.RotationOpen, s.RotationStartedAt = !content.RotationStartedAt.IsZero(), content.RotationStartedAt
	s.Outdated = s.Foreign || !isCurrent(secret, object) ||
		content.WebhookID != secret.Annotations[v1alpha1.AnnotationWebhookID]
	if s.Foreign {
		owner := metav1.GetControllerOfNoCopy(secret)
		// An earlier resource of the same name is gone, for two cannot have one name.
		dangling := owner != nil && isResource(owner) && owner.Name == object.Name
		s.Unowned = (owner == nil || dangling) && !s.Terminating &&
			secret.Labels[v1alpha1.LabelManagedBy] == v1alpha1.ManagedBy
		s.Leaving = dangling || s.Terminating
	}
	if !content.Current.IsZero() {
		s.Fingerprint = signing.Fingerprint(content.WebhookID, content.Current)
	}
	if made := o.local.made; made.request != "" && made.fingerprint == s.Fingerprint {
		s.Request = made.request // also where the annotation was not kept
	}
	setTimes(&s, object, secret, content.RotatedAt, now)
	return s
}

// setTimes sets when a secret was stored and when the previous one expires.
func setTimes(
	s *plan.SigningSecret, object *v1alpha1.Chatt2Webhook, secret *corev1.Secret, rotatedAt, now time.Time,
) {
	// A time that is missing or cannot be is replaced by the best other witness. One of ours may be ahead by a second
	// more than what status may be.
	s.RotatedAt = rotatedAt
	if s.RotatedAt.IsZero() || s.RotatedAt.After(now.Add(2*time.Minute)) {
		s.RotatedAt = secret.CreationTimestamp.Time
		if recorded := plan.StoredAt(object, now); !recorded.IsZero() {
			s.RotatedAt = recorded
		}
	}
	// The overlap of now counts, and not the one of when the secret was stored; nor a clock that was wrong then.
	end := s.RotatedAt.Add(plan.Overlap(&object.Spec))
	if s.HasPrevious && s.PreviousExpiresAt.IsZero() || end.Before(s.PreviousExpiresAt) {
		s.PreviousExpiresAt = end
	}
}

// contentOf returns what a Secret holds. Where another controller has removed the annotation with the webhook's id, the
// fingerprint in status, or the one of the secret that the Hub has shown to this process, proves whose secret it is.
func (o *observation) contentOf(secret *corev1.Secret) signing.Content {
	content := signing.Parse(secret.Data, secret.Annotations)
	if content.WebhookID != "" || content.Current.IsZero() {
		return content
	}
	known := []string{o.local.made.fingerprint}
	if s := o.Object.Status.SigningSecret; s != nil {
		known = append(known, s.Fingerprint)
	}
	if slices.Contains(known, signing.Fingerprint(o.ID, content.Current)) {
		content.WebhookID = o.ID
	}
	return content
}

// isOwnSecret reports whether the operator has written a Secret that the resource controls: it has the label, or the
// name of one that was written for the resource.
func (o *observation) isOwnSecret(secret *corev1.Secret) bool {
	recorded := o.Object.Status.SigningSecret
	return secret.Labels[v1alpha1.LabelManagedBy] == v1alpha1.ManagedBy || secret.Name == o.local.secretName ||
		recorded != nil && secret.Name == recorded.Name
}

// isResource reports whether an owner is a Chatt2Webhook.
func isResource(owner *metav1.OwnerReference) bool {
	return owner.APIVersion == v1alpha1.GroupVersion.String() && owner.Kind == "Chatt2Webhook"
}
