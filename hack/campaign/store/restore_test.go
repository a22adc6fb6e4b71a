package store_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestARestoreBringsBackWhatWasAndNothingElse(t *testing.T) {
	s := inHome(t)
	put(t, s.Live(), "changed", "before")
	put(t, s.Live(), "gone", "before")
	put(t, s.Live(), "same", "before")
	backup := s.Revision()
	put(t, s.Live(), "changed", "after")
	put(t, s.Live(), "new", "after")
	drop(t, s.Live(), "gone")

	must(t, s.Restore(backup))

	for name, want := range map[string]string{"changed": "before", "gone": "before", "same": "before", "new": "none"} {
		if got := value(t, s.Live(), name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if s.Revision() != backup+6 {
		t.Errorf("the revision is %d, want %d: three changes, and their restoration", s.Revision(), backup+6)
	}
}

// drop deletes a Secret.
func drop(t *testing.T, c client.Client, name string) {
	t.Helper()
	must(t, c.Delete(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: home, Name: name}}))
}
