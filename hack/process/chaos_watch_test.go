package process_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/faultproxy"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// How many calls of a hundred go wrong.
const (
	hubFaults  = 15
	kubeFaults = 7
)

// latest is how late a call to the Hub is carried out or answered, beyond the time-out and well before it settles.
const latest = 2 * time.Second

// standBetween puts proxies between the operator and the Hub, and between it and the API server.
func (c *chaos) standBetween() {
	c.Helper()
	hub, err := url.Parse(c.hub.URL)
	c.must(err)
	c.hubWay = faultproxy.New(hub, c.hub.Client.Transport, func(*http.Request) (faultproxy.Fault, time.Duration) {
		return c.fault(hubFaults, faultproxy.Faults)
	})
	c.hubURL = c.serve(c.hubWay)

	kube, err := url.Parse(c.i.access.Host)
	c.must(err)
	transport, err := rest.TransportFor(rest.AnonymousClientConfig(shared.Config))
	c.must(err)
	c.kubeWay = faultproxy.New(kube, transport, func(r *http.Request) (faultproxy.Fault, time.Duration) {
		// A lease that cannot be renewed ends the process, which is a case of its own.
		if r.Method == http.MethodGet || strings.Contains(r.URL.Path, "/leases") {
			return faultproxy.None, 0
		}
		return c.fault(kubeFaults, []faultproxy.Fault{
			faultproxy.Cut, faultproxy.ErrorBefore, faultproxy.Lost, faultproxy.Half, faultproxy.ErrorAfter,
		})
	})
	c.i.access = rest.CopyConfig(c.i.access)
	c.i.access.Host, c.i.access.CAData = c.serve(c.kubeWay), c.hub.CAPEM
}

// serve serves a proxy by HTTPS. Every server of httptest has the certificate that the Hub has.
func (c *chaos) serve(p *faultproxy.Proxy) string {
	server := httptest.NewUnstartedServer(p)
	server.Config.ErrorLog = discard
	server.StartTLS()
	c.Cleanup(func() {
		server.CloseClientConnections()
		p.Close()
		server.Close()
	})
	return server.URL
}

// fault is what becomes of a call.
func (c *chaos) fault(often int, kinds []faultproxy.Fault) (faultproxy.Fault, time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.faulty || c.random.IntN(100) >= often {
		return faultproxy.None, 0
	}
	c.spoilt++
	return kinds[c.random.IntN(len(kinds))], time.Duration(c.random.Int64N(int64(latest)))
}

// watch holds the world to what must hold at every moment, until it is told to stop.
func (c *chaos) watch() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for said := map[string]bool{}; ; {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			c.mu.Lock()
			there, paused := maps.Clone(c.there), c.paused
			c.mu.Unlock()
			for name, resource := range there {
				if ids := c.ours(resource.Spec.Label); len(ids) > 1 && !paused && !said[name] {
					said[name] = true
					c.Errorf("%s has %d webhooks at once: %v\n%s", name, len(ids), ids, c.told(resource.Spec.Label))
				}
				if text := c.secretIsWrong(ctx, resource); text != "" && !said[name+text] {
					said[name+text] = true
					c.Errorf("%s: %s", name, text)
				}
			}
		}
	}()
	stop = func() {
		cancel()
		<-done
	}
	c.Cleanup(stop)
	return stop
}

// told is what was asked of the Hub about the webhooks of a label, for whoever looks for a cause.
func (c *chaos) told(label string) string {
	ids := c.ours(label)
	var all strings.Builder
	for _, r := range c.hub.Requests(simulator.Mutating) {
		if r.Body["label"] == label || slices.Contains(ids, r.WebhookID) {
			fmt.Fprintf(&all, "%s %s %s committed %s answered %s: %d %v\n", r.ReceivedAt.Format(time.TimeOnly+".000"),
				r.Operation, r.WebhookID, r.CommittedAt.Format(time.TimeOnly+".000"), r.AnsweredAt.Format(time.TimeOnly+".000"),
				r.Status, r.Body["endpoint"])
		}
	}
	return all.String()
}

// secretIsWrong tells of a Secret that is not what the Hub signs with although nothing durable says that it may not be.
func (c *chaos) secretIsWrong(ctx context.Context, resource *v1alpha1.Chatt2Webhook) string {
	now, secret := &v1alpha1.Chatt2Webhook{}, &corev1.Secret{}
	if deleted(now, c.Get(ctx, client.ObjectKeyFromObject(resource), now)) || !now.Spec.RequiresSignature {
		return ""
	}
	id := now.Status.WebhookID
	before := c.hub.SecretOf(id)
	err := c.Get(ctx, client.ObjectKey{Namespace: c.namespace, Name: now.SigningSecretName()}, secret)
	// The Hub's secret was the same before and after, and so while the Secret was read.
	if deleted(secret, err) || before == "" || c.hub.SecretOf(id) != before {
		return ""
	}
	_, rotating := secret.Annotations[v1alpha1.AnnotationRotationStartedAt]
	live := slices.Equal(secret.Data[v1alpha1.SecretKeyCurrent], []byte(before))
	c.mu.Lock()
	defer c.mu.Unlock()
	was, tampered := c.tampered[now.Name]
	// What is as it was before is about to be changed.
	if live && secret.ResourceVersion != was {
		delete(c.tampered, now.Name)
	}
	if live || rotating || tampered || secret.Annotations[v1alpha1.AnnotationWebhookID] != id {
		return ""
	}
	return "the Secret is not what the Hub signs with, and nothing says so"
}
