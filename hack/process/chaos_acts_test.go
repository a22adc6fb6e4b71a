package process_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// act has one thing happen: to the processes, to the resources, to the Secrets or to the Hub.
func (c *chaos) act() {
	c.Helper()
	acts := []func(){
		c.create, c.create, c.remove, c.move, c.sign, c.rotateSome, c.rotateSome, c.wipeStatus, c.wipeSecret, c.spoilSecret,
		c.deleteByHand, c.changeByHand, func() { c.kill(c.roll(2)) }, func() { c.kill(c.roll(2)) },
		func() { c.stop(c.roll(2)) }, c.holdWatches, c.kubeWay.ReleaseWatches, c.kubeWay.ReleaseWatches,
	}
	acts[c.roll(len(acts))]()
}

// holdWatches has the operator see nothing of what changes for a while.
func (c *chaos) holdWatches() {
	c.Log("watches are held")
	c.kubeWay.HoldWatches()
}

// some is one of the resources, nil when there is none.
func (c *chaos) some() *v1alpha1.Chatt2Webhook {
	names := slices.Sorted(maps.Keys(c.there))
	if len(names) == 0 {
		return nil
	}
	name := names[c.roll(len(names))]
	now := &v1alpha1.Chatt2Webhook{}
	c.must(c.Get(c.Context(), client.ObjectKeyFromObject(c.there[name]), now))
	return now
}

// changes has a user change one of the resources.
func (c *chaos) changes(what string, change func(*v1alpha1.Chatt2Webhook)) {
	c.Helper()
	some := c.some()
	if some == nil {
		return
	}
	c.Logf("%s: %s", some.Name, what)
	c.change(some, change)
}

func (c *chaos) create() {
	if len(c.there) == 6 {
		return
	}
	c.made++
	name := fmt.Sprintf("orders-%d", c.made)
	c.Logf("%s: is created", name)
	isSigned := c.roll(3) > 0
	resource := c.webhook(name, func(r *v1alpha1.Chatt2Webhook) { r.Spec.RequiresSignature = isSigned })
	c.mu.Lock()
	defer c.mu.Unlock()
	c.there[name] = resource
}

func (c *chaos) remove() {
	some := c.some()
	if some == nil {
		return
	}
	c.Logf("%s: is deleted", some.Name)
	c.must(c.Delete(c.Context(), some))
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.there, some.Name)
}

func (c *chaos) move() {
	path := fmt.Sprintf("/moved-%d", c.roll(1000))
	if some := c.some(); some != nil {
		c.Logf("%s: moves", some.Name)
		c.change(some, func(r *v1alpha1.Chatt2Webhook) { r.Spec.Endpoint = c.endpoint + path })
	}
}

func (c *chaos) sign() {
	c.changes("is signed or no more", func(r *v1alpha1.Chatt2Webhook) {
		r.Spec.RequiresSignature = !r.Spec.RequiresSignature
	})
}

func (c *chaos) rotateSome() {
	request := fmt.Sprint(c.roll(1_000_000))
	c.changes("is to rotate", func(r *v1alpha1.Chatt2Webhook) {
		if r.Annotations == nil {
			r.Annotations = map[string]string{}
		}
		r.Annotations[v1alpha1.AnnotationRotateRequestedAt] = request
	})
}

// wipeStatus does what a backup does that is restored without status.
func (c *chaos) wipeStatus() {
	some := c.some()
	if some == nil {
		return
	}
	c.Logf("%s: loses its status", some.Name)
	some.Status = v1alpha1.Chatt2WebhookStatus{ObservedGeneration: -1}
	c.unlessOvertaken(c.Status().Update(c.Context(), some))
}

// unlessOvertaken ends the test for an error that is not due to the operator having been faster.
func (c *chaos) unlessOvertaken(err error) {
	c.Helper()
	if err != nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
		c.Fatal(err)
	}
}

