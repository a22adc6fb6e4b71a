package controller

import (
	"fmt"
	"testing"
	"unsafe"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// said is a resource with a condition whose message is a string of its own.
func said(message string) *v1alpha1.Chatt2Webhook {
	w := &v1alpha1.Chatt2Webhook{}
	w.Status.Conditions = []metav1.Condition{{Type: "Ready", Reason: "Ready", Message: string([]byte(message))}}
	return w
}

func TestWhatResourcesSayAlikeStandsInMemoryOnce(t *testing.T) {
	one, other := said("the webhook is registered"), said("the webhook is registered")
	for _, w := range []*v1alpha1.Chatt2Webhook{one, other} {
		if _, err := Strip(w); err != nil {
			t.Fatal(err)
		}
	}
	a, b := one.Status.Conditions[0].Message, other.Status.Conditions[0].Message
	if a != "the webhook is registered" || unsafe.StringData(a) != unsafe.StringData(b) {
		t.Errorf("%q and %q stand in memory twice", a, b)
	}
}

func TestNotEveryTextIsKept(t *testing.T) {
	shared := texts{known: map[string]string{}}
	for n := range 2 * mostAlike {
		text := fmt.Sprint(n)
		if shared.share(&text); text != fmt.Sprint(n) {
			t.Fatalf("%d became %q", n, text)
		}
	}
	if len(shared.known) > mostAlike {
		t.Errorf("%d texts are kept", len(shared.known))
	}
}
