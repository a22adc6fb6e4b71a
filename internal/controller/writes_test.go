package controller

import (
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

var orders = types.NamespacedName{Namespace: "shop", Name: "orders"}

// shown reports whether the watch lets a version of the resource through.
func (w *writes) shown(version string) bool {
	object := &v1alpha1.Chatt2Webhook{ObjectMeta: metav1.ObjectMeta{
		Namespace: orders.Namespace, Name: orders.Name, ResourceVersion: version,
	}}
	return w.ofOthers().Update(event.UpdateEvent{ObjectOld: object, ObjectNew: object})
}

func TestOurOwnWritesAreNoReasonToLookAgain(t *testing.T) {
	var w writes
	if !w.shown("1") {
		t.Error("a change of an object that we never wrote is not let through")
	}
	w.begin(orders)
	if others := w.end(orders, "2"); others || w.shown("2") {
		t.Errorf("our own version counts as another's: %t", others)
	}
	if !w.shown("3") {
		t.Error("a change after our write is not let through")
	}
	w.begin(orders)
	if w.shown("4"); w.end(orders, "4") {
		t.Error("a write whose event came before its answer counts as another's")
	}
	w.begin(orders)
	if w.shown("4"); w.end(orders, "5") {
		t.Error("the event of the write before counts as another's")
	}
}

func TestWhatOthersWriteWhileWeDoIsNotMissed(t *testing.T) {
	var w writes
	w.begin(orders)
	if w.shown("2"); !w.end(orders, "3") {
		t.Error("another's version under our own write is missed")
	}
	w.begin(orders)
	if w.shown("4"); !w.end(orders, "") {
		t.Error("another's version is missed when our write failed")
	}
	w.begin(orders)
	if w.end(orders, "") {
		t.Error("another's version counts twice")
	}
	w.begin(orders)
	w.forget(orders)
	if !w.end(orders, "6") {
		t.Error("that the object went is missed")
	}
	if !w.shown("6") {
		t.Error("what was forgotten is remembered")
	}
}

func TestOwnVersionsDoNotPileUp(t *testing.T) {
	var w writes
	for _, version := range []string{"1", "2", "3", "4", "5", "6", "7"} {
		w.begin(orders)
		w.end(orders, version)
	}
	if n := len(w.of[orders].own); n != ownVersions {
		t.Errorf("%d versions are remembered", n)
	}
}

func TestAWriteThatPanicsIsNotUnderWayForEver(t *testing.T) {
	var w writes
	var o observation
	object := &v1alpha1.Chatt2Webhook{ObjectMeta: metav1.ObjectMeta{Namespace: orders.Namespace, Name: orders.Name}}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the write does not panic")
			}
		}()
		_ = o.write(&w, object, func() error { panic("a defect") })
	}()
	if !w.shown("2") {
		t.Error("what others write after a write that panicked is missed")
	}
}

func TestConflictsInARowAreWaitedForEverLonger(t *testing.T) {
	conflict := apierrors.NewConflict(schema.GroupResource{}, "w", nil)
	o := &observation{local: &localState{}}
	var last time.Duration
	for range 20 {
		got, err := o.failed(conflict)
		if err != nil || got.RequeueAfter <= last && last < lastConflict {
			t.Fatalf("after %s: %s, %v", last, got.RequeueAfter, err)
		}
		last = got.RequeueAfter
	}
	if most := lastConflict + lastConflict/5; last < lastConflict || last > most {
		t.Errorf("the longest wait is %s", last)
	}
}