// tamper has something done with the signing Secret of one of the resources.
func (c *chaos) tamper(what string, do func(*corev1.Secret) error) {
	some := c.some()
	if some == nil {
		return
	}
	secret := &corev1.Secret{}
	if c.Get(c.Context(), client.ObjectKey{Namespace: c.namespace, Name: some.SigningSecretName()}, secret) != nil {
		return
	}
	c.Logf("%s: its Secret %s", some.Name, what)
	c.mu.Lock()
	c.tampered[some.Name] = secret.ResourceVersion
	c.mu.Unlock()
	c.unlessOvertaken(do(secret))
}

func (c *chaos) wipeSecret() {
	c.tamper("is deleted", func(s *corev1.Secret) error { return c.Delete(c.Context(), s) })
}

func (c *chaos) spoilSecret() {
	c.tamper("is changed by hand", func(s *corev1.Secret) error {
		s.Data = map[string][]byte{v1alpha1.SecretKeyCurrent: []byte("by hand")}
		return c.Update(c.Context(), s)
	})
}

func (c *chaos) deleteByHand() {
	if some := c.some(); some != nil && some.Status.WebhookID != "" {
		c.Logf("%s: its webhook is deleted on the Hub", some.Name)
		_ = c.hub.DeleteByHand(some.Status.WebhookID) // it may be gone already
	}
}

func (c *chaos) changeByHand() {
	if some := c.some(); some != nil && some.Status.WebhookID != "" {
		c.Logf("%s: its webhook is changed on the Hub", some.Name)
		// It may be gone already.
		_, _ = c.hub.ChangeByHand(some.Status.WebhookID, simulator.Change{AuthenticationProtocol: new("JWT")})
	}
}

// kill ends a replica like a crash does, and starts another in its place.
func (c *chaos) kill(n int) {
	c.Helper()
	c.Logf("replica %d is killed", n)
	led := c.led(c.replicas[n])
	c.replicas[n].kill()
	if led {
		c.expireLease()
	}
	c.replicas[n] = c.launch(c.i)
}

// led reports whether a replica has ever been the leader.
func (c *chaos) led(o *operator) bool { return strings.Contains(o.log.all(), "Starting Controller") }

// stop asks a replica to stop, and starts another in its place. One that has just begun may not listen yet.
func (c *chaos) stop(n int) {
	c.Helper()
	c.Logf("replica %d is stopped", n)
	c.replicas[n].terminate(patience)
	c.replicas[n] = c.launch(c.i)
}

// pauseLeader lets the leader sleep for longer than its lease, while users and the other replica go on.
func (c *chaos) pauseLeader() {
	c.Helper()
	// A replica that has just been started needs its watches to get there.
	c.kubeWay.ReleaseWatches()
	at := -1
	c.Eventually(func() int {
		at = slices.IndexFunc(c.replicas[:], c.led)
		return at
	}).Should(BeNumerically(">=", 0), "nobody leads: %s", c.logs())
	leader := c.replicas[at]
	c.Logf("replica %d is paused", at)
	c.mu.Lock()
	c.paused = true
	c.mu.Unlock()
	c.must(leader.cmd.Process.Signal(syscall.SIGSTOP))
	for until := time.Now().Add(pauseTime); time.Now().Before(until); {
		[]func(){c.create, c.move, c.rotateSome, c.remove}[c.roll(4)]()
		<-time.After(time.Second)
	}
	c.Logf("replica %d goes on", at)
	c.must(leader.cmd.Process.Signal(syscall.SIGCONT))
	// It sees that it does not lead any more, and ends; unless there was nobody to lead instead.
	select {
	case <-leader.ended:
		c.replicas[at] = c.launch(c.i)
	case <-time.After(pauseTime):
		c.Logf("replica %d still leads", at)
	}
}

// deleted is a resource that is on its way out, or gone.
func deleted(object metav1.Object, err error) bool {
	return err != nil || !object.GetDeletionTimestamp().IsZero()
}
