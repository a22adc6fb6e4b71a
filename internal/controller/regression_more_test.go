package controller_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/controller"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

func inTheShard(w *world, name string) {
	w.shard = map[string]string{"shard": name}
}

func inShard(name string) func(*v1alpha1.Chatt2Webhook) {
	return func(c *v1alpha1.Chatt2Webhook) { c.Labels = map[string]string{"shard": name} }
}

// Once two resources of two shards for the same thing: the second is told nothing and looks each second for ever.
func TestAConflictAcrossShardsIsTold(t *testing.T) {
	w := newWorld(t, func(w *world) { inTheShard(w, "a") })
	var lists atomic.Int32
	w.intercept(func(r *http.Request) *http.Response {
		if strings.Contains(r.URL.RawQuery, "status.webhookID") {
			lists.Add(1)
		}
		return nil
	})
	w.run()
	first := w.webhook("orders", inShard("a"))
	w.ready(first)
	w.stop()
	inTheShard(w, "b")
	w.run()
	second := w.webhook("second", inShard("b"), func(c *v1alpha1.Chatt2Webhook) {
		c.Spec.Label, c.Spec.Endpoint = first.Spec.Label, first.Spec.Endpoint
	})
	w.reason(second, v1alpha1.ConditionReady, v1alpha1.ReasonConflict)
	before := lists.Load()
	<-time.After(3 * time.Second)
	w.Expect(lists.Load()-before).To(BeNumerically("<=", 1), "live look-ups in 3 s")
}

// Once a resource that is deleted with an open intent deletes the webhook of a resource of another shard.
func TestAnotherShardsWebhookIsNotDeleted(t *testing.T) {
	w := newWorld(t, func(w *world) { inTheShard(w, "a") })
	w.Expect(w.hub.AddFault(simulator.Fault{
		Kind: simulator.DropBeforeCommit, Times: 1, Match: simulator.Match{Operation: "createWebhook"},
	})).To(Succeed())
	w.options = func(op *controller.Operator) { op.Options.Settings.SettleTime = 20 * time.Second }
	// The older of the two: the younger would not be registered.
	other := w.webhook("other", inShard("b"))
	w.run()
	lost := w.webhook("younger", inShard("a"))
	w.Eventually(func() int { return w.hub.Count("createWebhook") }).Should(Equal(1))
	w.stop()
	w.options = func(*controller.Operator) {}
	w.change(other, func(c *v1alpha1.Chatt2Webhook) {
		c.Spec.Label, c.Spec.Endpoint = lost.Spec.Label, lost.Spec.Endpoint
	})
	inTheShard(w, "b")
	w.run()
	id := w.ready(other).Status.WebhookID
	w.stop()
	inTheShard(w, "a")
	w.Expect(w.Delete(w.Context(), lost)).To(Succeed())
	w.run()
	w.gone(lost)
	if on := w.onHub(); len(on) != 1 || on[0].ID != id {
		w.Errorf("the webhook of %s was deleted: %v", other.Name, w.events(lost))
	}
}

// Once a previous secret outlives its overlap while the resource is suspended or refused.
func TestThePreviousSecretGoesWhileNothingIsAskedOfTheHub(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders", signed, func(c *v1alpha1.Chatt2Webhook) {
		c.Spec.SigningSecret = &v1alpha1.SigningSecret{Rotation: v1alpha1.Rotation{Overlap: "4s"}}
	})
	w.ready(c)
	w.annotate(c, v1alpha1.AnnotationRotateRequestedAt, "one")
	w.rotated(c, "one")
	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.Suspend = true })
	w.Eventually(func() map[string][]byte {
		return w.secret("orders-signing").Data
	}).ShouldNot(HaveKey(v1alpha1.SecretKeyPrevious))
}

// Once a request to look again does not try a refused key again, but counts as answered.
func TestARequestProbesARefusedKey(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders")
	w.ready(c)
	w.Expect(w.hub.AddFault(simulator.Fault{Kind: simulator.ErrorBeforeCommit, Status: 401})).To(Succeed())
	w.reason(c, "Ready", v1alpha1.ReasonAPIKeyRefused)
	w.hub.ClearFaults()
	w.annotate(c, v1alpha1.AnnotationReconcileRequestedAt, "now")
	w.eventually(c, "ready", func(now *v1alpha1.Chatt2Webhook) bool {
		return now.IsReady() && now.Status.LastHandledReconcileAt == "now"
	})
}

// Once the second half of a nudge that finds no token is told as a drift.
func TestANudgeWithoutATokenIsNoDrift(t *testing.T) {
	w := newWorld(t)
	w.endpoint.set(false)
	w.options = func(op *controller.Operator) { op.QPS, op.Burst = 2, 1 }
	w.polled(time.Minute)
	w.run()
	c := w.webhook("orders")
	w.reason(c, v1alpha1.ConditionSynced, v1alpha1.ReasonSynced)
	for _, request := range []string{"one", "two", "three"} {
		w.annotate(c, v1alpha1.AnnotationReconcileRequestedAt, request)
		w.eventually(c, "served", func(now *v1alpha1.Chatt2Webhook) bool { return now.Status.LastHandledReconcileAt == request })
	}
	<-time.After(3 * time.Second)
	if events := w.events(c); slices.Contains(events, v1alpha1.EventDriftCorrected) {
		w.Errorf("events: %v", events)
	}
}

// Once a header value that was sent by an earlier call comes back in the refusal of a later one.
func TestAHeaderSentEarlierIsNotRepeated(t *testing.T) {
	w := newWorld(t)
	const value = "hunter2-token"
	w.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "auth"}, Data: map[string][]byte{"token": []byte(value)}})
	w.transport = func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Method != http.MethodPatch {
				return next.RoundTrip(r)
			}
			return &http.Response{
				StatusCode: http.StatusBadRequest, Request: r, Header: http.Header{"Content-Type": {"application/json"}},
				Body: io.NopCloser(strings.NewReader(`{"message":"webhook with header X-Auth: ` + value + ` cannot change"}`)),
			}, nil
		})
	}
	w.run()
	c := w.webhook("orders", func(c *v1alpha1.Chatt2Webhook) {
		c.Spec.Headers = []v1alpha1.Header{{Key: "X-Auth", ValueFrom: &v1alpha1.HeaderSource{SecretKeyRef: &v1alpha1.KeyReference{Name: "auth", Key: "token"}}}}
	})
	w.ready(c)
	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.EventType = v1alpha1.EventTypeMessageStatus })
	if m := w.reason(c, v1alpha1.ConditionSynced, v1alpha1.ReasonRejected); strings.Contains(m, value) {
		w.Errorf("status says: %s", m)
	}
}
