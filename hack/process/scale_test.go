package process_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// webhooks creates n resources whose names begin alike.
func (w *world) webhooks(n int, prefix string, change ...func(*v1alpha1.Chatt2Webhook)) []*v1alpha1.Chatt2Webhook {
	w.Helper()
	all := make([]*v1alpha1.Chatt2Webhook, n)
	for i := range all {
		all[i] = w.webhook(fmt.Sprintf("%s-%d", prefix, i), change...)
	}
	return all
}

func TestASlowApplicationDoesNotHoldAnotherUp(t *testing.T) {
	w := newShard(t)
	key := w.canary()
	slow := w.hub.AddApplication("slow", key)
	w.secret(w.namespace, "slow-key", "apiKey", key)
	w.must(w.hub.AddFault(simulator.Fault{
		Kind: simulator.Slow, Match: simulator.Match{Application: "slow", Operation: "createWebhook"},
		Delay: simulator.Duration(3 * time.Second),
	}))
	w.start(w.install(), "--max-concurrent-reconciles=4")
	const many = 20
	w.webhooks(many, "slow", func(c *v1alpha1.Chatt2Webhook) { c.Spec.APIKeySecretRef.Name = "slow-key" })
	w.Eventually(func() int { return len(w.hub.Requests(simulator.ByApplication("slow"), simulator.Mutating)) }).ShouldNot(BeZero())

	for _, c := range w.webhooks(5, "quick") {
		w.ready(c)
	}
	if there := len(w.hub.Webhooks(slow.ID)); there > many/2 {
		t.Errorf("%d of %d slow registrations were made before five quick ones", there, many)
	}
}

func TestTwoShardsThatAreToldTheirShareKeepWithinTheBudgetOfAKey(t *testing.T) {
	w := newWorld(t)
	of := func(part string) func(*v1alpha1.Chatt2Webhook) {
		return func(c *v1alpha1.Chatt2Webhook) { c.Labels["part"] = part }
	}
	const each, share, burst = 20, 4, 2
	i := w.install()
	for _, part := range []string{"a", "b"} {
		w.start(i, "--watch-label-selector=part="+part, "--leader-elect",
			fmt.Sprintf("--hub-qps=%d", share), fmt.Sprintf("--hub-burst=%d", burst))
	}
	all := append(w.webhooks(each, "a", of("a")), w.webhooks(each, "b", of("b"))...)
	for _, c := range all {
		w.ready(c)
	}
	w.Expect(w.onHub()).To(HaveLen(2*each), "one webhook for each resource")
	calls := w.hub.Requests()
	for from := range calls {
		// In no stretch of time are there more calls than two shares and two bursts.
		for to := from + 1; to < len(calls); to++ {
			took := calls[to].ReceivedAt.Sub(calls[from].ReceivedAt).Seconds()
			if n := float64(to - from + 1); n > 2*burst+2*share*(took+0.5) {
				t.Fatalf("%v calls in %.2f s, by two shards with %d a second each", n, took, share)
			}
		}
	}
}

func TestAReplicaThatTakesOverAmongManyRotationsLosesNoneAndListsOnce(t *testing.T) {
	w := newShard(t)
	i := w.install()
	flags := []string{"--leader-elect", "--hub-poll-interval=1m", "--hub-qps=20", "--hub-burst=1"}
	first := w.start(i, flags...)
	w.Eventually(func() string { return w.holder(i) }).ShouldNot(BeEmpty())
	const many = 60
	all := w.webhooks(many, "signed", signed)
	for _, c := range all {
		w.ready(c)
	}
	w.start(i, flags...)
	for _, c := range all {
		w.requestRotation(c, "once")
	}
	redefined := func() int { return w.hub.Count("redefineSignature") }
	w.Eventually(redefined).Should(BeNumerically(">", many/3))
	first.kill()
	w.hub.ClearRequests()
	done := redefined()

	for _, c := range all {
		w.rotated(c, "once")
		w.holdsLiveSecret(c)
	}
	w.Expect(w.hub.Lifetimes()).To(HaveLen(many), "a second webhook was registered")
	// Those that the first one had begun are made once more, as nobody knows how they ended.
	if n := redefined() - done; n > many {
		t.Errorf("%d secrets were made after the take-over", n)
	}
	creates := w.hub.Requests(simulator.ByOperation("createWebhook"))
	w.Expect(creates).To(BeEmpty())
	listings := w.hub.Requests(simulator.ByOperation("listWebhooks"))
	slices.SortFunc(listings, func(a, b simulator.Request) int { return a.ReceivedAt.Compare(b.ReceivedAt) })
	took := listings[len(listings)-1].ReceivedAt.Sub(listings[0].ReceivedAt)
	if pages := 2 * (1 + int(took/time.Minute)); len(listings) > 2*pages {
		t.Errorf("%d listing calls in %s by the one who took over", len(listings), took)
	}
}
