package store_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/hack/campaign/store"
)

// last is the name of an object that is made when all else is done.
const last = "zz-last"

func TestEventsAreThoseOfAWatch(t *testing.T) {
	server, err := client.NewWithWatch(shared.Config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	s := newStore(t)
	there, here := worlds(t, server, s)
	since := s.Revision()
	watches := map[string]watch.Interface{}
	for _, kind := range kinds {
		watches[kind.Kind] = watchOf(t, server, there, as(typed, there.named(kind, last)))
	}

	r := random{rand.New(rand.NewPCG(7, 0))}
	for range 300 {
		o := r.operation()
		o.run(t.Context(), there)
		o.run(t.Context(), here)
	}
	for _, kind := range kinds {
		for _, w := range []*world{there, here} {
			u := w.named(kind, last)
			template(u)
			if err := w.Create(t.Context(), u); err != nil {
				t.Fatal(err)
			}
		}
	}

	events, err := s.Events(since)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range kinds {
		want, got := toldBy(t, there, watches[kind.Kind]), told(here, events, kind.Kind)
		if len(want) < 6 {
			t.Errorf("only %d events of %s: the test has become too easy", len(want), kind.Kind)
		}
		for i := range max(len(want), len(got)) {
			if i >= len(want) || i >= len(got) || want[i] != got[i] {
				t.Fatalf("event %d of %s:\n- %s\n+ %s", i, kind.Kind, at(want, i), at(got, i))
			}
		}
	}
}

func at(events []string, i int) string {
	if i >= len(events) {
		return "none"
	}
	return events[i]
}

// watchOf watches the kind of an object from now on.
func watchOf(t *testing.T, c client.WithWatch, w *world, object client.Object) watch.Interface {
	t.Helper()
	list := &unstructured.UnstructuredList{}
	gvk, err := c.GroupVersionKindFor(object)
	if err != nil {
		t.Fatal(err)
	}
	list.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
	if err := c.List(t.Context(), list, client.InNamespace(w.namespace)); err != nil {
		t.Fatal(err)
	}
	made, err := scheme.New(list.GroupVersionKind())
	if err != nil {
		t.Fatal(err)
	}
	typed, _ := made.(client.ObjectList)
	watched, err := c.Watch(t.Context(), typed, client.InNamespace(w.namespace),
		&client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: list.GetResourceVersion()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(watched.Stop)
	return watched
}

// toldBy are the events of a watch up to the last object.
func toldBy(t *testing.T, w *world, from watch.Interface) []string {
	t.Helper()
	w.known = map[string]string{}
	var all []string
	for e := range from.ResultChan() {
		object, ok := e.Object.(client.Object)
		if !ok {
			t.Fatalf("the watch ends with %v", e.Object)
		}
		all = append(all, w.tell(e.Type, object))
		if object.GetName() == last {
			return all
		}
	}
	t.Fatal("the watch ended early")
	return nil
}

// told are the events of a kind in the store.
func told(w *world, events []store.Event, kind string) []string {
	w.known = map[string]string{}
	var all []string
	for _, e := range events {
		if e.Kind.Kind != kind {
			continue
		}
		object := e.New
		if e.Type == watch.Deleted {
			object = e.Old
		}
		all = append(all, w.tell(e.Type, object))
	}
	return all
}

func (w *world) tell(what watch.EventType, object client.Object) string {
	gvk, err := w.GroupVersionKindFor(object)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("%s %s", what, w.describe(fieldsOf(gvk, object).Object))
}
