package cli

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// resources are what a cache holds.
type resources []v1alpha1.Chatt2Webhook

// Get is not asked for.
func (resources) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	return errors.New("only lists are read")
}

// List gives all of them.
func (r resources) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	all, ok := list.(*v1alpha1.Chatt2WebhookList)
	if !ok || r == nil {
		return errors.New("the cache cannot be read")
	}
	all.Items = r
	return nil
}

// telling is a resource of generation 2 whose condition Ready has a reason.
func telling(reason string, observed int64) v1alpha1.Chatt2Webhook {
	return v1alpha1.Chatt2Webhook{
		ObjectMeta: metav1.ObjectMeta{Generation: 2},
		Status: v1alpha1.Chatt2WebhookStatus{Conditions: []metav1.Condition{
			{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: reason, ObservedGeneration: observed},
		}},
	}
}

// deleting is a resource that is being deleted and that a finalizer keeps.
func deleting(w v1alpha1.Chatt2Webhook, finalizer string) v1alpha1.Chatt2Webhook {
	w.DeletionTimestamp, w.Finalizers = &metav1.Time{}, []string{finalizer}
	return w
}

func TestALeaderIsReadyOnceItHasLookedAtTheHubOrSaysWhyNot(t *testing.T) {
	for name, c := range map[string]struct {
		all   resources
		ready bool
	}{
		"no resource":                     {resources{}, true},
		"one that nobody has looked at":   {resources{{}}, false},
		"one that was ready long ago":     {resources{telling(v1alpha1.ReasonReady, 2)}, false},
		"one without an API key":          {resources{telling(v1alpha1.ReasonAPIKeyNotFound, 2)}, true},
		"one that was without an API key": {resources{telling(v1alpha1.ReasonAPIKeyNotFound, 1)}, false},
		"one with no key in the Secret":   {resources{telling(v1alpha1.ReasonAPIKeyInvalid, 2)}, true},
		"one that cannot be deleted":      {resources{telling(v1alpha1.ReasonDeletionBlocked, 2)}, true},
		"one of two that is suspended": {
			resources{telling(v1alpha1.ReasonSuspended, 2), telling(v1alpha1.ReasonPending, 2)}, false,
		},
		"one that only another finalizer keeps": {resources{deleting(telling(v1alpha1.ReasonReady, 1), "example.com/x")}, true},
		"one that is being deleted":             {resources{deleting(telling(v1alpha1.ReasonReady, 2), v1alpha1.WebhookFinalizer)}, false},
		"a cache that cannot be read":           {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			elected := make(chan struct{})
			look := &firstLook{RoundTripper: http.DefaultTransport} //nolint:forbidigo // no request is made with it
			check := look.check(elected, c.all)
			if err := check(t.Context()); err != nil {
				t.Errorf("a replica that does not lead is not ready: %v", err)
			}
			close(elected)

			if err := check(t.Context()); (err == nil) != c.ready {
				t.Errorf("the check says %v, want it to pass: %t", err, c.ready)
			}
		})
	}
}

// TestALookCountsWhateverTheAnswer is, and if there is none: the resources tell what came of it.
func TestALookCountsWhateverTheAnswer(t *testing.T) {
	hub := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer hub.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	elected := make(chan struct{})
	close(elected)
	for name, url := range map[string]string{"503": hub.URL, "none": gone.URL} {
		t.Run(name, func(t *testing.T) {
			look := &firstLook{RoundTripper: &http.Transport{DisableKeepAlives: true}}
			check := look.check(elected, resources{{}})
			if check(t.Context()) == nil {
				t.Fatal("it is ready before it has looked")
			}
			ask, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
			if err != nil {
				t.Fatal(err)
			}

			if answer, err := look.RoundTrip(ask); err == nil {
				_ = answer.Body.Close() // nothing is read from it
			}

			if err := check(t.Context()); err != nil {
				t.Errorf("it is not ready although it has looked: %v", err)
			}
		})
	}
}
