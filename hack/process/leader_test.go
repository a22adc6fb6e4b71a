package process_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// holder is who leads in an installation, nobody when empty.
func (w *world) holder(i *installation) string {
	w.Helper()
	var leases coordinationv1.LeaseList
	w.must(w.List(w.Context(), &leases, client.InNamespace(i.namespace)))
	if len(leases.Items) == 0 || leases.Items[0].Spec.HolderIdentity == nil {
		return ""
	}
	w.Expect(leases.Items).To(HaveLen(1))
	return *leases.Items[0].Spec.HolderIdentity
}

func TestOneOfTwoReplicasActsAndTheOtherTakesOver(t *testing.T) {
	w := newShard(t)
	i := w.install()
	first := w.start(i, "--leader-elect")
	w.Eventually(func() string { return w.holder(i) }).ShouldNot(BeEmpty())
	second := w.start(i, "--leader-elect")

	w.ready(w.webhook("first", signed))
	w.Eventually(first.log.all).Should(ContainSubstring("Registered webhook"))
	w.Expect(second.log.all()).NotTo(ContainSubstring("Starting Controller"), "the replica that does not lead works")

	w.slow(time.Minute)
	c := w.webhook("orders", signed)
	w.underWay(c)
	leader := w.holder(i)
	first.kill()
	now := w.ready(c)
	w.Expect(w.holder(i)).NotTo(Or(BeEmpty(), Equal(leader)))
	w.Expect(w.onHub()).To(HaveLen(2), "one webhook for each resource")
	w.Expect(w.hub.Lifetimes()).To(HaveLen(2), "a second webhook was registered")
	w.Expect(w.onHub()[1].ID).To(Equal(now.Status.WebhookID))
	w.holdsLiveSecret(c)

	w.handsOver(i, second)
}

// handsOver asks a leader to stop while it registers a webhook: it does so when that is recorded, and lets the next one
// lead at once.
func (w *world) handsOver(i *installation, leading *operator) {
	w.Helper()
	next := w.start(i, "--leader-elect")
	leader := w.holder(i)
	w.slow(2 * time.Second)
	c := w.webhook("third")
	w.underWay(c)
	code, _ := leading.terminate(patience)
	w.Expect(code).To(BeZero(), "exit code: %s", leading.log)
	w.Expect(w.get(c).Status.WebhookID).NotTo(BeEmpty(), "the step under way was not ended")
	w.Expect(w.holder(i)).NotTo(Equal(leader), "the lease is not released")
	w.Eventually(func() string { return w.holder(i) }).ShouldNot(Or(BeEmpty(), Equal(leader)))
	w.ready(w.webhook("fourth"))
	w.Eventually(next.log.all).Should(ContainSubstring("Registered webhook"))
	w.Expect(w.hub.Lifetimes()).To(HaveLen(4), "one webhook for each resource")
}
