package main

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	hubclient "github.com/chatt2me/webhook-operator/internal/hub"
)

// loops make the calls and writes of the operator.
type loops struct {
	world  *world
	signed bool
	hub    *hubclient.Client
}

func newLoops(w *world, signed bool) (*loops, error) {
	c, err := hubclient.New(hubclient.Config{
		BaseURL: w.hub.url, APIKey: hubclient.NewSecret(directKey), RootCAs: w.certificate.roots,
	})
	return &loops{world: w, signed: signed, hub: c}, err
}

func (l *loops) post(ctx context.Context, loop string, i int) error {
	_, err := l.hub.CreateWebhook(ctx, hubclient.WebhookFields{
		Label: new(loop + name(i)), Endpoint: new(l.world.endpoint + "/hook"),
		EventType:              new(string(v1alpha1.EventTypeMessage)),
		AuthenticationProtocol: new(string(v1alpha1.NoAuthentication)), RequiresSignature: &l.signed,
	})
	return err
}

// apply creates a resource and writes its status once.
func (l *loops) apply(ctx context.Context, loop string, i int) error {
	object, err := l.create(ctx, loop, i)
	if err != nil {
		return err
	}
	return l.writeStatus(ctx, object)
}

// write makes what the operator writes: metadata, signing Secret, status and event.
func (l *loops) write(ctx context.Context, loop string, i int) error {
	return l.writeAround(ctx, loop, i, func() error { return nil })
}

// all makes the writes with the call in between.
func (l *loops) all(ctx context.Context, loop string, i int) error {
	return l.writeAround(ctx, loop, i, func() error { return l.post(ctx, loop, i) })
}

func (l *loops) writeAround(ctx context.Context, loop string, i int, call func() error) error {
	object, err := l.create(ctx, loop, i)
	if err != nil {
		return err
	}
	before := object.DeepCopy()
	object.Finalizers = []string{v1alpha1.WebhookFinalizer}
	object.Annotations = map[string]string{v1alpha1.AnnotationCreateStartedAt: time.Now().UTC().Format(time.RFC3339)}
	if err := l.world.client.Patch(ctx, object, client.MergeFrom(before)); err != nil {
		return err
	}
	if err := call(); err != nil {
		return err
	}
	if l.signed {
		if err := l.storeSecret(ctx, object); err != nil {
			return err
		}
	}
	if err := l.writeStatus(ctx, object); err != nil {
		return err
	}
	return l.tell(ctx, object)
}

func (l *loops) create(ctx context.Context, loop string, i int) (*v1alpha1.Chatt2Webhook, error) {
	object := l.world.webhook(i, l.signed)
	object.Name = loop + "-" + object.Name
	return object, l.world.client.Create(ctx, object)
}

func (l *loops) writeStatus(ctx context.Context, object *v1alpha1.Chatt2Webhook) error {
	before := object.DeepCopy()
	now := metav1.Now()
	object.Status = v1alpha1.Chatt2WebhookStatus{
		ObservedGeneration: object.Generation, WebhookID: string(object.UID), ApplicationID: string(object.UID),
		Active: new(true), IsVerified: true, VerifiedAt: &now, CreatedAt: &now,
	}
	for _, kind := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionSynced, v1alpha1.ConditionVerified} {
		object.Status.Conditions = append(object.Status.Conditions, metav1.Condition{
			Type: kind, Status: metav1.ConditionTrue, ObservedGeneration: object.Generation, LastTransitionTime: now,
			Reason: "Reference", Message: "The Hub holds what spec says and has verified the endpoint.",
		})
	}
	return l.world.client.Status().Patch(ctx, object, client.MergeFrom(before))
}

func (l *loops) storeSecret(ctx context.Context, object *v1alpha1.Chatt2Webhook) error {
	kind := v1alpha1.GroupVersion.WithKind("Chatt2Webhook")
	return l.world.client.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: object.Namespace, Name: object.Name + "-signing",
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(object, kind)},
		},
		Data: map[string][]byte{v1alpha1.SecretKeyCurrent: []byte(object.UID)},
	})
}

func (l *loops) tell(ctx context.Context, object *v1alpha1.Chatt2Webhook) error {
	return l.world.client.Create(ctx, &eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: object.Namespace, Name: object.Name + ".reference"},
		EventTime:  metav1.NowMicro(), ReportingController: "reference", ReportingInstance: "reference",
		Action: "Reconcile", Reason: "Registered", Type: corev1.EventTypeNormal, Note: "Registered webhook",
		Regarding: corev1.ObjectReference{
			APIVersion: v1alpha1.GroupVersion.String(), Kind: "Chatt2Webhook", Namespace: object.Namespace,
			Name: object.Name, UID: object.UID,
		},
	})
}
