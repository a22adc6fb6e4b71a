package store

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// builtin is an object of a kind that is built into the API server.
type builtin[T any] interface {
	*T
	client.Object
}

// coreKind describes a kind by the functions that are particular to it; each may be nil.
func coreKind[T any, P builtin[T]](
	gvk schema.GroupVersionKind, resource string, nameOf validation.ValidateNameFunc,
	complete func(P), prepare func(object, old P), validate func(object, old P) field.ErrorList,
) *kind {
	typed := func(object client.Object) P {
		p, _ := object.(P)
		return p
	}
	k := &kind{
		gvk: gvk, resource: resource, namespaced: true, unconditional: true,
		empty: func() client.Object { return P(new(T)) },
		complete: func(object client.Object) error {
			if complete != nil {
				complete(typed(object))
			}
			return nil
		},
		selectable: metadataFields,
	}
	k.rules = map[string]rules{"": {
		prepare: func(object, old client.Object) {
			if prepare != nil {
				prepare(typed(object), typed(old))
			}
		},
		validate: func(_ context.Context, object, old client.Object) field.ErrorList {
			// What holds for metadata in updates is checked for all kinds alike.
			var errs field.ErrorList
			if old == nil {
				errs = validation.ValidateObjectMetaAccessor(object, k.namespaced, nameOf, field.NewPath("metadata"))
			}
			errs = append(errs, validateFinalizers(object.GetFinalizers())...)
			if validate != nil {
				errs = append(errs, validate(typed(object), typed(old))...)
			}
			return errs
		},
	}}
	return k
}

func metadataFields(object client.Object) fields.Set {
	return fields.Set{"metadata.name": object.GetName(), "metadata.namespace": object.GetNamespace()}
}

func coreKinds() []*kind {
	namespace := coreKind(corev1.SchemeGroupVersion.WithKind("Namespace"), "namespaces",
		validation.ValidateNamespaceName, completeNamespace, prepareNamespace, nil)
	namespace.namespaced = false
	return []*kind{
		namespace,
		coreKind(corev1.SchemeGroupVersion.WithKind("Secret"), "secrets",
			validation.NameIsDNSSubdomain, completeSecret, nil, validateSecret),
		coreKind(corev1.SchemeGroupVersion.WithKind("ConfigMap"), "configmaps",
			validation.NameIsDNSSubdomain, nil, nil, validateConfigMap),
		coreKind[eventsv1.Event](eventsv1.SchemeGroupVersion.WithKind("Event"), "events",
			validation.NameIsDNSSubdomain, nil, nil, nil),
	}
}

func completeNamespace(n *corev1.Namespace) {
	if n.Labels == nil {
		n.Labels = map[string]string{}
	}
	if n.Name != "" {
		n.Labels[corev1.LabelMetadataName] = n.Name
	}
	if n.Status.Phase == "" {
		n.Status.Phase = corev1.NamespaceActive
	}
}

func prepareNamespace(n, old *corev1.Namespace) {
	if old != nil {
		n.Spec.Finalizers, n.Status = old.Spec.Finalizers, old.Status
		return
	}
	n.Status = corev1.NamespaceStatus{Phase: corev1.NamespaceActive}
	if !slices.Contains(n.Spec.Finalizers, corev1.FinalizerKubernetes) {
		n.Spec.Finalizers = append(n.Spec.Finalizers, corev1.FinalizerKubernetes)
	}
}

// terminating reports whether a namespace is being deleted.
func terminating(n metav1.Object) bool { return n.GetDeletionTimestamp() != nil }
