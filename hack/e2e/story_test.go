package e2e

import (
	"encoding/json"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// tell tells the main story, from the sample that was applied to a rotation that outlives its leader.
func (h *hub) tell() {
	h.Helper()
	h.kubectl("wait", "c2w/sample", "--for=condition=Ready", "--timeout", patience.String())
	webhook := h.webhook(h.WithT)
	h.Expect(webhook.Status.IsVerified).To(BeTrue())
	h.Expect(h.webhooks(h.WithT)).To(ConsistOf(webhook.Status.WebhookID))
	h.accepted()
	h.step("signed events are accepted")

	// Without an overlap only the secret that the Hub signs with now is good.
	h.kubectl("patch", "c2w/sample", "--type=merge", "--patch", `{"spec":{"signingSecret":{"rotation":{"overlap":"1s"}}}}`)
	first := h.signingSecret(h.WithT).Data[v1alpha1.SecretKeyCurrent]
	h.rotate("first")
	h.rotated("first", first)
	h.step("a rotation has ended")

	second := h.signingSecret(h.WithT).Data[v1alpha1.SecretKeyCurrent]
	killed := h.killLeaderWhileItRotates("second")
	h.rotated("second", second)
	h.Expect(h.leader(h.WithT)).NotTo(Equal(killed))
	h.Expect(h.webhooks(h.WithT)).To(ConsistOf(webhook.Status.WebhookID))
	h.step("a rotation has outlived its leader")
}

func (h *hub) rotate(request string) {
	h.Helper()
	h.kubectl("annotate", "c2w/sample", "--overwrite", v1alpha1.AnnotationRotateRequestedAt+"="+request)
}

// rotated waits for the end of a rotation: the secret is another one, alone, and the one that the Hub signs with.
func (h *hub) rotated(request string, before []byte) {
	h.Helper()
	h.Eventually(func(g Gomega) {
		webhook := h.webhook(g)
		g.Expect(webhook.IsReady()).To(BeTrue())
		g.Expect(webhook.Status.LastHandledRotateAt).To(BeEquivalentTo(request))
		secret := h.signingSecret(g)
		g.Expect(secret.Annotations).NotTo(HaveKey(v1alpha1.AnnotationRotationStartedAt))
		g.Expect(secret.Data).To(HaveLen(1), "the previous secret goes")
		g.Expect(secret.Data[v1alpha1.SecretKeyCurrent]).NotTo(Equal(before))
	}).Should(Succeed())
	h.accepted()
}

// killLeaderWhileItRotates kills the leader between the redefinition on the Hub and its answer, when the stored secret
// is dead.
func (h *hub) killLeaderWhileItRotates(request string) (killed string) {
	h.Helper()
	h.spoil(simulator.Fault{
		Kind: simulator.Slow, Match: simulator.Match{Operation: "redefineSignature"}, Times: 1,
		Delay: simulator.Duration(time.Minute), // longer than the operator waits
	})
	killed = h.leader(h.WithT)
	h.rotate(request)
	h.Eventually(func(g Gomega) { g.Expect(h.spoils(g)).To(BeFalse()) }).WithPolling(interval / 5).Should(Succeed())
	h.Expect(h.signingSecret(h.WithT).Annotations).To(HaveKey(v1alpha1.AnnotationRotationStartedAt))

	pod := &corev1.Pod{}
	pod.Namespace, pod.Name = h.namespace, killed
	h.Expect(h.Delete(h.Context(), pod, client.GracePeriodSeconds(0))).To(Succeed())

	h.Eventually(func(g Gomega) { g.Expect(h.leader(g)).NotTo(Equal(killed)) }).Should(Succeed())
	h.Eventually(func(g Gomega) { g.Expect(h.pods(g, h.operator)).To(HaveLen(2)) }).Should(Succeed())
	return killed
}

// removed deletes the sample, and asserts that nothing of it is left.
func (h *hub) removed() {
	h.Helper()
	h.kubectl("delete", "c2w", "--all", "--timeout", patience.String())
	h.Expect(h.webhooks(h.WithT)).To(BeEmpty())
	h.Eventually(func(g Gomega) { g.Expect(h.held(g)).To(BeEmpty()) }).Should(Succeed())
}

// held are the Secrets of the namespace that carry a finalizer or belong to a webhook.
func (s *stage) held(g Gomega) []string {
	secrets := &corev1.SecretList{}
	g.Expect(s.List(s.Context(), secrets, client.InNamespace(s.namespace))).To(Succeed())
	var held []string
	for _, secret := range secrets.Items {
		if len(secret.Finalizers)+len(secret.OwnerReferences) > 0 {
			held = append(held, secret.Name)
		}
	}
	return held
}

// step says how long the test has come.
func (s *stage) step(what string) {
	s.Helper()
	s.Logf("%s: %s", time.Now().Format(time.TimeOnly), what)
}

// state is what must not change without a reason: the webhook on the Hub, and the secret.
func (s *stage) state() string {
	s.Helper()
	webhook := s.webhook(s.WithT)
	content, err := json.Marshal([]any{webhook.UID, webhook.Status.WebhookID, s.signingSecret(s.WithT).Data})
	s.Expect(err).NotTo(HaveOccurred())
	return string(content)
}
