package controller

import (
	"context"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/hub/connection"
	"github.com/chatt2me/webhook-operator/internal/plan"
)

// older claimant is an older resource that declares the same webhook with the same API key.
func (r *Reconciler) claimant(ctx context.Context, o *observation) (string, error) {
	claimant, err := r.declaredBy(ctx, o, natural(o.Object), func(other *v1alpha1.Chatt2Webhook) bool {
		return isOlderClaimant(o, other)
	})
	if claimant == "" && err == nil && r.Options.IsShard {
		claimant, _ = r.claims.ownerElsewhere(o.name.String(), o.Now)
	}
	return claimant, err
}

// isOlderClaimant reports whether another resource that declares the same comes first. One that has no webhook does not
// come before one that has: both would wait for ever.
func isOlderClaimant(o *observation, other *v1alpha1.Chatt2Webhook) bool {
	waits := o.ID != "" && other.Status.WebhookID == ""
	return other.UID != o.Object.UID && natural(other) == natural(o.Object) && other.DeletionTimestamp.IsZero() &&
		older(other, o.Object) && !waits
}

// olderClaimantElsewhere asks the API server for an older resource of another shard that declares the same webhook. One
// that spells the endpoint another way is not found until both have one.
func (r *Reconciler) olderClaimantElsewhere(ctx context.Context, o *observation) (string, error) {
	if !r.Options.IsShard {
		return "", nil
	}
	others, err := r.liveList(ctx, client.MatchingFields{fieldEndpoint: o.Object.Spec.Endpoint})
	if err != nil {
		return "", err
	}
	for i := range others {
		if !isOlderClaimant(o, &others[i]) {
			continue
		}
		// A Secret that may not be read is that of a key of which nothing is known.
		same, err := r.sameKey(ctx, o, &others[i])
		if err != nil && !apierrors.IsForbidden(err) {
			return "", err
		}
		if same {
			claimant := client.ObjectKeyFromObject(&others[i]).String()
			r.claims.seenElsewhere(o.name.String(), claimant, o.Now)
			return claimant, nil
		}
	}
	return "", nil
}

// observeClaimsElsewhere asks the API server who has the webhooks that look like the one of the resource, where the
// cache shows none: two shards may have registered the same at once.
func (r *Reconciler) observeClaimsElsewhere(ctx context.Context, o *observation) error {
	if !r.Options.IsShard || o.ID == "" {
		return nil
	}
	for i := range o.Matches {
		m := &o.Matches[i]
		if m.Former || m.Owner != "" {
			continue
		}
		if _, asked := r.claims.ownerElsewhere(m.Webhook.ID, o.Now); !asked {
			others, err := r.liveList(ctx, client.MatchingFields{fieldWebhookID: m.Webhook.ID})
			if err != nil {
				return err
			}
			m.Owner = rightful(others, m.Webhook.ID, o.Object)
			r.claims.seenElsewhere(m.Webhook.ID, m.Owner, o.Now)
			claimant := slices.IndexFunc(others, func(other v1alpha1.Chatt2Webhook) bool {
				return isOlderClaimant(o, &other)
			})
			if claimant >= 0 {
				o.OlderClaimant = client.ObjectKeyFromObject(&others[claimant]).String()
				r.claims.seenElsewhere(o.name.String(), o.OlderClaimant, o.Now)
			}
		}
		if m.Owner == "" {
			o.Unclaimed = true
		}
	}
	return nil
}

