package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// target is what a write is about.
type target struct {
	*kind
	key         client.ObjectKey
	subresource string
}

func (t target) of() key { return key{t.gvk.GroupKind(), t.key} }

// served reports whether there is such a subresource.
func (t target) served() error {
	if _, ok := t.rules[t.subresource]; ok {
		return nil
	}
	return apierrors.NewGenericServerResponse(http.StatusNotFound, "put", t.groupResource(), t.key.Name, "", 0, false)
}

// get reads the last version, as an object that may be changed.
func (s *Store) get(t target) (client.Object, error) {
	v := s.at(t.of(), s.revision)
	if v == nil {
		return nil, apierrors.NewNotFound(t.groupResource(), t.key.Name)
	}
	return t.decode(v.served)
}

// replace updates an object by one that was sent whole.
func (s *Store) replace(ctx context.Context, t target, body []byte) (client.Object, error) {
	object, err := t.decode(body)
	if err != nil {
		return nil, err
	}
	return s.update(ctx, t, object.GetUID(), func(client.Object) (client.Object, error) { return object, nil })
}

// update changes an object, which must have the given UID unless that is empty.
func (s *Store) update(
	ctx context.Context, t target, uid types.UID, change func(client.Object) (client.Object, error),
) (client.Object, error) {
	if err := t.served(); err != nil {
		return nil, err
	}
	old, err := s.get(t)
	if err != nil {
		return nil, err
	}
	if uid != "" && uid != old.GetUID() {
		return nil, apierrors.NewConflict(t.groupResource(), t.key.Name, fmt.Errorf(
			"the precondition failed: UID in precondition: %v, UID in object meta: %v", uid, old.GetUID()))
	}
	object, err := change(old)
	if err != nil {
		return nil, err
	}
	switch version := strings.TrimLeft(object.GetResourceVersion(), "0"); {
	case version == "" && t.unconditional:
		object.SetResourceVersion(old.GetResourceVersion())
	case version == "":
		kind := t.gvk.GroupKind()
		kind.Kind = t.resource
		return nil, apierrors.NewInvalid(kind, t.key.Name, field.ErrorList{
			field.Invalid(field.NewPath("metadata", "resourceVersion"), 0, "must be specified for an update"),
		})
	case version != old.GetResourceVersion():
		return nil, apierrors.NewConflict(t.groupResource(), t.key.Name, errors.New(
			"the object has been modified; please apply your changes to the latest version and try again"))
	}
	if err := s.review("update", t, object); err != nil {
		return nil, err
	}
	ctx = genericapirequest.WithNamespace(ctx, t.key.Namespace)
	if err := rest.BeforeUpdate(s.strategy(t.kind, t.subresource), ctx, object, old); err != nil {
		return nil, err
	}
	if len(object.GetFinalizers()) == 0 && old.GetDeletionTimestamp() != nil && t.kind != s.namespaces() {
		s.remove(t.of())
		return object, nil
	}
	return s.commit(t.of(), object)
}

var errNoVersion = errors.New("the precondition failed: no resourceVersion")

// delete ends an object, or marks it as being deleted when somebody has to finish something before.
func (s *Store) delete(ctx context.Context, t target, options *metav1.DeleteOptions) error {
	object, err := s.get(t)
	if err != nil {
		return err
	}
	if _, _, err := rest.BeforeDelete(s.strategy(t.kind, ""), ctx, object, options); err != nil {
		return err
	}
	finalizers := cascade(object.GetFinalizers(), options.PropagationPolicy)
	namespace, isNamespace := object.(*corev1.Namespace)
	if len(finalizers) == 0 && !isNamespace {
		when := options.Preconditions
		if len(object.GetFinalizers()) > 0 && when != nil && when.ResourceVersion != nil {
			// The API server compares with no version at all once it has dropped the last finalizer itself.
			return apierrors.NewConflict(t.groupResource(), t.key.Name, errNoVersion)
		}
		s.remove(t.of())
		return nil
	}
	object.SetFinalizers(finalizers)
	if object.GetDeletionTimestamp() == nil {
		now := metav1.NewTime(s.now())
		object.SetDeletionTimestamp(&now)
		if object.GetGeneration() > 0 {
			object.SetGeneration(object.GetGeneration() + 1)
		}
	}
	if isNamespace {
		namespace.Status.Phase = corev1.NamespaceTerminating
	} else {
		object.SetDeletionGracePeriodSeconds(new(int64))
	}
	_, err = s.commit(t.of(), object)
	return err
}

// cascade are the finalizers by which a deletion waits for the garbage collector.
func cascade(finalizers []string, policy *metav1.DeletionPropagation) []string {
	if policy == nil {
		return finalizers
	}
	rest := slices.DeleteFunc(slices.Clone(finalizers), func(f string) bool {
		return f == metav1.FinalizerOrphanDependents || f == metav1.FinalizerDeleteDependents
	})
	switch *policy {
	case metav1.DeletePropagationForeground:
		return append(rest, metav1.FinalizerDeleteDependents)
	case metav1.DeletePropagationOrphan:
		return append(rest, metav1.FinalizerOrphanDependents)
	case metav1.DeletePropagationBackground:
	}
	return rest
}

// patch changes an object by what differs.
func (s *Store) patch(ctx context.Context, t target, by types.PatchType, data []byte) (client.Object, error) {
	if err := t.served(); err != nil {
		return nil, err
	}
	if !patches(t.kind, by) {
		return nil, apierrors.NewGenericServerResponse(
			http.StatusUnsupportedMediaType, "patch", t.groupResource(), t.key.Name, "", 0, false)
	}
	if !json.Valid(data) {
		return nil, apierrors.NewBadRequest("the patch is no JSON")
	}
	return s.update(ctx, t, "", func(old client.Object) (client.Object, error) {
		before, err := json.Marshal(old)
		if err != nil {
			return nil, apierrors.NewInternalError(err)
		}
		after, err := applyPatch(t.kind, by, before, data)
		if err != nil {
			return nil, err
		}
		object, err := t.decode(after)
		path := field.NewPath("patch")
		if err == nil && t.subresource == "" && by != types.StrategicMergePatchType {
			path, err = t.checkKind(after)
		}
		if err != nil {
			return nil, apierrors.NewInvalid(t.gvk.GroupKind(), "", field.ErrorList{
				field.Invalid(path, string(after), err.Error()),
			})
		}
		if object.GetName() != t.key.Name {
			return nil, apierrors.NewBadRequest(fmt.Sprintf(
				"the name of the object (%s) does not match the name on the URL (%s)", object.GetName(), t.key.Name))
		}
		return object, nil
	})
}
