package controller

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/plan"
	"github.com/chatt2me/webhook-operator/internal/signing"
)

// observeSigning reads the signing Secret, and the one of the name that spec said before.
func (r *Reconciler) observeSigning(ctx context.Context, o *observation) error {
	name, former := o.Object.SigningSecretName(), ""
	if s := o.Object.Status.SigningSecret; s != nil && s.Name != name {
		former = s.Name
	}
	o.Signing.Name = name
	if !o.Object.DeletionTimestamp.IsZero() {
		return nil // it goes with the resource
	}
	if !o.Object.Spec.RequiresSignature && o.Object.Status.SigningSecret == nil && !r.mayHaveSecret(ctx, o) {
		return nil
	}
	var err error
	if o.secret, err = r.readSecret(ctx, o, name); err != nil {
		return err
	}
	o.Signing = describe(o.Object, name, o.secret, o.Now)
	if former == "" {
		return nil
	}
	if o.former, err = r.readSecret(ctx, o, former); err != nil || o.former == nil {
		return err
	}
	described := describe(o.Object, former, o.former, o.Now)
	o.FormerSecret = &described
	return nil
}

// mayHaveSecret tells whether there may be a signing Secret that status does not know of: one left over by a status
// that was lost.
func (r *Reconciler) mayHaveSecret(ctx context.Context, o *observation) bool {
	if !r.Options.WatchSecrets {
		return o.Object.Status.ObservedGeneration != o.Object.Generation
	}
	meta := secretMetadata()
	name := types.NamespacedName{Namespace: o.name.Namespace, Name: o.Object.SigningSecretName()}
	return r.Client.Get(ctx, name, meta) == nil && metav1.IsControlledBy(meta, o.Object)
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
func describe(object *v1alpha1.Chatt2Webhook, name string, secret *corev1.Secret, now time.Time) plan.SigningSecret {
	s := plan.SigningSecret{Name: name}
	if secret == nil {
		return s
	}
	content := signing.Parse(secret.Data, secret.Annotations)
	s.Exists, s.Foreign = true, !metav1.IsControlledBy(secret, object)
	s.WebhookID, s.Request = content.WebhookID, content.RotationRequest
	s.HasPrevious, s.PreviousExpiresAt = !content.Previous.IsZero(), content.PreviousExpiresAt
	s.RotationOpen = !content.RotationStartedAt.IsZero()
	s.Outdated = !carries(secret, object)
	if !content.Current.IsZero() {
		s.Fingerprint = signing.Fingerprint(content.WebhookID, content.Current)
	}
	// A time that is missing or cannot be is replaced by the best other witness.
	s.RotatedAt = content.RotatedAt
	if s.RotatedAt.IsZero() || s.RotatedAt.After(now.Add(time.Minute)) {
		s.RotatedAt = secret.CreationTimestamp.Time
		if recorded := object.Status.SigningSecret; recorded != nil && recorded.RotatedAt != nil {
			s.RotatedAt = recorded.RotatedAt.Time
		}
	}
	return s
}

// carries tells whether the Secret has the labels and annotations that it is to have.
func carries(secret *corev1.Secret, object *v1alpha1.Chatt2Webhook) bool {
	for key, value := range secretLabels(object) {
		if secret.Labels[key] != value {
			return false
		}
	}
	for key, value := range secretAnnotations(object) {
		if have, ok := secret.Annotations[key]; !ok || have != value {
			return false
		}
	}
	return true
}

func secretLabels(object *v1alpha1.Chatt2Webhook) map[string]string {
	labels := map[string]string{}
	if s := object.Spec.SigningSecret; s != nil && s.Template != nil {
		for key, value := range s.Template.Metadata.Labels {
			labels[key] = string(value)
		}
	}
	labels[v1alpha1.LabelManagedBy] = v1alpha1.ManagedBy
	return labels
}

func secretAnnotations(object *v1alpha1.Chatt2Webhook) map[string]string {
	annotations := map[string]string{}
	if s := object.Spec.SigningSecret; s != nil && s.Template != nil {
		for key, value := range s.Template.Metadata.Annotations {
			annotations[key] = string(value)
		}
	}
	return annotations
}
