package campaign_test

import (
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/campaign/store"
)

// foreignStatusDelay is that of the operator, whose watches are tied to a manager.
const foreignStatusDelay = 10 * time.Second

// deliver routes what the view has come to show, as the watches of the operator do.
func (in *incarnation) deliver() {
	events, err := in.view.Events(&v1alpha1.Chatt2Webhook{}, metadataOf("Secret"), metadataOf("ConfigMap"))
	in.world.must(err)
	for _, e := range events {
		switch e.Kind.Kind {
		case "Secret":
			in.secretEvent(e)
		case "ConfigMap":
			in.enqueueReferring((*v1alpha1.Chatt2Webhook).ConfigMapNames, e.Key)
		default:
			in.resourceEvent(e)
		}
	}
}

func metadataOf(kind string) *metav1.PartialObjectMetadata {
	m := &metav1.PartialObjectMetadata{}
	m.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(kind))
	return m
}

func (in *incarnation) secretEvent(e store.Event) {
	in.enqueueReferring((*v1alpha1.Chatt2Webhook).SecretNames, e.Key)
	object := e.New
	if object == nil {
		object = e.Old
	}
	if !in.isOwn(object) {
		in.enqueueAll(func(c *v1alpha1.Chatt2Webhook) bool {
			return c.Namespace == e.Key.Namespace && c.Spec.RequiresSignature && c.SigningSecretName() == e.Key.Name
		})
	}
	if e.New != nil && slices.Contains(e.New.GetFinalizers(), v1alpha1.APIKeyFinalizer) {
		in.enqueue(job{true, e.Key}, 0)
	}
	if owner := metav1.GetControllerOf(object); owner != nil && !in.isOwn(object) {
		in.enqueue(job{name: types.NamespacedName{Namespace: e.Key.Namespace, Name: owner.Name}}, 0)
	}
}

func (in *incarnation) enqueueReferring(names func(*v1alpha1.Chatt2Webhook) []string, to types.NamespacedName) {
	in.enqueueAll(func(c *v1alpha1.Chatt2Webhook) bool {
		return c.Namespace == to.Namespace && slices.Contains(names(c), to.Name)
	})
}

// enqueueAll has all resources looked at that are of interest.
func (in *incarnation) enqueueAll(which func(*v1alpha1.Chatt2Webhook) bool) {
	var all v1alpha1.Chatt2WebhookList
	in.world.must(in.view.List(in.world.ctx, &all))
	for i := range all.Items {
		if which(&all.Items[i]) {
			in.enqueue(job{name: client.ObjectKeyFromObject(&all.Items[i])}, 0)
		}
	}
}

func (in *incarnation) isOwn(object client.Object) bool { return in.own[object.GetResourceVersion()] }

func (in *incarnation) resourceEvent(e store.Event) {
	me := job{name: e.Key}
	before, _ := e.Old.(*v1alpha1.Chatt2Webhook)
	after, _ := e.New.(*v1alpha1.Chatt2Webhook)
	switch {
	case e.Type == watch.Deleted:
		in.enqueue(me, 0)
		in.enqueueAPIKey(before)
		in.enqueueSiblings(before)
		return
	case e.Type == watch.Added:
		in.enqueue(me, 0)
		in.enqueueSiblings(after)
		return
	case !in.isOwn(after) && worthALook(before, after):
		in.enqueue(me, 0)
	case !in.isOwn(after) && !equality.Semantic.DeepEqual(before.Status, after.Status):
		in.enqueue(me, foreignStatusDelay)
	}
	if before.Spec.APIKeySecretRef.Name != after.Spec.APIKeySecretRef.Name {
		in.enqueueAPIKey(before)
	}
	if before.Generation != after.Generation || before.Status.WebhookID != after.Status.WebhookID ||
		before.DeletionTimestamp.IsZero() != after.DeletionTimestamp.IsZero() {
		in.enqueueSiblings(before)
		in.enqueueSiblings(after)
	}
}

// enqueueAPIKey enqueues the Secret with the API key that a resource ceases to reference.
func (in *incarnation) enqueueAPIKey(c *v1alpha1.Chatt2Webhook) {
	in.enqueue(job{true, types.NamespacedName{Namespace: c.Namespace, Name: c.Spec.APIKeySecretRef.Name}}, 0)
}

// enqueueSiblings has the other resources looked at that declare the same webhook or have it.
func (in *incarnation) enqueueSiblings(of *v1alpha1.Chatt2Webhook) {
	in.enqueueAll(func(c *v1alpha1.Chatt2Webhook) bool {
		return client.ObjectKeyFromObject(c) != client.ObjectKeyFromObject(of) && (natural(c) == natural(of) ||
			of.Status.WebhookID != "" && c.Status.WebhookID == of.Status.WebhookID)
	})
}

// worthALook is the predicate of the operator for changes that others made.
func worthALook(before, after *v1alpha1.Chatt2Webhook) bool {
	return before.Generation != after.Generation ||
		before.DeletionTimestamp.IsZero() != after.DeletionTimestamp.IsZero() ||
		!maps.Equal(before.Annotations, after.Annotations) || !slices.Equal(before.Finalizers, after.Finalizers) ||
		after.Status.ObservedGeneration < before.Status.ObservedGeneration ||
		len(after.Status.Conditions) < len(before.Status.Conditions) || before.Status.WebhookID != after.Status.WebhookID
}

// recorder takes the events of a life of the operator.
type recorder struct{ *incarnation }

// Eventf takes an event.
func (r recorder) Eventf(_, _ runtime.Object, _, reason, action, note string, args ...any) {
	r.world.events[reason]++
	if !r.dead {
		r.world.heard(strings.Join([]string{reason, action, note}, " "), args...)
	}
}
