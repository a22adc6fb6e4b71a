package controller

import (
	"maps"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// Strip takes away from cached objects what nobody reads, most of all the list of who manages which field, and has what
// thousands of resources say alike stand in memory once.
func Strip(in any) (any, error) {
	switch object := in.(type) {
	case *metav1.PartialObjectMetadata:
		object.ManagedFields, object.Labels = nil, nil
		maps.DeleteFunc(object.Annotations, func(key, _ string) bool { return key != v1alpha1.AnnotationAllowAsHeader })
		if len(object.Annotations) == 0 {
			object.Annotations = nil
		}
	case *v1alpha1.Chatt2Webhook:
		object.ManagedFields = nil
		// A copy of spec, which kubectl keeps for itself. Our patches of metadata do not name it, and so it stays.
		delete(object.Annotations, corev1.LastAppliedConfigAnnotation)
		attempts := object.Annotations[v1alpha1.AnnotationCreateAttempts]
		if object.Status.WebhookID != "" && formerAttempts(object, attempts) == nil {
			delete(object.Annotations, v1alpha1.AnnotationCreateAttempts) // it says what spec says
		}
		alike.share(&object.Kind, &object.APIVersion, &object.Namespace, &object.Spec.APIKeySecretRef.Name,
			&object.Spec.APIKeySecretRef.Key, &object.Status.ApplicationID, &object.Status.APIKeyHash)
		for i := range object.Status.Conditions {
			c := &object.Status.Conditions[i]
			alike.share(&c.Type, &c.Reason, &c.Message)
		}
	case client.Object:
		object.SetManagedFields(nil)
	}
	return in, nil
}

// mostAlike bounds how many texts are shared: messages may hold the name of a resource.
const mostAlike = 1000

// alike are texts that many resources have in common.
var alike = texts{known: map[string]string{}}

type texts struct {
	mu    sync.Mutex
	known map[string]string
}

// share replaces each string by an equal one that other objects hold.
func (t *texts) share(all ...*string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, text := range all {
		known, ok := t.known[*text]
		switch {
		case ok:
			*text = known
		case len(t.known) < mostAlike:
			t.known[*text] = *text
		}
	}
}
