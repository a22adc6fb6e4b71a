package store

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// CollectGarbage does what the garbage collector would come to do: it deletes objects whose owners are all gone, and
// ends deletions that wait for dependents. It goes round the hook. It tells how much it did.
func (s *Store) CollectGarbage(ctx context.Context) (int, error) {
	for done := 0; ; {
		n := 0
		for _, t := range s.targets() {
			did, err := s.collect(ctx, t)
			if err != nil {
				return done, err
			}
			if did {
				n++
			}
		}
		if done += n; n == 0 {
			return done, nil
		}
	}
}

// targets are all objects.
func (s *Store) targets() []target {
	var all []target
	for _, k := range s.inOrder() {
		for _, of := range s.keys(k, "", s.revision) {
			all = append(all, target{kind: k, key: of.ObjectKey})
		}
	}
	return all
}

// collect looks at one object, which may be gone since it was listed.
func (s *Store) collect(ctx context.Context, t target) (bool, error) {
	if s.at(t.of(), s.revision) == nil {
		return false, nil
	}
	object, err := s.get(t)
	if err != nil {
		return false, err
	}
	if object.GetDeletionTimestamp() != nil {
		return s.collectDependents(ctx, t, object)
	}
	owners := object.GetOwnerReferences()
	there := func(o metav1.OwnerReference) bool { return s.owns(o, t.key.Namespace) }
	if len(owners) == 0 || slices.ContainsFunc(owners, there) {
		return false, nil
	}
	background := metav1.DeletePropagationBackground
	uid := object.GetUID()
	return true, s.delete(ctx, t, &metav1.DeleteOptions{
		PropagationPolicy: &background, Preconditions: &metav1.Preconditions{UID: &uid},
	})
}

// owns reports whether an owner is there. One of a kind that is not known here is believed to be.
func (s *Store) owns(o metav1.OwnerReference, namespace string) bool {
	k, ok := s.kinds[schema.FromAPIVersionAndKind(o.APIVersion, o.Kind).GroupKind()]
	if !ok {
		return true
	}
	if !k.namespaced {
		namespace = ""
	}
	owner, err := s.get(target{kind: k, key: client.ObjectKey{Namespace: namespace, Name: o.Name}})
	return err == nil && owner.GetUID() == o.UID
}

// collectDependents ends a deletion that waits for dependents: in the foreground once those are gone that block it, or
// at once when they are to be left without an owner.
func (s *Store) collectDependents(ctx context.Context, t target, owner client.Object) (bool, error) {
	foreground := slices.Contains(owner.GetFinalizers(), metav1.FinalizerDeleteDependents)
	orphan := slices.Contains(owner.GetFinalizers(), metav1.FinalizerOrphanDependents)
	if !foreground && !orphan {
		return false, nil
	}
	did, blocked := false, false
	for _, d := range s.targets() {
		dependent, err := s.get(d)
		if err != nil {
			return did, err
		}
		owners := dependent.GetOwnerReferences()
		i := slices.IndexFunc(owners, func(o metav1.OwnerReference) bool { return o.UID == owner.GetUID() })
		switch {
		case i < 0:
			continue
		case orphan:
			dependent.SetOwnerReferences(slices.Delete(slices.Clone(owners), i, i+1))
			did = true
			_, err = s.commit(d.of(), dependent)
		default:
			if dependent.GetDeletionTimestamp() == nil {
				did = true
				err = s.delete(ctx, d, &metav1.DeleteOptions{})
			}
			blocked = blocked || isTrue(owners[i].BlockOwnerDeletion) && s.at(d.of(), s.revision) != nil
		}
		if err != nil {
			return did, err
		}
	}
	if blocked {
		return did, nil
	}
	_, err := s.update(ctx, t, owner.GetUID(), func(object client.Object) (client.Object, error) {
		object.SetFinalizers(slices.DeleteFunc(object.GetFinalizers(), func(f string) bool {
			return f == metav1.FinalizerDeleteDependents || f == metav1.FinalizerOrphanDependents
		}))
		return object, nil
	})
	return true, err
}

// EmptyNamespaces does what the namespace controller would come to do: it deletes what is in namespaces that are being
// deleted, of the given kinds and in that order, or of all kinds, and removes those that are empty. It goes round the
// hook.
func (s *Store) EmptyNamespaces(ctx context.Context, of ...schema.GroupKind) error {
	for _, name := range s.keys(s.namespaces(), "", s.revision) {
		namespace, err := s.get(target{kind: s.namespaces(), key: name.ObjectKey})
		if err != nil {
			return err
		}
		if !terminating(namespace) {
			continue
		}
		if err := s.empty(ctx, name.Name, of); err != nil {
			return err
		}
		inside := func(t target) bool { return t.key.Namespace == name.Name }
		if len(namespace.GetFinalizers()) == 0 && !slices.ContainsFunc(s.targets(), inside) {
			s.remove(name)
		}
	}
	return nil
}

// empty deletes what is in a namespace.
func (s *Store) empty(ctx context.Context, namespace string, of []schema.GroupKind) error {
	kinds := s.inOrder()
	if len(of) > 0 {
		kinds = nil
	}
	for _, gk := range of {
		k, ok := s.kinds[gk]
		if !ok {
			return &meta.NoKindMatchError{GroupKind: gk}
		}
		kinds = append(kinds, k)
	}
	for _, k := range kinds {
		for _, of := range s.keys(k, namespace, s.revision) {
			if err := s.delete(ctx, target{kind: k, key: of.ObjectKey}, &metav1.DeleteOptions{}); err != nil {
				return err
			}
		}
	}
	return nil
}
