package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
	kjson "sigs.k8s.io/json"
)

// kind is what the API server knows of a kind of object.
type kind struct {
	gvk        schema.GroupVersionKind
	resource   string
	namespaced bool
	// custom: declared by a CustomResourceDefinition, and so held without a Go type.
	custom bool
	// unconditional: an update that names no resourceVersion is taken.
	unconditional bool
	// empty makes an object to decode into.
	empty func() client.Object
	// complete prunes and defaults what was decoded.
	complete func(client.Object) error
	// rules are those of the resource, under "", and of its subresources.
	rules map[string]rules
	// selectable are the fields that a list can be selected by.
	selectable func(client.Object) fields.Set
	// changes are the revisions of the writes to objects of the kind.
	changes []int64
}

// rules are what is particular to a resource when it is written. The former object is nil when one is created.
type rules struct {
	prepare  func(object, old client.Object)
	validate func(ctx context.Context, object, old client.Object) field.ErrorList
}

// groupResource names the resource in errors.
func (k *kind) groupResource() schema.GroupResource {
	return schema.GroupResource{Group: k.gvk.Group, Resource: k.resource}
}

// decode reads an object as the API server does what it is sent and what it has stored.
func (k *kind) decode(data []byte) (client.Object, error) {
	object := k.empty()
	if err := unmarshal(data, object); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	// It is the request that says which kind an object is of.
	object.GetObjectKind().SetGroupVersionKind(k.gvk)
	object.SetManagedFields(nil)
	object.SetOwnerReferences(distinct(object.GetOwnerReferences()))
	if err := k.complete(object); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	return object, nil
}

// checkKind refuses a patched object that says of itself that it is of another kind, and names the field that is wrong.
func (k *kind) checkKind(data []byte) (*field.Path, error) {
	path := field.NewPath("patch")
	var said metav1.TypeMeta
	if err := json.Unmarshal(data, &said); err != nil {
		return path, err
	}
	if said.GroupVersionKind() == k.gvk {
		return path, nil
	}
	if k.custom {
		if path = field.NewPath("apiVersion"); said.Kind != k.gvk.Kind {
			path = field.NewPath("kind")
		}
	}
	return path, fmt.Errorf("%s is not %s", said.GroupVersionKind(), k.gvk)
}

// distinct drops what is there twice.
func distinct(owners []metav1.OwnerReference) []metav1.OwnerReference {
	var some []metav1.OwnerReference
	for _, o := range owners {
		if !slices.ContainsFunc(some, func(s metav1.OwnerReference) bool { return equality.Semantic.DeepEqual(o, s) }) {
			some = append(some, o)
		}
	}
	return some
}

// unmarshal reads JSON onto an object, as clients of the API server do.
func unmarshal(data []byte, object client.Object) error {
	if own, ok := object.(json.Unmarshaler); ok {
		return own.UnmarshalJSON(data)
	}
	return kjson.UnmarshalCaseSensitivePreserveInts(data, object)
}

// strategy lets the library of the API server check writes by the rules of a kind.
type strategy struct {
	runtime.ObjectTyper
	*kind
	rules
}

func (s *Store) strategy(k *kind, subresource string) strategy {
	return strategy{s.scheme, k, k.rules[subresource]}
}

func (s strategy) NamespaceScoped() bool                                     { return s.namespaced }
func (s strategy) AllowCreateOnUpdate(context.Context) bool                  { return false }
func (s strategy) AllowUnconditionalUpdate(context.Context) bool             { return s.unconditional }
func (s strategy) Canonicalize(runtime.Object)                               {}
func (s strategy) WarningsOnCreate(context.Context, runtime.Object) []string { return nil }
func (s strategy) WarningsOnUpdate(_ context.Context, _, _ runtime.Object) []string {
	return nil
}

// GenerateName is not called: names are generated before.
func (s strategy) GenerateName(base string) string { return base }

func (s strategy) PrepareForCreate(_ context.Context, object runtime.Object) {
	s.prepare(asObject(object), nil)
}

func (s strategy) Validate(ctx context.Context, object runtime.Object) field.ErrorList {
	return s.validate(ctx, asObject(object), nil)
}

func (s strategy) PrepareForUpdate(_ context.Context, object, old runtime.Object) {
	s.prepare(asObject(object), asObject(old))
}

func (s strategy) ValidateUpdate(ctx context.Context, object, old runtime.Object) field.ErrorList {
	return s.validate(ctx, asObject(object), asObject(old))
}

// asObject gives back the type that the store handed out.
func asObject(object runtime.Object) client.Object {
	o, ok := object.(client.Object)
	if !ok {
		panic(fmt.Sprintf("%T is no object", object))
	}
	return o
}

func trimList(kind string) string { return strings.TrimSuffix(kind, "List") }

func compareKeys(a, b key) int {
	return cmp.Or(cmp.Compare(a.kind.Group, b.kind.Group), cmp.Compare(a.kind.Kind, b.kind.Kind),
		cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// inOrder are all kinds, always in the same order.
func (s *Store) inOrder() []*kind {
	return slices.SortedFunc(maps.Values(s.kinds), func(a, b *kind) int {
		return cmp.Compare(a.gvk.String(), b.gvk.String())
	})
}
