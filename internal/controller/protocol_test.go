package controller_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// Only a GET that says so proves a webhook gone, whatever a listing does not show.
func TestALookThatFailsDoesNotMakeAWebhookGone(t *testing.T) {
	w := newWorld(t)
	hidden := make(chan struct{})
	w.transport = func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			answer, err := next.RoundTrip(r)
			select {
			case <-hidden:
				if err == nil && r.Method == http.MethodGet && r.URL.Query().Has("offset") {
					_ = answer.Body.Close()
					answer.ContentLength = -1
					answer.Body = io.NopCloser(bytes.NewReader([]byte(`{"data":[],"pagination":{"total":0}}`)))
				}
			default:
			}
			return answer, err
		})
	}
	w.run()
	c := w.webhook("orders")
	id := w.ready(c).Status.WebhookID
	w.stop()
	// A new process knows nothing of the webhook but its id.
	close(hidden)
	w.Expect1(w.hub.AddFault(simulator.Fault{
		Kind: simulator.ErrorBeforeCommit, Status: 500, Times: 3, Match: simulator.Match{Operation: "getWebhook"},
	}))
	looks := w.hub.Count("getWebhook")
	w.run()
	w.Eventually(func() int { return w.hub.Count("getWebhook") - looks }).Should(BeNumerically(">", 3))
	w.annotate(c, v1alpha1.AnnotationReconcileRequestedAt, "now")
	now := w.eventually(c, "looked at", func(now *v1alpha1.Chatt2Webhook) bool {
		return now.Status.LastHandledReconcileAt == "now"
	})
	w.Expect(now.Status.WebhookID).To(Equal(id))
	w.Expect(w.hub.Lifetimes()).To(HaveLen(1), "a second webhook was registered")
}

// What a receiver may still need is kept until another secret is known to be the one.
func TestThePreviousSecretOutlivesAnAttemptOfUnknownOutcome(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders", signed)
	w.ready(c)
	before := w.secret("orders-signing").Data[v1alpha1.SecretKeyCurrent]
	w.Expect1(w.hub.AddFault(simulator.Fault{
		Kind: simulator.DropAfterCommit, Times: 2, Match: simulator.Match{Operation: "redefineSignature"},
	}))
	w.annotate(c, v1alpha1.AnnotationRotateRequestedAt, "now")
	now := w.rotated(c, "now")
	w.holdsLiveSecret(now)
	w.Expect(w.secret("orders-signing").Data).To(HaveKeyWithValue(v1alpha1.SecretKeyPrevious, before))
	w.Expect(w.hub.Count("redefineSignature")).To(Equal(3), "two that were lost, one that counts")
}
