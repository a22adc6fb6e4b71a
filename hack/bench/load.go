package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// keySecret is the Secret with the API key.
const keySecret = "api-key"

// each does something for 0 to n-1, some at once, until one fails.
func each(ctx context.Context, n, atOnce int, do func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var work sync.WaitGroup
	for range atOnce {
		work.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := do(ctx, i); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	work.Wait()
	return context.Cause(ctx)
}

// prepareNamespace makes the namespace of the resources with the API key.
func (w *world) prepareNamespace(ctx context.Context) error {
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: keySecret},
		Data:       map[string][]byte{"apiKey": []byte(apiKey)},
	}
	return errors.Join(
		w.client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}),
		w.client.Create(ctx, secret),
	)
}

func name(i int) string { return fmt.Sprintf("webhook-%06d", i) }

// webhook is the resource number i. Its label tells it from all others.
func (w *world) webhook(i int, signed bool) *v1alpha1.Chatt2Webhook {
	c := &v1alpha1.Chatt2Webhook{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name(i)}}
	c.Spec = v1alpha1.Chatt2WebhookSpec{
		Label: name(i), Endpoint: w.endpoint + "/hook", EventType: v1alpha1.EventTypeMessage,
		APIKeySecretRef: v1alpha1.APIKeySecretReference{Name: keySecret}, RequiresSignature: signed,
	}
	return c
}

// create applies n resources.
func (w *world) create(ctx context.Context, n int, signed bool) error {
	return each(ctx, n, w.appliers, func(ctx context.Context, i int) error {
		return w.client.Create(ctx, w.webhook(i, signed))
	})
}

// annotate puts an annotation on n resources.
func (w *world) annotate(ctx context.Context, n int, key, value string) error {
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, key, value)
	return each(ctx, n, w.appliers, func(ctx context.Context, i int) error {
		return w.client.Patch(ctx, w.webhook(i, false), client.RawPatch(types.MergePatchType, patch))
	})
}

// remove deletes n resources, one by one.
func (w *world) remove(ctx context.Context, n int) error {
	return each(ctx, n, w.appliers, func(ctx context.Context, i int) error {
		return w.client.Delete(ctx, w.webhook(i, false))
	})
}

// bringUp has n resources in place without measuring it.
func (w *world) bringUp(ctx context.Context, n int, signed bool) error {
	w.say("  bringing up %d", n)
	if err := w.create(ctx, n, signed); err != nil {
		return err
	}
	if _, err := w.allReady(ctx, n); err != nil {
		return err
	}
	return w.rest(ctx)
}

// allReady waits until n resources are ready, and tells when the last one was.
func (w *world) allReady(ctx context.Context, n int) (time.Time, error) {
	return w.resources.await(ctx, "ready", n, (*resource).isReady)
}
