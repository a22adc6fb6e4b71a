package controller

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/plan"
)

// keyring keeps the API keys that were read, each for as long as the metadata watch shows the version it came from.
type keyring struct {
	mu   sync.Mutex
	keys map[types.NamespacedName]readKeys
}

type readKeys struct {
	uid     types.UID
	version string
	values  map[string]hub.Secret
	usedAt  time.Time
}

// keyTime is how long API keys are kept that nobody asks for.
const keyTime = 10 * time.Minute

// apiKey is an API key as a resource refers to it.
type apiKey struct {
	value hub.Secret
	hash  string
	// meta is the Secret's metadata, nil when there is no such Secret.
	meta    *metav1.PartialObjectMetadata
	trouble *plan.Trouble
}

// apiKey reads the API key of a resource. The error is about reading, the trouble about what was read.
func (r *Reconciler) apiKey(ctx context.Context, object *v1alpha1.Chatt2Webhook) (apiKey, error) {
	ref := object.Spec.APIKeySecretRef
	name := types.NamespacedName{Namespace: object.Namespace, Name: ref.Name}
	meta, values, err := r.readKeys(ctx, name)
	if apierrors.IsNotFound(err) {
		return apiKey{trouble: keyTrouble(v1alpha1.ReasonAPIKeyNotFound, false,
			"there is no Secret %q; create it with the API key under the key %q", ref.Name, ref.Key)}, nil
	}
	if err != nil {
		return apiKey{}, err
	}
	value, ok := values[ref.Key]
	if !ok {
		return apiKey{meta: meta, trouble: keyTrouble(v1alpha1.ReasonAPIKeyInvalid, true,
			"the Secret %q has no key %q; put the API key there, or name the right key in spec.apiKeySecretRef.key",
			ref.Name, ref.Key)}, nil
	}
	clean, ok := cleanKey(value)
	if !ok {
		return apiKey{meta: meta, trouble: keyTrouble(v1alpha1.ReasonAPIKeyInvalid, true,
			"the key %q of the Secret %q holds no API key: it must be printable ASCII without spaces, of which one "+
				"line break at the end is dropped", ref.Key, ref.Name)}, nil
	}
	return apiKey{value: clean, hash: r.Pool.KeyHash(clean), meta: meta}, nil
}

// readKeys reads a Secret, from the keyring while the watch shows the version that is in it.
func (r *Reconciler) readKeys(
	ctx context.Context, name types.NamespacedName,
) (*metav1.PartialObjectMetadata, map[string]hub.Secret, error) {
	if r.Options.WatchSecrets {
		meta := secretMetadata()
		if err := r.Client.Get(ctx, name, meta); err == nil {
			if values, ok := r.keys.read(name, meta, r.Now()); ok {
				return meta, values, nil
			}
		}
	}
	var secret corev1.Secret
	if err := r.Live.Get(ctx, name, &secret); err != nil {
		r.keys.drop(name)
		return nil, nil, err
	}
	meta := secretMetadata()
	meta.ObjectMeta = secret.ObjectMeta
	return meta, r.keys.keep(name, &secret, r.Now()), nil
}

func (k *keyring) read(
	name types.NamespacedName, meta *metav1.PartialObjectMetadata, now time.Time,
) (map[string]hub.Secret, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	kept, ok := k.keys[name]
	if !ok || kept.uid != meta.UID || kept.version != meta.ResourceVersion {
		return nil, false
	}
	kept.usedAt = now
	k.keys[name] = kept
	return kept.values, true
}

func (k *keyring) keep(name types.NamespacedName, secret *corev1.Secret, now time.Time) map[string]hub.Secret {
	values := make(map[string]hub.Secret, len(secret.Data))
	for key, value := range secret.Data {
		values[key] = hub.NewSecret(string(value))
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.keys == nil {
		k.keys = map[types.NamespacedName]readKeys{}
	}
	maps.DeleteFunc(k.keys, func(_ types.NamespacedName, kept readKeys) bool { return now.Sub(kept.usedAt) > keyTime })
	k.keys[name] = readKeys{uid: secret.UID, version: secret.ResourceVersion, values: values, usedAt: now}
	return values
}

func (k *keyring) drop(name types.NamespacedName) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.keys, name)
}

// cleanKey drops one line break at the end and refuses what cannot be sent in a header.
func cleanKey(value hub.Secret) (hub.Secret, bool) {
	s := trimLineBreak(value.Reveal())
	bad := s == "" || strings.ContainsFunc(s, func(c rune) bool { return c < 0x21 || c > 0x7e })
	return hub.NewSecret(s), !bad
}

func trimLineBreak(s string) string {
	return strings.TrimSuffix(strings.TrimSuffix(s, "\n"), "\r")
}

func keyTrouble(reason string, stalled bool, format string, args ...any) *plan.Trouble {
	return &plan.Trouble{
		Condition: v1alpha1.ConditionSynced, Reason: reason, Stalled: stalled, Event: true,
		Message: fmt.Sprintf(format, args...),
	}
}

// protect puts the in-use finalizer on the Secret of the API key, so that it outlives those who need it.
func (r *Reconciler) protect(ctx context.Context, meta *metav1.PartialObjectMetadata) error {
	before := meta.DeepCopy()
	after := meta.DeepCopy()
	after.Finalizers = append(slices.Clone(after.Finalizers), v1alpha1.APIKeyFinalizer)
	return r.Client.Patch(ctx, after, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
}

func secretMetadata() *metav1.PartialObjectMetadata {
	meta := &metav1.PartialObjectMetadata{}
	meta.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	return meta
}
