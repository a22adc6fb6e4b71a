package process_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// recheck is how long a change that only another shard watches may take to be observed, on a busy machine.
const recheck = 4 * time.Minute

// claimants are two resources of different shards that declare the same webhook.
type claimants struct{ first, second *v1alpha1.Chatt2Webhook }

// TestOfWhatTwoShardsDeclareAtOnceOneWebhookStays covers registrations that overlap: the Hub answers late and shows
// late what it made, and no look-up by the endpoint finds a resource that spells it another way.
func TestOfWhatTwoShardsDeclareAtOnceOneWebhookStays(t *testing.T) {
	w := newShard(t)
	i := w.install()
	for _, part := range []string{"a", "b"} {
		w.start(i, fmt.Sprintf("--watch-label-selector=%s=%s,part=%s", shard, w.namespace, part), "--leader-elect",
			"--max-concurrent-reconciles=16")
	}
	w.must(w.hub.AddFault(simulator.Fault{
		Kind: simulator.Slow, Match: simulator.Match{Operation: "createWebhook"}, Delay: simulator.Duration(time.Second),
	}))
	w.hub.SetVariants(simulator.Variants{ReadLag: simulator.Duration(4 * time.Second)})
	var pairs []claimants
	for n := range 12 {
		pairs = append(pairs, w.claimants(n))
	}

	var owners, others []*v1alpha1.Chatt2Webhook
	for _, pair := range pairs {
		owner, other := w.decided(pair)
		owners, others = append(owners, owner), append(others, other)
	}
	w.onlyThese(owners)
	created := w.hub.Count("createWebhook")
	w.Expect(created).To(BeNumerically(">", len(pairs)), "no two registrations overlapped")
	w.Logf("%d registrations for %d webhooks", created, len(pairs))

	// What another shard has had registered becomes free.
	for _, owner := range owners {
		w.must(w.Delete(w.Context(), owner))
	}
	for n, owner := range owners {
		w.gone(owner)
		w.Eventually(func() bool { return w.get(others[n]).IsReady() }, recheck).Should(BeTrue(), func() string {
			return fmt.Sprintf("it does not register what %s gave up: %+v", owner.Name, w.get(others[n]))
		})
		others[n] = w.get(others[n])
	}
	w.onlyThese(others)
	for _, other := range others {
		w.must(w.Delete(w.Context(), other))
		w.gone(other)
	}
	w.Expect(w.onHub()).To(BeEmpty())
}

// claimants creates two resources that declare the same, in both orders of shards and of names: at once, or the second
// when the first one's registration is under way, or with the endpoint spelled another way.
func (w *world) claimants(n int) claimants {
	w.Helper()
	parts, names := []string{"a", "b"}, []string{"x", "y"}
	part, name := n%2, n/2%2
	label := fmt.Sprintf("pair-%d", n)
	declare := func(part, name, endpoint string) *v1alpha1.Chatt2Webhook {
		return w.webhook(label+"-"+name, func(c *v1alpha1.Chatt2Webhook) {
			c.Labels["part"] = part
			c.Spec.Label, c.Spec.Endpoint, c.Spec.RequiresSignature = label, w.endpoint+endpoint, n%3 == 0
		})
	}
	path, spelled := "/"+label, "/"+label
	first := declare(parts[part], names[name], path)
	switch n / 4 {
	case 1:
		w.Eventually(func() []simulator.Request {
			return w.hub.Requests(simulator.ByOperation("createWebhook"), func(r simulator.Request) bool {
				return r.Committed && r.Body["label"] == label
			})
		}).WithPolling(5*time.Millisecond).ShouldNot(BeEmpty(), "%s is not registered: %s", label, w.logs())
	case 0:
		spelled = "/./" + label
	}
	return claimants{first, declare(parts[1-part], names[1-name], spelled)}
}

// decided waits until one of two resources is ready and the other one names it in its conflict.
func (w *world) decided(pair claimants) (owner, other *v1alpha1.Chatt2Webhook) {
	w.Helper()
	w.Eventually(func() bool {
		owner, other = w.get(pair.first), w.get(pair.second)
		if other.IsReady() {
			owner, other = other, owner
		}
		synced := meta.FindStatusCondition(other.Status.Conditions, v1alpha1.ConditionSynced)
		return owner.IsReady() && other.Status.WebhookID == "" && synced != nil &&
			synced.Reason == v1alpha1.ReasonConflict && strings.Contains(synced.Message, w.namespace+"/"+owner.Name)
	}, recheck).Should(BeTrue(), func() string {
		return fmt.Sprintf("%s: %+v\n%s: %+v", owner.Name, owner.Status, other.Name, other.Status)
	})
	return owner, other
}

// onlyThese asserts that the Hub has the webhooks of these resources, and no other one.
func (w *world) onlyThese(owners []*v1alpha1.Chatt2Webhook) {
	w.Helper()
	var there, wanted []string
	for _, webhook := range w.onHub() {
		there = append(there, webhook.ID)
	}
	for _, owner := range owners {
		wanted = append(wanted, owner.Status.WebhookID)
		w.Expect(w.hub.Requests(simulator.ByOperation("deleteWebhook"), simulator.ByWebhook(owner.Status.WebhookID))).
			To(BeEmpty(), "a shard deletes the webhook of %s", owner.Name)
		if owner.Spec.RequiresSignature {
			w.holdsLiveSecret(owner)
		}
	}
	w.Expect(there).To(ConsistOf(wanted))
}