// declaredBy is another resource, one that counts, that declares what has this natural key with the same API key; empty
// when there is none.
func (r *Reconciler) declaredBy(
	ctx context.Context, o *observation, key connection.NaturalKey, counts func(*v1alpha1.Chatt2Webhook) bool,
) (string, error) {
	others, err := r.declaring(ctx, o, key)
	if err != nil {
		return "", err
	}
	for _, other := range others {
		if !counts(other) {
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

// declaring returns the other resources that the cache shows to declare what has this natural key.
func (r *Reconciler) declaring(
	ctx context.Context, o *observation, key connection.NaturalKey,
) ([]*v1alpha1.Chatt2Webhook, error) {
	var list v1alpha1.Chatt2WebhookList
	alike := client.MatchingFields{indexNatural: naturalBucket(key)}
	if err := r.Client.List(ctx, &list, alike, client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	var others []*v1alpha1.Chatt2Webhook
	for i := range list.Items {
		if other := &list.Items[i]; other.UID != o.Object.UID && natural(other) == key {
			others = append(others, other)
		}
	}
	return others, nil
}

// registrant returns another resource, with whatever API key, that has begun to register what has this natural key and
// may have made this webhook, which is not adopted before that is known. A resource that has begun that itself does not
// wait, or both would for ever.
func (r *Reconciler) registrant(
	ctx context.Context, o *observation, key connection.NaturalKey, w *hub.Webhook,
) (string, error) {
	if registers(o.Object) || o.ID != "" {
		return "", nil
	}
	others, err := r.declaring(ctx, o, key)
	for _, other := range others {
		if registers(other) && plan.MayHaveMade(other, w.CreatedDate, o.Now) {
			return client.ObjectKeyFromObject(other).String(), nil
		}
	}
	return "", err
}

// holder returns another resource with this natural key whose status names no webhook while its signing Secret holds
// the secret of this one. Its status is lost, and it is suspended or not reconciled yet: if this resource adopted the
// webhook and redefined its signature, that Secret would be stale and nothing would say so. A Secret that is marked may
// be stale, and a resource whose own Secret holds the secret as well does not wait: the other one waits for it.
func (r *Reconciler) holder(
	ctx context.Context, o *observation, key connection.NaturalKey, id string,
) (string, error) {
	if o.ID != "" || o.Signing.WebhookID == id {
		return "", nil
	}
	others, err := r.declaring(ctx, o, key)
	if err != nil {
		return "", err
	}
	for _, other := range others {
		if other.Status.WebhookID != "" || !other.Spec.RequiresSignature || !other.DeletionTimestamp.IsZero() {
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

// registers reports whether a resource has begun to register a webhook and is about to find out which one it got.
func registers(w *v1alpha1.Chatt2Webhook) bool {
	_, intent := w.Annotations[v1alpha1.AnnotationCreateStartedAt]
	return intent && w.Status.WebhookID == "" && !w.Spec.Suspend && w.DeletionTimestamp.IsZero()
}

// sameKey reports whether another resource uses the same Application.
func (r *Reconciler) sameKey(ctx context.Context, o *observation, other *v1alpha1.Chatt2Webhook) (bool, error) {
	if other.Namespace == o.Object.Namespace && other.Spec.APIKeySecretRef == o.Object.Spec.APIKeySecretRef {
		return true, nil
	}
	if id := other.Status.ApplicationID; id != "" && id == o.Hub.ApplicationID {
		return true, nil
	}
	key, err := r.apiKey(ctx, other)
	if err != nil || key.problem != nil {
		return false, err
	}
	return key.hash == o.Key.Hash, nil
}

// ownerDiffers reports whether the webhook is what its other owner declares and not what this resource does, as far as
// the cache and the Hub show that. A status that names it is not enough: a user may have edited it.
func (r *Reconciler) ownerDiffers(ctx context.Context, o *observation) (bool, error) {
	var key client.ObjectKey
	key.Namespace, key.Name, _ = strings.Cut(o.Owner, "/")
	if o.Owner == "" || o.Remote.Presence != plan.Present || !r.watches(key.Namespace) {
		return false, nil
	}
	var owner v1alpha1.Chatt2Webhook
	err := r.Client.Get(ctx, key, &owner)
	return err == nil && declares(&owner, &o.Remote.Webhook) && !declares(o.Object, &o.Remote.Webhook),
		client.IgnoreNotFound(err)
}

// declares reports whether a webhook is what a resource declares, as far as the Hub shows it.
func declares(object *v1alpha1.Chatt2Webhook, w *hub.Webhook) bool {
	declared, shown := natural(object), connection.Natural(w.Label.Value, w.Endpoint, w.EventType)
	if !w.Label.Known {
		shown.Label = declared.Label
	}
	return declared == shown
}
