package store

import (
	"cmp"
	"slices"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Event is one change as a watch tells it.
type Event struct {
	// Revision is that of the write.
	Revision int64
	// Type is Added, Modified or Deleted.
	Type watch.EventType
	// Kind is the kind of the object.
	Kind schema.GroupVersionKind
	// Key is its namespace and name.
	Key client.ObjectKey
	// Old is the object before, nil when it was added; of a deleted one it is the last state, with the resourceVersion
	// of the deletion.
	Old client.Object
	// New is the object afterwards, nil when it was deleted.
	New client.Object
}

// Events are all changes after a revision, in order.
func (s *Store) Events(since int64) ([]Event, error) {
	var events []Event
	for _, c := range s.log[min(max(since, 0), s.revision):] {
		k := s.kinds[c.key.kind]
		e, err := s.event(k, c, func(served []byte) (client.Object, error) {
			made, err := s.scheme.New(k.gvk)
			if err != nil {
				return nil, err
			}
			object := asObject(made)
			return object, unmarshal(served, object)
		})
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, nil
}

// event describes a change; read makes an object of what is stored.
func (s *Store) event(k *kind, c change, read func([]byte) (client.Object, error)) (Event, error) {
	e := Event{Revision: c.revision, Type: watch.Modified, Kind: k.gvk, Key: c.key.ObjectKey}
	before, after := s.at(c.key, c.revision-1), s.at(c.key, c.revision)
	var err error
	if before == nil {
		e.Type = watch.Added
	} else if e.Old, err = read(before.served); err != nil {
		return e, err
	}
	if after != nil {
		e.New, err = read(after.served)
		return e, err
	}
	e.Type = watch.Deleted
	e.Old.SetResourceVersion(strconv.FormatInt(c.revision, 10))
	return e, nil
}

// Events are what the view has come to show since the last call, of the kinds of the given objects and in their form:
// with a Go type, or metadata alone. At first that is every object there is, as added. Reads show no less.
func (v *View) Events(watched ...client.Object) ([]Event, error) {
	var events []Event
	for _, object := range watched {
		k, err := v.store.kindOf(object)
		if err != nil {
			return nil, err
		}
		more, err := v.eventsOf(k, object)
		if err != nil {
			return nil, err
		}
		events = append(events, more...)
	}
	slices.SortStableFunc(events, func(a, b Event) int { return cmp.Compare(a.Revision, b.Revision) })
	return events, nil
}

func (v *View) eventsOf(k *kind, form client.Object) ([]Event, error) {
	read := func(served []byte) (client.Object, error) {
		object, err := v.likeness(k, form)
		if err != nil {
			return nil, err
		}
		return object, v.show(k, served, object)
	}
	var events []Event
	of := v.advance(k)
	if of.told < 0 {
		for _, found := range v.store.keys(k, "", of.revision) {
			object, err := read(v.store.at(found, of.revision).served)
			if err != nil {
				return nil, err
			}
			events = append(events, Event{of.revision, watch.Added, k.gvk, found.ObjectKey, nil, object})
		}
		of.told = of.revision
		return events, nil
	}
	for _, c := range v.store.log[of.told:of.revision] {
		if c.key.kind != k.gvk.GroupKind() {
			continue
		}
		e, err := v.store.event(k, c, read)
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	of.told = of.revision
	return events, nil
}

// likeness makes an empty object of the same form.
func (v *View) likeness(k *kind, form client.Object) (client.Object, error) {
	if _, ok := form.(*metav1.PartialObjectMetadata); ok {
		return &metav1.PartialObjectMetadata{}, nil
	}
	made, err := v.store.scheme.New(k.gvk)
	if err != nil {
		return nil, err
	}
	return asObject(made), nil
}
