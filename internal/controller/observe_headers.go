package controller

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/plan"
)

// longestHeader is the longest value of a header that is sent, in bytes: the 4096 characters that spec may hold.
const longestHeader = 4096 * utf8.UTFMax

// version identifies what a header's source held when it was read, without any of it.
type version struct {
	UID             types.UID
	ResourceVersion string
}

// observeHeaders finds out whether the headers are other than what was sent, and only then reads their values.
func (r *Reconciler) observeHeaders(ctx context.Context, o *observation) error {
	if !o.Object.DeletionTimestamp.IsZero() {
		return nil
	}
	versions, err := r.sourceVersions(ctx, o)
	if err != nil {
		return err
	}
	if versions != nil {
		o.Headers.Hash = headersHash(o.Object.Spec.Headers, versions)
		if o.Headers.Hash == o.Applied.HeadersHash {
			return nil
		}
	}
	return r.readHeaders(ctx, o)
}

// sourceVersions are the versions of the headers' sources as the watches show them, nil when one is not to be seen.
func (r *Reconciler) sourceVersions(ctx context.Context, o *observation) ([]version, error) {
	versions := make([]version, 0, len(o.Object.Spec.Headers))
	for i := range o.Object.Spec.Headers {
		kind, ref := headerSource(&o.Object.Spec.Headers[i])
		if ref == nil {
			versions = append(versions, version{})
			continue
		}
		if kind == "Secret" && !r.Options.WatchSecrets {
			return nil, nil
		}
		meta := metadataOf(kind)
		err := r.Client.Get(ctx, types.NamespacedName{Namespace: o.name.Namespace, Name: ref.Name}, meta)
		if apierrors.IsNotFound(err) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		versions = append(versions, version{meta.UID, meta.ResourceVersion})
	}
	return versions, nil
}

// readHeaders reads the values from the API server, with the versions that they come from.
func (r *Reconciler) readHeaders(ctx context.Context, o *observation) error {
	versions := make([]version, 0, len(o.Object.Spec.Headers))
	headers := make([]hub.Header, 0, len(o.Object.Spec.Headers))
	for i := range o.Object.Spec.Headers {
		h := &o.Object.Spec.Headers[i]
		value, from, problem, err := r.headerValue(ctx, o, h)
		if err != nil {
			return err
		}
		if problem == nil {
			value, problem = cleanHeader(h, value)
		}
		if problem != nil && o.Headers.Problem == nil {
			o.Headers.Problem = problem
		}
		versions = append(versions, from)
		headers = append(headers, hub.Header{Key: h.Key, Value: hub.NewSecret(value)})
	}
	o.Headers.Hash = headersHash(o.Object.Spec.Headers, versions)
	o.headers = headers
	return nil
}

// headerValue reads the value of one header.
func (r *Reconciler) headerValue(
	ctx context.Context, o *observation, h *v1alpha1.Header,
) (string, version, *plan.Problem, error) {
	kind, ref := headerSource(h)
	if ref == nil {
		return plan.Value(h.Value), version{}, nil, nil
	}
	var object client.Object = &corev1.ConfigMap{}
	if kind == "Secret" {
		object = &corev1.Secret{}
	}
	err := r.Live.Get(ctx, types.NamespacedName{Namespace: o.name.Namespace, Name: ref.Name}, object)
	if apierrors.IsNotFound(err) {
		return "", version{}, headerProblem(v1alpha1.ReasonHeaderSourceNotFound, false,
			"the header %q takes its value from the %s %q, which does not exist; create it with the key %q",
			h.Key, kind, ref.Name, ref.Key), nil
	}
	if err != nil {
		return "", version{}, nil, err
	}
	from := version{object.GetUID(), object.GetResourceVersion()}
	value, found := "", false
	switch s := object.(type) {
	case *corev1.Secret:
		var raw []byte
		raw, found = s.Data[ref.Key]
		value = string(raw)
		if r.Options.HeaderSecretsNeedOptIn && s.Annotations[v1alpha1.AnnotationAllowAsHeader] != "true" {
			return "", from, headerProblem(v1alpha1.ReasonHeaderSourceNotAllowed, true,
				"the header %q takes its value from the Secret %q, which does not allow it; annotate that Secret "+
					"with %s=true", h.Key, ref.Name, v1alpha1.AnnotationAllowAsHeader), nil
		}
	case *corev1.ConfigMap:
		value, found = s.Data[ref.Key]
	}
	if !found {
		return "", from, headerProblem(v1alpha1.ReasonHeaderSourceInvalid, true,
			"the header %q takes its value from the %s %q, which has no key %q; add it",
			h.Key, kind, ref.Name, ref.Key), nil
	}
	return value, from, nil, nil
}

// cleanHeader drops one line break at the end and refuses what cannot be the value of a header.
func cleanHeader(h *v1alpha1.Header, value string) (string, *plan.Problem) {
	value = trimLineBreak(value)
	if value == "" || len(value) > longestHeader || !utf8.ValidString(value) ||
		strings.ContainsFunc(value, unicode.IsControl) {
		return "", headerProblem(v1alpha1.ReasonHeaderSourceInvalid, true,
			"the value of the header %q cannot be sent: it must be UTF-8 without control characters, not empty and "+
				"at most %d bytes, of which one line break at the end is dropped", h.Key, longestHeader)
	}
	return value, nil
}

func headerProblem(reason string, stalled bool, format string, args ...any) *plan.Problem {
	return &plan.Problem{
		Condition: v1alpha1.ConditionSynced, Reason: reason, Stalled: stalled, Event: true,
		Message: fmt.Sprintf(format, args...),
	}
}

// headerSource is what a header takes its value from; the reference is nil when the value stands in spec.
func headerSource(h *v1alpha1.Header) (kind string, ref *v1alpha1.KeyReference) {
	switch {
	case h.ValueFrom == nil:
		return "", nil
	case h.ValueFrom.SecretKeyRef != nil:
		return "Secret", h.ValueFrom.SecretKeyRef
	default:
		return "ConfigMap", h.ValueFrom.ConfigMapKeyRef
	}
}

// headersHash is over the list in spec and the versions of its sources, never over values from them.
func headersHash(headers []v1alpha1.Header, versions []version) string {
	if len(headers) == 0 {
		headers = nil // an empty list is as good as none
	}
	// Strings all through: it cannot fail.
	text, _ := json.Marshal([]any{headers, versions}) //nolint:errchkjson // see above
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}
