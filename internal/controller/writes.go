package controller

import (
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

// ownVersions is how many versions that our writes made are remembered of one object: those of one step.
const ownVersions = 4

// writes tells the changes that our own writes made from those of others, which alone are a reason to look again. Every
// write carries the version it is based on, and so a version of ours holds nothing of others that we have not read.
type writes struct {
	mu sync.Mutex
	of map[types.NamespacedName]*written
}

type written struct {
	// own are the versions that our last writes made.
	own []string
	// open: a write is under way. seen are the versions that the watch showed meanwhile, which may be its own.
	open bool
	seen []string
}

// begin records that a write is under way.
func (w *writes) begin(name types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.of == nil {
		w.of = map[types.NamespacedName]*written{}
	}
	if w.of[name] == nil {
		w.of[name] = &written{}
	}
	w.of[name].open = true
}

// end takes the version that the write made, empty when it failed, and reports whether another client has written
// meanwhile.
func (w *writes) end(name types.NamespacedName, version string) (others bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	known := w.of[name]
	if known == nil {
		return true // it was deleted meanwhile
	}
	if version != "" {
		known.own = append(known.own, version)
		known.own = known.own[max(len(known.own)-ownVersions, 0):]
	}
	others = slices.ContainsFunc(known.seen, func(seen string) bool { return !slices.Contains(known.own, seen) })
	known.open, known.seen = false, nil
	return others
}

// isOwn reports whether a write of ours made the version that the watch shows. While one is under way it is asked
// later: end tells then.
func (w *writes) isOwn(object client.Object) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	known := w.of[client.ObjectKeyFromObject(object)]
	switch {
	case known == nil:
		return false
	case known.open:
		known.seen = append(known.seen, object.GetResourceVersion())
		return true
	}
	return slices.Contains(known.own, object.GetResourceVersion())
}

// forget drops what is known of an object that is gone.
func (w *writes) forget(name types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.of, name)
}

// ofOthers lets changes through that another client made.
func (w *writes) ofOthers() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return !w.isOwn(e.Object) },
		UpdateFunc: func(e event.UpdateEvent) bool { return !w.isOwn(e.ObjectNew) },
		DeleteFunc: func(e event.DeleteEvent) bool {
			w.forget(client.ObjectKeyFromObject(e.Object))
			return true
		},
	}
}

// write makes a write to a resource or Secret known while it is under way, and has the resource looked at again when
// somebody else has written meanwhile. A write that panics ends, too: what others write would else be missed for ever.
func (o *observation) write(w *writes, object client.Object, do func() error) error {
	name, version := client.ObjectKeyFromObject(object), ""
	w.begin(name)
	defer func() {
		if w.end(name, version) {
			o.overwritten = true
		}
	}()
	if err := do(); err != nil {
		return err
	}
	version = object.GetResourceVersion()
	return nil
}
