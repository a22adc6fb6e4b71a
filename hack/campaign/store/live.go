package store

import (
	"context"
	"reflect"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// live reads the last version, and asks the hook.
type live struct{ *Store }

func (l live) Get(ctx context.Context, name client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	k, err := l.kindOf(object)
	if err != nil {
		return err
	}
	if name.Name == "" {
		return errNoName
	}
	var v *version
	err = l.call(ctx, Call{Verb: "get", Kind: k.gvk, Key: name}, func() error {
		if v = l.at(key{k.gvk.GroupKind(), name}, l.revision); v == nil {
			return apierrors.NewNotFound(k.groupResource(), name.Name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return answer(v.served, object)
}

func (l live) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	o := (&client.ListOptions{}).ApplyOptions(options)
	k, err := l.kindOf(list)
	if err != nil {
		return err
	}
	if o.Limit > 0 || o.Continue != "" {
		return refuse("paged lists")
	}
	var found []listed
	revision := int64(0)
	call := Call{Verb: "list", Kind: k.gvk, Key: client.ObjectKey{Namespace: o.Namespace}}
	err = l.call(ctx, call, func() (err error) {
		revision = l.revision
		found, err = l.list(k, o, revision)
		return err
	})
	if err != nil {
		return err
	}
	items := make([]runtime.Object, len(found))
	for i, v := range found {
		item, err := l.item(k, list)
		if err != nil {
			return err
		}
		if err := unmarshal(v.served, item); err != nil {
			return err
		}
		if items[i] = item; isTyped(item) && !k.custom {
			item.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
		}
	}
	list.SetResourceVersion(strconv.FormatInt(revision, 10))
	return meta.SetList(list, items)
}

// listed is an object of a list.
type listed struct {
	object client.Object
	served []byte
}

// list selects objects by namespace, label and the fields that the API server knows.
func (s *Store) list(k *kind, o *client.ListOptions, revision int64) ([]listed, error) {
	if err := checkFields(k, o.FieldSelector); err != nil {
		return nil, err
	}
	var found []listed
	for _, of := range s.keys(k, o.Namespace, revision) {
		v := s.at(of, revision)
		object, err := k.decode(v.served)
		if err != nil {
			return nil, err
		}
		if o.LabelSelector != nil && !o.LabelSelector.Matches(labels.Set(object.GetLabels())) ||
			o.FieldSelector != nil && !o.FieldSelector.Matches(k.selectable(object)) {
			continue
		}
		found = append(found, listed{object, v.served})
	}
	return found, nil
}

func checkFields(k *kind, selector fields.Selector) error {
	if selector == nil {
		return nil
	}
	known := k.selectable(k.empty())
	for _, r := range selector.Requirements() {
		if !known.Has(r.Field) {
			return apierrors.NewBadRequest("field label not supported: " + r.Field)
		}
	}
	return nil
}

// item makes an object such as a list holds.
func (s *Store) item(k *kind, list client.ObjectList) (client.Object, error) {
	switch list.(type) {
	case *metav1.PartialObjectMetadataList:
		return &metav1.PartialObjectMetadata{}, nil
	case *unstructured.UnstructuredList:
		return &unstructured.Unstructured{}, nil
	}
	made, err := s.scheme.New(k.gvk)
	if err != nil {
		return nil, err
	}
	return asObject(made), nil
}

// isTyped reports whether an object has a Go type of its own.
func isTyped(object client.Object) bool {
	switch object.(type) {
	case *metav1.PartialObjectMetadata, *unstructured.Unstructured:
		return false
	}
	return true
}

// answer fills an object as a client without a cache does, which leaves the kind out where the Go type tells it.
func answer(served []byte, object client.Object) error {
	if err := fill(served, object); err != nil || !isTyped(object) {
		return err
	}
	object.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	return nil
}

// fill puts an answer into an object in place of what it held.
func fill(served []byte, object client.Object) error {
	reflect.ValueOf(object).Elem().SetZero()
	return unmarshal(served, object)
}
