package controller

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/plan"
)

// maxAPIKeyLength is the longest API key. It is sent in a header, and kept in memory.
const maxAPIKeyLength = 4096

// apiKey is an API key as a resource references it.
type apiKey struct {
	value hub.Secret
	hash  string
	// meta is the Secret's metadata, nil when there is no such Secret.
	meta    *metav1.PartialObjectMetadata
	problem *plan.Problem
}

// apiKey reads the API key of a resource. The error is about reading, the problem about what was read.
func (r *Reconciler) apiKey(ctx context.Context, object *v1alpha1.Chatt2Webhook) (apiKey, error) {
	ref := object.Spec.APIKeySecretRef
	name := types.NamespacedName{Namespace: object.Namespace, Name: ref.Name}
	meta, key, err := r.readKey(ctx, name, ref.Key)
	if apierrors.IsNotFound(err) && !object.DeletionTimestamp.IsZero() {
		// The Secret may have been deleted a moment before the resource.
		if last, ok := r.keys.last(name, ref.Key, r.Now()); ok {
			return apiKey{value: last, hash: r.Pool.KeyHash(last)}, nil
		}
	}
	if apierrors.IsNotFound(err) {
		return apiKey{problem: keyProblem(v1alpha1.ReasonAPIKeyNotFound, false,
			"there is no Secret %q; create it with the API key under the key %q", ref.Name, ref.Key)}, nil
	}
	if err != nil {
		return apiKey{}, err
	}
	if key.problem != nil {
		return apiKey{meta: meta, problem: key.problem}, nil
	}
	return apiKey{value: key.value, hash: r.Pool.KeyHash(key.value), meta: meta}, nil
}

// readKey reads an API key, from the cache while the watch shows the version of the Secret that is in it.
func (r *Reconciler) readKey(
	ctx context.Context, name types.NamespacedName, key string,
) (*metav1.PartialObjectMetadata, cachedKey, error) {
	if r.Options.WatchSecrets {
		meta := secretMetadata()
		if err := r.Client.Get(ctx, name, meta); err == nil {
			if known, ok := r.keys.read(name, key, meta, r.Now()); ok {
				return meta, known, nil
			}
		}
	}
	var secret corev1.Secret
	if err := r.Live.Get(ctx, name, &secret); err != nil {
		return nil, cachedKey{}, err
	}
	meta := secretMetadata()
	meta.ObjectMeta = secret.ObjectMeta
	found := parseAPIKey(&secret, key)
	r.keys.keep(name, key, meta, found, r.Now())
	return meta, found, nil
}

// parseAPIKey finds the API key in a Secret. It drops one line break at the end and refuses what cannot be sent in a
// header.
func parseAPIKey(secret *corev1.Secret, key string) cachedKey {
	invalid := func(format string, args ...any) cachedKey {
		return cachedKey{problem: keyProblem(v1alpha1.ReasonAPIKeyInvalid, true, format, args...)}
	}
	data, ok := secret.Data[key]
	if !ok {
		return invalid("the Secret %q has no key %q; put the API key there, or name the right key in "+
			"spec.apiKeySecretRef.key", secret.Name, key)
	}
	if len(data) > maxAPIKeyLength {
		return invalid("the key %q of the Secret %q holds %d bytes, and an API key has at most %d; put the API key "+
			"there, or name the right key in spec.apiKeySecretRef.key", key, secret.Name, len(data), maxAPIKeyLength)
	}
	value := trimLineBreak(string(data))
	if value == "" || strings.ContainsFunc(value, func(c rune) bool { return c < 0x21 || c > 0x7e }) {
		return invalid("the key %q of the Secret %q holds no API key: it must be printable ASCII without spaces, of "+
			"which one line break at the end is dropped", key, secret.Name)
	}
	return cachedKey{value: hub.NewSecret(value)}
}

func trimLineBreak(s string) string {
	return strings.TrimSuffix(strings.TrimSuffix(s, "\n"), "\r")
}

func keyProblem(reason string, stalled bool, format string, args ...any) *plan.Problem {
	return &plan.Problem{
		Condition: v1alpha1.ConditionSynced, Reason: reason, Stalled: stalled, Event: true,
		Message: fmt.Sprintf(format, args...),
	}
}

// protect adds the in-use finalizer to the Secret of the API key. Only a Secret that is not as it was read fails the
// step: the finalizer is a safeguard, and an admission policy or a missing right may refuse it for good. That is
// reported once, and the write is retried with back-off, or when the Secret changes.
func (r *Reconciler) protect(ctx context.Context, o *observation, out *outcome) error {
	name, meta := client.ObjectKeyFromObject(o.key.meta), o.key.meta
	after := meta.DeepCopy()
	after.Finalizers = append(slices.Clone(after.Finalizers), v1alpha1.APIKeyFinalizer)
	err := r.Client.Patch(ctx, after, client.MergeFromWithOptions(meta, client.MergeFromWithOptimisticLock{}))
	o.Key.Unprotected = false
	if err == nil || passedBy(err) {
		return err
	}
	refusals := r.keys.refuse(name, r.Now())
	o.Key.ProtectAt = r.keys.protectAt(name)
	// The words of the API server may quote the Secret.
	reason := cmp.Or(apierrors.ReasonForError(err), "no answer")
	log.FromContext(ctx).Info("Could not add the in-use finalizer to the Secret with the API key",
		"secret", name.Name, "error", strings.ToLower(string(reason)))
	if refusals == 1 {
		out.tell(warning(v1alpha1.EventAPIKeyUnprotected, "The API server refuses the finalizer %s on the Secret %q "+
			"(%s): check admission policies and the operator's permissions; until then, delete this resource before "+
			"the Secret", v1alpha1.APIKeyFinalizer, name.Name, reason))
	}
	return nil
}

func secretMetadata() *metav1.PartialObjectMetadata { return metadataOf("Secret") }

// metadataOf reads the metadata of an object of a core kind.
func metadataOf(kind string) *metav1.PartialObjectMetadata {
	meta := &metav1.PartialObjectMetadata{}
	meta.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(kind))
	return meta
}
