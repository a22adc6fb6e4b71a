package process_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/faultproxy"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

const (
	// chaosSteps is how many things happen in a round.
	chaosSteps = 30
	// chaosPatience is how long a round may take to come to rest, once nothing goes wrong any more.
	chaosPatience = 3 * time.Minute
	// pauseTime is how long a leader is paused: longer than its lease of 15 s lasts, and than the next one asks for it.
	pauseTime = 18 * time.Second
)

// chaos is a world in which two replicas are killed, paused and cut off while users change their minds.
type chaos struct {
	*world
	i *installation
	// hubWay and kubeWay stand before the Hub and the API server.
	hubWay, kubeWay *faultproxy.Proxy
	replicas        [2]*operator
	strangers       []simulator.Webhook

	mu     sync.Mutex
	random *rand.Rand
	// faulty: calls go wrong.
	faulty bool
	// paused: a leader was paused past its lease. Its calls may come as late as it likes then.
	paused bool
	// there are the resources that are to be there, by name.
	there map[string]*v1alpha1.Chatt2Webhook
	// tampered are the resources whose Secret somebody else has changed, with the resourceVersion that it had before,
	// until it was put right.
	tampered map[string]string
	made     int
	// spoilt is how many calls went wrong.
	spoilt int
}

// TestChaos plays rounds of CHAOS_ROUNDS seeds from CHAOS_SEED on. The seed fixes what happens in which order;
// processes and networks keep their own time.
func TestChaos(t *testing.T) {
	for round := range number(t, "CHAOS_ROUNDS", 1) {
		seed := number(t, "CHAOS_SEED", 1) + round
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { playChaos(t, uint64(seed)) })
	}
}

// number is a number of the environment.
func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	n, err := strconv.Atoi(cmp.Or(os.Getenv(name), strconv.Itoa(otherwise)))
	if err != nil || n < 1 {
		t.Fatalf("%s must be a number above 0: %v", name, err)
	}
	return n
}

func playChaos(t *testing.T, seed uint64) {
	c := newChaos(t, seed)
	stop := c.watch()
	c.setFaulty(true)
	pauseAt := chaosSteps/2 + c.roll(chaosSteps/3)
	for step := range chaosSteps {
		if step == pauseAt {
			c.pauseLeader()
		}
		c.act()
		// A moment, in which anything may be under way at the next blow.
		<-time.After(time.Duration(50+c.roll(700)) * time.Millisecond)
	}
	c.setFaulty(false)
	c.kubeWay.ReleaseWatches()
	c.comesToRest()
	stop()
	c.goesWithItsNamespace()
}

func newChaos(t *testing.T, seed uint64) *chaos {
	t.Helper()
	w := newShard(t)
	w.SetDefaultEventuallyTimeout(chaosPatience)
	// A namespace that is going refuses what is made in it.
	w.refused = true
	c := &chaos{
		world: w, i: w.install(), random: rand.New(rand.NewPCG(seed, seed)),
		there: map[string]*v1alpha1.Chatt2Webhook{}, tampered: map[string]string{},
	}
	for n := range 2 {
		stranger, err := w.hub.CreateByHand(w.app.ID, simulator.Change{
			Label: new(fmt.Sprintf("stranger-%d", n)), Endpoint: new(w.endpoint + "/stranger"), IsVerified: new(true),
		})
		w.must(err)
		c.strangers = append(c.strangers, stranger)
	}
	c.standBetween()
	w.flags = append(w.flags, "--leader-elect", "--hub-timeout=1s", "--hub-settle-time=4s")
	for n := range c.replicas {
		c.replicas[n] = w.start(c.i)
	}
	w.Eventually(func() string { return w.holder(c.i) }).ShouldNot(BeEmpty())
	for range 3 {
		c.create()
	}
	return c
}

// roll is a number from 0 up to n.
func (c *chaos) roll(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.random.IntN(n)
}

func (c *chaos) setFaulty(faulty bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faulty = faulty
}

