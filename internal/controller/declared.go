package controller

import (
	"context"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/hub/connection"
	"github.com/chatt2me/webhook-operator/internal/plan"
)

// elder is an older resource that declares the same webhook with the same API key. One that has no webhook does not
// count for one that has: it waits itself, or both would for ever.
func (r *Reconciler) elder(ctx context.Context, o *observation) (string, error) {
	return r.declaredBy(ctx, o, natural(o.Object), func(other *v1alpha1.Chatt2Webhook) bool {
		waits := o.ID != "" && other.Status.WebhookID == ""
		return other.DeletionTimestamp.IsZero() && older(other, o.Object) && !waits
	})
}

// declaredBy is another resource, one that counts, that declares what has this natural key with the same API key; empty
// when there is none.
func (r *Reconciler) declaredBy(
	ctx context.Context, o *observation, key connection.NaturalKey, counts func(*v1alpha1.Chatt2Webhook) bool,
) (string, error) {
	var others v1alpha1.Chatt2WebhookList
	alike := client.MatchingFields{indexNatural: naturalDrawer(key)}
	err := r.Client.List(ctx, &others, alike, client.UnsafeDisableDeepCopy)
	if err != nil {
		return "", err
	}
	for i := range others.Items {
		other := &others.Items[i]
		if other.UID == o.Object.UID || natural(other) != key || !counts(other) {
			continue
		}
		same, err := r.sameKey(ctx, o, other)
		if err != nil {
			return "", err
		}
		if same {
			return client.ObjectKeyFromObject(other).String(), nil
		}
	}
	return "", nil
}

// holder returns another resource with this natural key whose status names no webhook while its signing Secret holds the
// secret of this one. Its status is lost, and it is suspended or not reconciled yet: if this resource adopted the
// webhook and redefined its signature, that Secret would be stale and nothing would say so. A Secret that is marked may
// be stale, and a resource whose own Secret holds the secret as well does not wait: the other one waits for it.
func (r *Reconciler) holder(
	ctx context.Context, o *observation, key connection.NaturalKey, id string,
) (string, error) {
	if o.ID != "" || o.Signing.WebhookID == id {
		return "", nil
	}
	var others v1alpha1.Chatt2WebhookList
	alike := client.MatchingFields{indexNatural: drawer(key.Label, key.Endpoint, key.EventType)}
	if err := r.Client.List(ctx, &others, alike, client.UnsafeDisableDeepCopy); err != nil {
		return "", err
	}
	for i := range others.Items {
		other := &others.Items[i]
		if other.UID == o.Object.UID || natural(other) != key || other.Status.WebhookID != "" ||
			!other.Spec.RequiresSignature || !other.DeletionTimestamp.IsZero() {
			continue
		}
		secret := secretMetadata()
		name := client.ObjectKey{Namespace: other.Namespace, Name: other.SigningSecretName()}
		if err := r.Live.Get(ctx, name, secret); client.IgnoreNotFound(err) != nil {
			return "", err
		}
		marked := secret.Annotations[v1alpha1.AnnotationRotationStartedAt] != ""
		if metav1.IsControlledBy(secret, other) && secret.Annotations[v1alpha1.AnnotationWebhookID] == id && !marked {
			return client.ObjectKeyFromObject(other).String(), nil
		}
	}
	return "", nil
}

// registers tells whether a resource has begun to register a webhook and is about to find out which one it got.
func registers(w *v1alpha1.Chatt2Webhook) bool {
	_, intent := w.Annotations[v1alpha1.AnnotationCreateStartedAt]
	return intent && w.Status.WebhookID == "" && !w.Spec.Suspend && w.DeletionTimestamp.IsZero()
}

// sameKey tells whether another resource uses the same Application.
func (r *Reconciler) sameKey(ctx context.Context, o *observation, other *v1alpha1.Chatt2Webhook) (bool, error) {
	if other.Namespace == o.Object.Namespace && other.Spec.APIKeySecretRef == o.Object.Spec.APIKeySecretRef {
		return true, nil
	}
	if id := other.Status.ApplicationID; id != "" && id == o.Hub.ApplicationID {
		return true, nil
	}
	key, err := r.apiKey(ctx, other)
	if err != nil || key.trouble != nil {
		return false, err
	}
	return key.hash == o.Key.Hash, nil
}

// ownerDiffers tells whether the webhook is what its other owner declares and not what this resource does, as far as
// the cache and the Hub show that. A status that names it is not enough: somebody may have edited that.
func (r *Reconciler) ownerDiffers(ctx context.Context, o *observation) (bool, error) {
	var key client.ObjectKey
	key.Namespace, key.Name, _ = strings.Cut(o.Owner, "/")
	isWatched := len(r.Options.Namespaces) == 0 || slices.Contains(r.Options.Namespaces, key.Namespace)
	if o.Owner == "" || o.Remote.Presence != plan.Present || !isWatched {
		return false, nil
	}
	var owner v1alpha1.Chatt2Webhook
	err := r.Client.Get(ctx, key, &owner)
	return err == nil && declares(&owner, &o.Remote.Webhook) && !declares(o.Object, &o.Remote.Webhook),
		client.IgnoreNotFound(err)
}

// declares tells whether a webhook is what a resource declares, as far as the Hub shows it.
func declares(object *v1alpha1.Chatt2Webhook, w *hub.Webhook) bool {
	declared, shown := natural(object), connection.Natural(w.Label.Value, w.Endpoint, w.EventType)
	if !w.Label.Known {
		shown.Label = declared.Label
	}
	return declared == shown
}
