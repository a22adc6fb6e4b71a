package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/receiver"
)

func (l *life) beReady() error {
	return l.until("/readyz", func() (bool, error) {
		code, err := l.get("http://"+l.operator.probes+"/readyz", "")
		return code == http.StatusOK, err
	})
}

// register has a webhook registered, verified and signed, with headers from a Secret and a ConfigMap.
func (l *life) register() error {
	key := "key-of-" + l.in
	l.app = l.hub.AddApplication("main", key)
	meta := metav1.ObjectMeta{Namespace: l.in, Name: "tenant"}
	l.webhook = &v1alpha1.Chatt2Webhook{ObjectMeta: metav1.ObjectMeta{Namespace: l.in, Name: "orders"}}
	l.webhook.Spec = v1alpha1.Chatt2WebhookSpec{
		Label: "Orders", Endpoint: l.endpoint(), EventType: v1alpha1.EventTypeMessage, RequiresSignature: true,
		APIKeySecretRef: v1alpha1.APIKeySecretReference{Name: "key"},
		Headers: []v1alpha1.Header{
			{Key: "X-Token", ValueFrom: &v1alpha1.HeaderSource{
				SecretKeyRef: &v1alpha1.KeyReference{Name: "token", Key: "value"},
			}},
			{Key: "X-Tenant", ValueFrom: &v1alpha1.HeaderSource{
				ConfigMapKeyRef: &v1alpha1.KeyReference{Name: "tenant", Key: "value"},
			}},
		},
		SigningSecret: &v1alpha1.SigningSecret{Rotation: v1alpha1.Rotation{Overlap: "1s"}},
	}
	return errors.Join(
		l.secret("key", "apiKey", key), l.secret("token", "value", "token"),
		l.Create(l.Context(), &corev1.ConfigMap{ObjectMeta: meta, Data: map[string]string{"value": "tenant"}}),
		l.Create(l.Context(), l.webhook),
		l.until("registered", l.isReady), l.until("the headers", l.sends("token", "tenant")),
		l.until("an event", func() (bool, error) { return l.told(v1alpha1.EventRegistered) }),
	)
}

func (l *life) isReady() (bool, error) {
	err := l.Get(l.Context(), client.ObjectKeyFromObject(l.webhook), l.webhook)
	return l.webhook.IsReady(), err
}

// sends reports whether the Hub holds headers with these values.
func (l *life) sends(values ...string) func() (bool, error) {
	return func() (bool, error) {
		var held []string
		for _, header := range l.hub.HeadersOf(l.webhook.Status.WebhookID) {
			held = append(held, header.Value)
		}
		return slices.Equal(held, values), nil
	}
}

// told reports whether there is an event about the webhook.
func (l *life) told(reason string) (bool, error) {
	var events corev1.EventList
	err := l.List(l.Context(), &events, client.InNamespace(l.in))
	return slices.ContainsFunc(events.Items, func(e corev1.Event) bool {
		return e.InvolvedObject.Name == l.webhook.Name && e.Reason == reason
	}), err
}

// followSources changes what headers come from.
func (l *life) followSources() error {
	meta := metav1.ObjectMeta{Namespace: l.in, Name: "tenant"}
	tenant := &corev1.ConfigMap{ObjectMeta: meta, Data: map[string]string{"value": "other tenant"}}
	err := errors.Join(l.Update(l.Context(), tenant), l.until("another tenant", l.sends("token", "other tenant")))
	if err != nil || l.unwatched {
		return err
	}
	meta.Name = "token"
	token := &corev1.Secret{ObjectMeta: meta, StringData: map[string]string{"value": "other token"}}
	return errors.Join(l.Update(l.Context(), token), l.until("another token", l.sends("other token", "other tenant")))
}

func (l *life) rotate() error {
	for _, request := range []string{"first", "second"} {
		err := l.change(func(w *v1alpha1.Chatt2Webhook) {
			w.Annotations = map[string]string{v1alpha1.AnnotationRotateRequestedAt: request}
		})
		if err != nil {
			return err
		}
		err = l.until(request+" rotation", func() (bool, error) {
			ready, err := l.isReady()
			return ready && l.webhook.Status.LastHandledRotateAt == request, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// scrape gets the metrics as the chart's reader of metrics, and as somebody else.
func (l *life) scrape() error {
	if l.scraper == "" {
		return nil
	}
	url := "https://" + l.operator.metrics + "/metrics"
	return errors.Join(
		l.until("metrics", func() (bool, error) { code, err := l.get(url, l.scraper); return code == http.StatusOK, err }),
		l.until("no metrics for others", func() (bool, error) {
			code, err := l.get(url, "nobody")
			return code >= http.StatusBadRequest, err
		}),
	)
}

// giveUpSigning has the signing Secret deleted.
func (l *life) giveUpSigning() error {
	err := l.change(func(w *v1alpha1.Chatt2Webhook) { w.Spec.RequiresSignature, w.Spec.SigningSecret = false, nil })
	if err != nil {
		return err
	}
	return l.until("the signing Secret goes", func() (bool, error) {
		key := client.ObjectKey{Namespace: l.in, Name: l.webhook.Name + "-signing"}
		return gone(l.Get(l.Context(), key, &corev1.Secret{}))
	})
}

// remove deletes the webhook, and the API key before it where that is kept until it is no longer needed.
func (l *life) remove() error {
	key := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: l.in, Name: "key"}}
	order := []client.Object{key, l.webhook}
	if l.unwatched {
		order = []client.Object{l.webhook}
	}
	for _, object := range order {
		if err := l.Delete(l.Context(), object); err != nil {
			return err
		}
	}
	for _, object := range order {
		err := l.until(object.GetName()+" goes", func() (bool, error) {
			return gone(l.Get(l.Context(), client.ObjectKeyFromObject(object), object))
		})
		if err != nil {
			return err
		}
	}
	if n := len(l.hub.Webhooks(l.app.ID)); n > 0 {
		return fmt.Errorf("%d webhooks are left on the Hub", n)
	}
	return nil
}

// endpoint serves the reference receiver.
func (s *site) endpoint() string {
	s.Helper()
	r, err := receiver.New(receiver.Options{Path: receiver.DefaultPath, Now: time.Now})
	s.Expect(err).NotTo(HaveOccurred())
	server := httptest.NewTLSServer(r.Handler())
	s.Cleanup(server.Close)
	return server.URL + receiver.DefaultPath
}