// comesToRest waits until every resource is as it should be, the Hub has nothing else, and nothing is changed any more.
func (c *chaos) comesToRest() {
	c.Helper()
	c.Logf("nothing goes wrong any more, after %d calls that did, of %d to the Hub", c.spoilt, len(c.hub.Requests()))
	for name, resource := range c.there {
		c.ready(resource)
		c.Logf("%s is ready", name)
	}
	c.Eventually(func() int { return len(c.onHub()) }).Should(Equal(len(c.there)+len(c.strangers)),
		"webhooks on the Hub: %+v", c.onHub())
	for _, resource := range c.there {
		// The operator may not have observed yet that its Secret was deleted at last.
		c.Eventually(func() bool { return c.get(resource).IsReady() && c.hasLiveSecret(resource) }).Should(BeTrue(),
			"%s is not ready with the secret that the Hub signs with", resource.Name)
		now := c.ready(resource)
		if now.Spec.RequiresSignature {
			c.holdsLiveSecret(now)
		}
		c.Expect(c.ours(now.Spec.Label)).To(ConsistOf(now.Status.WebhookID), "webhooks of %s", now.Name)
	}
	before := len(c.hub.Mutations())
	<-time.After(3 * time.Second) // three polls
	if after := len(c.hub.Mutations()); after != before {
		c.Errorf("%d changes on the Hub while nothing happened", after-before)
	}
	c.leavesStrangersAlone()
}

// hasLiveSecret reports whether the Secret of a resource that is signed holds what the Hub signs with, and no rotation
// is open.
func (c *chaos) hasLiveSecret(resource *v1alpha1.Chatt2Webhook) bool {
	now, secret := c.get(resource), &corev1.Secret{}
	if !now.Spec.RequiresSignature {
		return true
	}
	err := c.Get(c.Context(), client.ObjectKey{Namespace: now.Namespace, Name: now.SigningSecretName()}, secret)
	_, rotates := secret.Annotations[v1alpha1.AnnotationRotationStartedAt]
	return err == nil && !rotates && string(secret.Data[v1alpha1.SecretKeyCurrent]) == c.hub.SecretOf(now.Status.WebhookID)
}

// ours are the ids of the webhooks of a label.
func (c *chaos) ours(label string) []string {
	var ids []string
	for _, webhook := range c.onHub() {
		if webhook.Label == label {
			ids = append(ids, webhook.ID)
		}
	}
	return ids
}

// leavesStrangersAlone holds the operator to never having asked for a change of a webhook that is not ours.
func (c *chaos) leavesStrangersAlone() {
	c.Helper()
	for _, stranger := range c.strangers {
		c.Expect(c.hub.Requests(simulator.ByWebhook(stranger.ID), simulator.Mutating)).To(BeEmpty())
		c.Expect(c.onHub()).To(ContainElement(stranger), "a webhook that is not ours")
	}
}

// goesWithItsNamespace deletes the namespace, and nothing of it is left on the Hub.
func (c *chaos) goesWithItsNamespace() {
	c.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: c.namespace}}
	c.must(c.Delete(c.Context(), namespace))
	c.kill(0)
	c.gone(namespace)
	c.Expect(c.onHub()).To(HaveLen(len(c.strangers)), "webhooks that were left behind: %+v", c.onHub())
	c.leavesStrangersAlone()
}

// expireLease makes the lease free, as it would be some 15 s after its holder died.
func (c *chaos) expireLease() {
	c.Helper()
	var leases coordinationv1.LeaseList
	c.must(c.List(c.Context(), &leases, client.InNamespace(c.i.namespace)))
	for n := range leases.Items {
		lease := &leases.Items[n]
		lease.Spec.HolderIdentity = new("")
		// Whoever renews it meanwhile is alive, and keeps it.
		if err := c.Update(c.Context(), lease); err != nil {
			c.Logf("the lease is renewed meanwhile: %v", err)
		}
	}
}
