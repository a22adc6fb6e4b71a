package store

import (
	"context"
	"fmt"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// create creates an object. A dry run answers the same and stores nothing.
func (s *Store) create(ctx context.Context, t target, body []byte, dryRun bool) (client.Object, error) {
	object, err := t.decode(body)
	if err != nil {
		return nil, err
	}
	rest.WipeObjectMetaSystemFields(object)
	if err := s.admit(t); err != nil {
		return nil, err
	}
	s.made++
	object.SetUID(types.UID(fmt.Sprintf("00000000-0000-4000-8000-%012d", s.made)))
	object.SetCreationTimestamp(metav1.NewTime(s.now()))
	if object.GetName() == "" && object.GetGenerateName() != "" {
		object.SetName(fmt.Sprintf("%.58s%05d", object.GetGenerateName(), s.made))
	}
	if err := s.review("create", t, object); err != nil {
		return nil, err
	}
	ctx = genericapirequest.WithNamespace(ctx, t.key.Namespace)
	if err := rest.BeforeCreate(s.strategy(t.kind, ""), ctx, object); err != nil {
		return nil, err
	}
	// A dry run does not come as far as the storage, which checks this.
	if object.GetResourceVersion() != "" && !dryRun {
		return nil, &apierrors.StatusError{ErrStatus: metav1.Status{
			Status: metav1.StatusFailure, Code: http.StatusInternalServerError,
			Message: "resourceVersion should not be set on objects to be created",
		}}
	}
	t.key.Name = object.GetName()
	if old := s.at(t.of(), s.revision); old != nil {
		return nil, apierrors.NewAlreadyExists(t.groupResource(), t.key.Name)
	}
	if dryRun {
		return object, nil
	}
	return s.commit(t.of(), object)
}

// admit lets nothing be created in a namespace that is not there or is going.
func (s *Store) admit(t target) error {
	if !t.namespaced {
		return nil
	}
	namespace, err := s.get(target{kind: s.namespaces(), key: client.ObjectKey{Name: t.key.Namespace}})
	if err != nil {
		return err
	}
	if !terminating(namespace) {
		return nil
	}
	refused := apierrors.NewForbidden(t.groupResource(), t.key.Name, fmt.Errorf(
		"unable to create new content in namespace %s because it is being terminated", t.key.Namespace))
	refused.ErrStatus.Details.Causes = append(refused.ErrStatus.Details.Causes, metav1.StatusCause{
		Type: corev1.NamespaceTerminatingCause, Field: "metadata.namespace",
		Message: fmt.Sprintf("namespace %s is being terminated", t.key.Namespace),
	})
	return refused
}

func (s *Store) namespaces() *kind {
	return s.kinds[corev1.SchemeGroupVersion.WithKind("Namespace").GroupKind()]
}
