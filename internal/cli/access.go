package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// accessTries is how often a namespace is asked for at the start. Right after an installation the API server may not
// know the bindings yet. accessRetry is the time between two of them.
const (
	accessTries = 3
	accessRetry = time.Second
)

// accessRecheck is how often a namespace is asked for again that is not served.
const accessRecheck = 10 * time.Second

// access is what the API server lets the operator list. A namespace that may not be listed would keep the caches of all
// others from being filled: it is not served, and /readyz says so, until it may be listed.
type access struct {
	lists metadata.Interface
	// resources are what the caches list in each namespace.
	resources []schema.GroupVersionResource
	// served are the namespaces to watch, none for all.
	served []string
	// refused are the others, with the API server's words.
	refused map[string]error
	// last is the latest refusal to fill a cache.
	last atomic.Pointer[string]
}

// access asks the API server which of the namespaces it lets the operator list.
func (f *operatorFlags) access(ctx context.Context, config *rest.Config) (*access, error) {
	lists, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	a := &access{lists: lists, served: f.namespaces, resources: []schema.GroupVersionResource{
		v1alpha1.GroupVersion.WithResource("chatt2webhooks"), corev1.SchemeGroupVersion.WithResource("configmaps"),
	}}
	if f.watchSecrets {
		a.resources = append(a.resources, corev1.SchemeGroupVersion.WithResource("secrets"))
	}
	if len(f.namespaces) < 2 {
		return a, nil // there is nothing to serve without it
	}
	for try := 1; ; try++ {
		refused := a.ask(ctx, f.namespaces)
		if len(refused) == 0 || len(refused) == len(f.namespaces) {
			return a, nil
		}
		if try == accessTries {
			a.refused = refused
			a.served = slices.DeleteFunc(slices.Clone(f.namespaces), func(n string) bool { return refused[n] != nil })
			ctrl.Log.WithName("setup").Info("Not every namespace is served", "reason", a.check(ctx).Error())
			return a, nil
		}
		if !wait(ctx, accessRetry) {
			return a, nil
		}
	}
}

// ask returns which of the namespaces may not be listed, and why.
func (a *access) ask(ctx context.Context, namespaces []string) map[string]error {
	refused := map[string]error{}
	for _, namespace := range namespaces {
		for _, resource := range a.resources {
			_, err := a.lists.Resource(resource).Namespace(namespace).List(ctx, metav1.ListOptions{Limit: 1})
			if apierrors.IsForbidden(err) {
				refused[namespace] = err
				break
			}
		}
	}
	return refused
}

// check fails while a namespace is not served.
func (a *access) check(context.Context) error {
	if len(a.refused) == 0 {
		return nil
	}
	var names, reasons []string
	for _, namespace := range a.namespaces() {
		names, reasons = append(names, namespace), append(reasons, a.refused[namespace].Error())
	}
	return fmt.Errorf("namespaces that are not served: %s; grant the right, or take them out of --namespaces: %s",
		strings.Join(names, ", "), strings.Join(reasons, "; "))
}

// namespaces are those that are not served.
func (a *access) namespaces() []string {
	var names []string
	for name := range a.refused {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Start implements manager.Runnable. It ends the process once a namespace may be listed, for a cache takes no more
// namespaces when it was made.
func (a *access) Start(ctx context.Context) error {
	for len(a.refused) > 0 && wait(ctx, accessRecheck) {
		for _, namespace := range a.namespaces() {
			if len(a.ask(ctx, []string{namespace})) == 0 && ctx.Err() == nil {
				return fmt.Errorf("the namespace %s may be listed now; the operator must start again to serve it",
					namespace)
			}
		}
	}
	return nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (a *access) NeedLeaderElection() bool { return false }

// failed takes that a cache could not list or watch. A refusal is logged once, however often it is repeated.
func (a *access) failed(ctx context.Context, reflector *toolscache.Reflector, err error) {
	if !apierrors.IsForbidden(err) {
		toolscache.DefaultWatchErrorHandler(ctx, reflector, err)
		return
	}
	text := err.Error()
	if last := a.last.Swap(&text); last == nil || *last != text {
		log.FromContext(ctx).Info("The API server refuses what the caches need; grant the right", "reason", text)
	}
}

// filled says why the caches are not filled, as far as that is known.
func (a *access) filled(isFilled bool) error {
	reason := a.last.Load()
	switch {
	case isFilled:
		return nil
	case reason == nil:
		return errors.New("the caches are not filled yet")
	}
	return fmt.Errorf("the caches are not filled yet: %s", *reason)
}

// wait waits, and reports whether the context lasted.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
