package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/selection"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Lag is how far a view is behind: by that many writes to the kind, or Frozen.
type Lag int

const (
	// Fresh shows the last version.
	Fresh Lag = 0
	// Frozen shows for ever what is shown now.
	Frozen Lag = -1
)

// View reads as a cache does that is behind: for each kind the past, or the present. What it has shown it does not take
// back. It is a client.Reader and a client.FieldIndexer.
type View struct {
	// Transform, unless nil, changes objects in place before they are shown, as that of a cache does.
	Transform toolscache.TransformFunc

	store   *Store
	start   int64
	fallen  Lag
	kinds   map[schema.GroupKind]*viewed
	indexes map[index]client.IndexerFunc
}

var (
	_ client.Reader       = (*View)(nil)
	_ client.FieldIndexer = (*View)(nil)
)

type viewed struct {
	lag      Lag
	revision int64 // what is shown
	told     int64 // up to where events were given out; -1: not even the first list
}

type index struct {
	kind  schema.GroupKind
	field string
}

// View makes a reader that begins at a revision, which may be long ago, and then follows with a lag.
func (s *Store) View(revision int64, lag Lag) *View {
	return &View{
		store: s, start: min(revision, s.revision), fallen: lag,
		kinds: map[schema.GroupKind]*viewed{}, indexes: map[index]client.IndexerFunc{},
	}
}

// Client is a client that reads from the view and writes to the store.
func (v *View) Client() client.Client { return &connection{v, v.store} }

// SetLag lets the kind of the given object lag otherwise from now on. What is shown already stays.
func (v *View) SetLag(object client.Object, lag Lag) error {
	k, err := v.store.kindOf(object)
	if err != nil {
		return err
	}
	v.advance(k)
	v.kinds[k.gvk.GroupKind()].lag = lag
	return nil
}

// Revision is what is shown of the kind of the given object.
func (v *View) Revision(object client.Object) (int64, error) {
	k, err := v.store.kindOf(object)
	if err != nil {
		return 0, err
	}
	return v.advance(k).revision, nil
}

// advance moves on to what the lag allows, never back.
func (v *View) advance(k *kind) *viewed {
	of, ok := v.kinds[k.gvk.GroupKind()]
	if !ok {
		of = &viewed{lag: v.fallen, revision: v.start, told: -1}
		v.kinds[k.gvk.GroupKind()] = of
	}
	switch n := len(k.changes) - int(of.lag); {
	case of.lag == Frozen:
	case of.lag == Fresh:
		of.revision = v.store.revision
	case n > 0:
		of.revision = max(of.revision, k.changes[n-1])
	}
	return of
}

// IndexField makes an index that lists can be selected by.
func (v *View) IndexField(_ context.Context, object client.Object, name string, extract client.IndexerFunc) error {
	k, err := v.store.kindOf(object)
	if err != nil {
		return err
	}
	v.indexes[index{k.gvk.GroupKind(), name}] = extract
	return nil
}

// Get reads an object as it is shown.
func (v *View) Get(_ context.Context, name client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	k, err := v.store.kindOf(object)
	if err != nil {
		return err
	}
	found := v.store.at(key{k.gvk.GroupKind(), name}, v.advance(k).revision)
	if found == nil {
		// A cache names the kind where the API server names the resource.
		return apierrors.NewNotFound(schema.GroupResource{Group: k.gvk.Group, Resource: k.gvk.Kind}, name.Name)
	}
	return v.show(k, found.served, object)
}

// show fills an object as a cache does.
func (v *View) show(k *kind, served []byte, object client.Object) error {
	if err := fill(served, object); err != nil {
		return err
	}
	object.GetObjectKind().SetGroupVersionKind(k.gvk)
	if v.Transform == nil {
		return nil
	}
	changed, err := v.Transform(object)
	if err == nil && changed != any(object) {
		err = fmt.Errorf("the transformation of %s gave another object", k.gvk.Kind)
	}
	return err
}

// List reads objects as they are shown, by namespace and name. Fields must be indexed.
func (v *View) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
	o := (&client.ListOptions{}).ApplyOptions(options)
	k, err := v.store.kindOf(list)
	if err != nil {
		return err
	}
	if o.Continue != "" {
		return refuse("paged lists")
	}
	if err := v.checkIndexes(k, o.FieldSelector); err != nil {
		return err
	}
	revision := v.advance(k).revision
	items := []runtime.Object{}
	for _, of := range v.store.keys(k, o.Namespace, revision) {
		item, err := v.store.item(k, list)
		if err != nil {
			return err
		}
		if err := v.show(k, v.store.at(of, revision).served, item); err != nil {
			return err
		}
		if (o.LabelSelector == nil || o.LabelSelector.Matches(labels.Set(item.GetLabels()))) &&
			v.matches(k, o.FieldSelector, item) && (o.Limit == 0 || int64(len(items)) < o.Limit) {
			items = append(items, item)
		}
	}
	return meta.SetList(list, items)
}

// checkIndexes refuses a selector that no index answers.
func (v *View) checkIndexes(k *kind, selector fields.Selector) error {
	if selector == nil {
		return nil
	}
	for _, r := range selector.Requirements() {
		if _, ok := v.indexes[index{k.gvk.GroupKind(), r.Field}]; !ok {
			return fmt.Errorf("index with name field:%s does not exist", r.Field)
		}
		if r.Operator != selection.Equals && r.Operator != selection.DoubleEquals {
			return errors.New("non-exact field matches are not supported by the cache")
		}
	}
	return nil
}

// matches asks the indexes for all fields of a selector.
func (v *View) matches(k *kind, selector fields.Selector, object client.Object) bool {
	if selector == nil {
		return true
	}
	for _, r := range selector.Requirements() {
		if !slices.Contains(v.indexes[index{k.gvk.GroupKind(), r.Field}](object), r.Value) {
			return false
		}
	}
	return true
}
