package controller_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// watchInvariants holds every version of every resource of the world to what must hold at every moment.
func (w *world) watchInvariants() {
	w.Helper()
	watcher, err := client.NewWithWatch(shared.Config, client.Options{Scheme: scheme})
	w.Expect1(err)
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := watcher.Watch(ctx, &v1alpha1.Chatt2WebhookList{}, client.InNamespace(w.namespace))
	w.Expect1(err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e := range stream.ResultChan() {
			if c, ok := e.Object.(*v1alpha1.Chatt2Webhook); ok {
				w.checkStatus(c)
			}
		}
	}()
	w.Cleanup(func() {
		cancel()
		stream.Stop()
		<-done
	})
}

// checkStatus asks kstatus and the conventions about one version of a resource.
func (w *world) checkStatus(c *v1alpha1.Chatt2Webhook) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(c)
	if err != nil {
		w.Error(err)
		return
	}
	result, err := status.Compute(&unstructured.Unstructured{Object: content})
	if err != nil {
		w.Errorf("kstatus: %v", err)
		return
	}
	is := func(condition string) bool {
		found := findCondition(c, condition)
		return found != nil && found.Status == "True"
	}
	want := status.InProgressStatus
	switch {
	case !c.DeletionTimestamp.IsZero():
		want = status.TerminatingStatus
	case c.Status.ObservedGeneration != c.Generation:
	case is(v1alpha1.ConditionStalled):
		want = status.FailedStatus
	case is(v1alpha1.ConditionReady):
		want = status.CurrentStatus
	}
	if result.Status != want {
		w.Errorf("kstatus says %s and not %s of %s", result.Status, want, pretty(c.Status))
	}
	if is(v1alpha1.ConditionStalled) && is(v1alpha1.ConditionReconciling) {
		w.Errorf("both Stalled and Reconciling: %s", pretty(c.Status))
	}
	for _, condition := range c.Status.Conditions {
		if c.Status.ObservedGeneration >= 0 && condition.ObservedGeneration != c.Status.ObservedGeneration {
			w.Errorf("the condition %s has another observedGeneration than status: %s", condition.Type, pretty(c.Status))
		}
		if condition.Status != "True" &&
			(condition.Type == v1alpha1.ConditionStalled || condition.Type == v1alpha1.ConditionReconciling) {
			w.Errorf("%s is there and not True", condition.Type)
		}
		if condition.Message == "" || condition.Reason == "" {
			w.Errorf("the condition %s says nothing", condition.Type)
		}
	}
}

// Expect1 ends the test for an error.
func (w *world) Expect1(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// watchful holds every call to the Hub to what must hold at every moment. It looks at the API server itself, not at
// what the operator knows.
type watchful struct {
	world *world
	next  http.RoundTripper
}

func (c watchful) RoundTrip(r *http.Request) (*http.Response, error) {
	w := c.world
	for name := range r.Header {
		if strings.Contains(strings.ToLower(name), "idempotency") {
			w.Errorf("the header %s is sent", name)
		}
	}
	if r.Method == http.MethodGet || r.Body == nil {
		return c.next.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var sent struct{ Label, Endpoint string }
	_ = json.Unmarshal(body, &sent)
	var all v1alpha1.Chatt2WebhookList
	if err := w.List(context.Background(), &all, client.InNamespace(w.namespace)); err != nil {
		w.Error(err)
	}
	if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/webhook") {
		w.checkCreate(all.Items, sent.Label, sent.Endpoint)
		return c.next.RoundTrip(r)
	}
	for i := range all.Items {
		it := &all.Items[i]
		mine := it.Status.WebhookID != "" && strings.Contains(r.URL.Path, it.Status.WebhookID)
		if mine && !it.DeletionTimestamp.IsZero() && r.Method != http.MethodDelete {
			w.Errorf("%s %s after the deletion of %s", r.Method, r.URL.Path, it.Name)
		}
		if mine && it.Spec.Suspend && it.DeletionTimestamp.IsZero() && it.Status.ObservedGeneration == it.Generation {
			w.Errorf("%s %s although %s is suspended", r.Method, r.URL.Path, it.Name)
		}
	}
	return c.next.RoundTrip(r)
}

// checkCreate fails unless a registration is for a resource that lives, has written it down and has no webhook yet.
func (w *world) checkCreate(all []v1alpha1.Chatt2Webhook, label, endpoint string) {
	for i := range all {
		it := &all[i]
		if it.Spec.Label == label && it.Spec.Endpoint == endpoint && it.DeletionTimestamp.IsZero() &&
			slices.Contains(it.Finalizers, v1alpha1.WebhookFinalizer) &&
			it.Annotations[v1alpha1.AnnotationCreateStartedAt] != "" && it.Status.WebhookID == "" {
			return
		}
	}
	w.Errorf("a registration of %q that no resource has written down, or that has a webhook", label)
}

// oneAtATime fails when two webhooks for the same thing were ever there at once.
func (w *world) oneAtATime() {
	w.Helper()
	if w.late {
		return
	}
	lives := w.hub.Lifetimes()
	for i := range lives {
		for _, other := range lives[i+1:] {
			if lives[i].ApplicationID == other.ApplicationID && lives[i].Label == other.Label &&
				lives[i].Endpoint == other.Endpoint && lives[i].Overlaps(other) {
				w.Errorf("two webhooks for %s at once", other.Label)
			}
		}
	}
}

// quiet waits until nothing is written on either side for a while, and tells what was called in that time.
func (w *world) quiet(d time.Duration) (mutations int, versions map[string]string) {
	w.Helper()
	before := len(w.hub.Mutations())
	start := w.versions()
	var was v1alpha1.Chatt2WebhookList
	w.Expect1(w.List(w.Context(), &was, client.InNamespace(w.namespace)))
	<-time.After(d)
	end := w.versions()
	for name, version := range start {
		if end[name] != version {
			w.Errorf("%s was written while nothing happened", name)
			for i := range was.Items {
				if was.Items[i].Name == name {
					w.Logf("%s", cmp.Diff(was.Items[i], *w.get(&was.Items[i])))
				}
			}
		}
	}
	return len(w.hub.Mutations()) - before, end
}

func (w *world) versions() map[string]string {
	w.Helper()
	versions := map[string]string{}
	var resources v1alpha1.Chatt2WebhookList
	w.Expect1(w.List(w.Context(), &resources, client.InNamespace(w.namespace)))
	for i := range resources.Items {
		versions[resources.Items[i].Name] = resources.Items[i].ResourceVersion
		if name := resources.Items[i].SigningSecretName(); w.secret(name) != nil {
			versions[name] = w.secret(name).ResourceVersion
		}
	}
	return versions
}
