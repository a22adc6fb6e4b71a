package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/cluster"
)

// collected are stories about owners and namespaces that go. Each step ends when the controllers have nothing left to
// do.
var collected = map[string][]func(ctx context.Context, w *world) error{
	"an owner goes": {
		makeOwner(), makeOwned("owned", true), deleteOwner(metav1.DeletePropagationBackground),
	},
	"an owner has to wait": {
		makeOwner("hub.chatt2.me/webhook"), makeOwned("owned", true), deleteOwner(metav1.DeletePropagationBackground),
		letOwnerGo,
	},
	"an owner goes after what it owns": {
		makeOwner(), makeOwned("owned", true), deleteOwner(metav1.DeletePropagationForeground),
	},
	"an owner goes after what it owns, which has to wait": {
		makeOwner(), makeOwned("owned", true, "example.com/wait"), makeOwned("loose", false, "example.com/wait"),
		deleteOwner(metav1.DeletePropagationForeground), letOwnedGo,
	},
	"an owner leaves what it owns": {
		makeOwner(), makeOwned("owned", true), deleteOwner(metav1.DeletePropagationOrphan),
	},
	"the owner is another one of that name": {
		makeOwner(), func(ctx context.Context, w *world) error {
			u := w.named(secretKind, "stray")
			owner(u)
			u.SetFinalizers([]string{"example.com/wait"})
			return w.Create(ctx, u)
		},
	},
	"a namespace goes": {
		makeOwner("hub.chatt2.me/webhook"), makeOwned("owned", true), goAway, letOwnerGo,
	},
	"an empty namespace goes": {goAway},
}

func makeOwner(finalizers ...string) func(context.Context, *world) error {
	return func(ctx context.Context, w *world) error {
		u := w.named(webhookKind, "one")
		template(u)
		u.SetFinalizers(finalizers)
		return w.Create(ctx, u)
	}
}

func makeOwned(name string, blocks bool, finalizers ...string) func(context.Context, *world) error {
	return func(ctx context.Context, w *world) error {
		by := &v1alpha1.Chatt2Webhook{}
		if err := w.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: "one"}, by); err != nil {
			return err
		}
		u := w.named(secretKind, name)
		u.SetFinalizers(finalizers)
		u.SetOwnerReferences([]metav1.OwnerReference{{
			APIVersion: webhookKind.GroupVersion().String(), Kind: webhookKind.Kind, Name: by.Name, UID: by.UID,
			Controller: new(true), BlockOwnerDeletion: new(blocks),
		}})
		return w.Create(ctx, u)
	}
}

func deleteOwner(how metav1.DeletionPropagation) func(context.Context, *world) error {
	return func(ctx context.Context, w *world) error {
		return w.Delete(ctx, w.named(webhookKind, "one"), client.PropagationPolicy(how))
	}
}

func letOwnerGo(ctx context.Context, w *world) error {
	return w.Patch(ctx, w.named(webhookKind, "one"), client.RawPatch("application/merge-patch+json", withoutFinalizers))
}

func letOwnedGo(ctx context.Context, w *world) error {
	return w.Patch(ctx, w.named(secretKind, "owned"), client.RawPatch("application/merge-patch+json", withoutFinalizers))
}

var withoutFinalizers = []byte(`{"metadata":{"finalizers":null}}`)

func goAway(ctx context.Context, w *world) error {
	return w.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}})
}

// left tells what is left in a world, the namespace included. Versions are not compared: controllers write as often as
// they like.
func left(ctx context.Context, w *world) string {
	told := []string{"namespace " + namespacePhase(ctx, w)}
	for _, kind := range []string{"Chatt2Webhook", "Secret"} {
		for _, k := range kinds {
			if k.Kind != kind {
				continue
			}
			list := &metav1.PartialObjectMetadataList{}
			list.SetGroupVersionKind(k.GroupVersion().WithKind(k.Kind + "List"))
			if err := w.List(ctx, list, client.InNamespace(w.namespace)); err != nil {
				return err.Error()
			}
			for i := range list.Items {
				o := &list.Items[i]
				told = append(told, fmt.Sprintf("%s %s deleted %t finalizers %v owners %d", kind, o.Name,
					o.DeletionTimestamp != nil, o.Finalizers, len(o.OwnerReferences)))
			}
		}
	}
	return strings.Join(told, "\n")
}

func namespacePhase(ctx context.Context, w *world) string {
	namespace := &corev1.Namespace{}
	err := w.Get(ctx, client.ObjectKey{Name: w.namespace}, namespace)
	if apierrors.IsNotFound(err) {
		return "gone"
	}
	if err != nil {
		return err.Error()
	}
	return string(namespace.Status.Phase)
}

func TestGarbageAndNamespacesGoAsInARealCluster(t *testing.T) {
	c, err := cluster.Start(t.Context(), cluster.Options{ControllerManager: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	server, err := client.New(c.Config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	for name, story := range collected {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			there, here := worlds(t, server, s)
			for i, step := range story {
				if err := step(t.Context(), there); err != nil {
					t.Fatalf("step %d, real: %v", i, err)
				}
				if err := step(t.Context(), here); err != nil {
					t.Fatalf("step %d, store: %v", i, err)
				}
				if _, err := s.CollectGarbage(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := s.EmptyNamespaces(t.Context()); err != nil {
					t.Fatal(err)
				}
				NewWithT(t).Eventually(func() string { return left(t.Context(), there) }, 2*time.Minute).
					Should(Equal(left(t.Context(), here)), "after step %d", i)
			}
			NewWithT(t).Consistently(func() string { return left(t.Context(), there) }, time.Second).
				Should(Equal(left(t.Context(), here)), "in the end")
		})
	}
}
