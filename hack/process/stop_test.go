package process_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// slow makes the Hub carry out the next registration and answer it late.
func (w *world) slow(answer time.Duration) {
	w.Helper()
	w.must(w.hub.AddFault(simulator.Fault{
		Kind: simulator.Slow, Match: simulator.Match{Operation: "createWebhook"}, Times: 1, Delay: simulator.Duration(answer),
	}))
}

// underWay waits until the Hub has carried out the registration of a resource whose answer is slow.
func (w *world) underWay(c *v1alpha1.Chatt2Webhook) {
	w.Helper()
	w.Eventually(func() int {
		return len(w.hub.Requests(simulator.ByOperation("createWebhook"), func(r simulator.Request) bool {
			return r.Committed && r.AnsweredAt.IsZero() && r.Body["label"] == c.Spec.Label
		}))
	}).WithPolling(5*time.Millisecond).Should(Equal(1), "the registration is not under way: %s", w.logs())
	w.Expect(w.get(c).Status.WebhookID).To(BeEmpty())
}

func TestSIGTERMLetsTheStepUnderWayEnd(t *testing.T) {
	w := newShard(t)
	o := w.start(w.install(), "--hub-timeout=20s", "--hub-settle-time=30s")
	w.slow(2 * time.Second)
	c := w.webhook("orders", signed)
	w.underWay(c)

	code, took := o.terminate(30 * time.Second)

	w.Expect(code).To(BeZero(), "exit code after %s: %s", took, o.log)
	w.Expect(w.onHub()).To(HaveLen(1))
	w.Expect(w.get(c).Status.WebhookID).To(Equal(w.onHub()[0].ID), "the id is recorded")
	w.holdsLiveSecret(c)
}

func TestARegistrationThatAKilledProcessBeganIsAdoptedByTheNext(t *testing.T) {
	w := newShard(t)
	i := w.install()
	o := w.start(i)
	w.slow(time.Minute)
	c := w.webhook("orders", signed)
	w.underWay(c)

	o.kill()
	w.Expect(w.get(c).Status.WebhookID).To(BeEmpty(), "the killed process recorded the id")
	w.start(i)

	now := w.ready(c)
	w.Expect(w.hub.Lifetimes()).To(HaveLen(1), "a second webhook was registered")
	w.Expect(w.onHub()[0].ID).To(Equal(now.Status.WebhookID))
	w.holdsLiveSecret(c)
	w.Eventually(func() []string { return w.events(c) }).Should(ContainElement(v1alpha1.EventAdopted))
}

func TestARotationThatAKilledProcessBeganEndsInALiveSecret(t *testing.T) {
	w := newShard(t)
	i := w.install()
	o := w.start(i)
	c := w.webhook("orders", signed)
	id := w.ready(c).Status.WebhookID
	before := w.hub.SecretOf(id)
	w.must(w.hub.AddFault(simulator.Fault{
		Kind: simulator.DropAfterCommit, Match: simulator.Match{Operation: "redefineSignature"}, Times: 1, Hold: true,
	}))
	w.requestRotation(c, "once")
	w.Eventually(func() string { return w.hub.SecretOf(id) }).WithPolling(5 * time.Millisecond).ShouldNot(Equal(before))

	o.kill()
	s := w.read(w.namespace, c.SigningSecretName())
	w.Expect(string(s.Data[v1alpha1.SecretKeyCurrent])).To(Equal(before), "the killed process stored the new secret")
	w.Expect(s.Annotations).To(HaveKey(v1alpha1.AnnotationRotationStartedAt), "what says that it may be dead")
	w.start(i)

	w.rotated(c, "once")
	w.holdsLiveSecret(c)
	w.Expect(w.hub.Count("redefineSignature")).To(Equal(2), "one for the rotation, one for the crash")
}
