package process_test

import (
	"net/http"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// inLife are the rights without which a step in the life of a webhook fails. Each is about a resource of its own, and
// given back it has that step succeed, without a second webhook.
var inLife = []withdrawal{
	{"patch chatt2webhooks.hub.chatt2.me", registers("patched", "patch chatt2webhooks.hub.chatt2.me"), becomesReady("patched")},
	{"patch chatt2webhooks.hub.chatt2.me/status", registers("told", "patch chatt2webhooks.hub.chatt2.me/status"), becomesReady("told")},
	{"get secrets", registers("keyed", "get secrets", ownKey), becomesReady("keyed")},
	{"patch secrets", func(w *world, i *installation) {
		registers("guarded", "patch secrets", ownKey)(w, i)
		w.ready(w.named("guarded"))
		w.Expect(w.read(w.namespace, "guarded-key").Finalizers).To(BeEmpty())
	}, func(w *world, _ *installation) {
		w.look("guarded", "again")
		w.Eventually(func() []string { return w.read(w.namespace, "guarded-key").Finalizers }).Should(
			ContainElement(v1alpha1.APIKeyFinalizer))
	}},
	{"create secrets", registers("signed", "create secrets", noKey, signed), becomesReady("signed")},
	// Whoever may not touch the finalizers of an owner may not make what blocks its deletion.
	{
		"update chatt2webhooks.hub.chatt2.me/finalizers",
		func(w *world, _ *installation) {
			c := w.webhook("owned", signed)
			w.Eventually(func() string { return readyReason(w.get(c)) }).Should(Equal(v1alpha1.ReasonSecretRejected))
		},
		becomesReady("owned"),
	},
	{"update secrets", func(w *world, i *installation) {
		w.requestRotation(w.named("signed"), "once")
		w.wasRefused(i, "update secrets")
		w.Expect(w.hub.Count("redefineSignature")).To(Equal(w.redefined()), "a secret was made that cannot be stored")
	}, func(w *world, _ *installation) { w.rotated(w.named("signed"), "once") }},
	{"delete secrets", func(w *world, i *installation) {
		w.change(w.named("signed"), func(c *v1alpha1.Chatt2Webhook) { c.Spec.RequiresSignature = false })
		w.wasRefused(i, "delete secrets")
		w.read(w.namespace, "signed-signing")
	}, func(w *world, _ *installation) {
		w.gone(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "signed-signing"}})
	}},
	{"get configmaps", registers("sending", "get configmaps", noKey, headerFromConfigMap), becomesReady("sending")},
	// The API server is asked whether nobody uses a key any more.
	{"list chatt2webhooks.hub.chatt2.me", func(w *world, i *installation) {
		c, before := w.named("guarded"), w.keyPatches(i, "guarded-key")
		w.must(w.Delete(w.Context(), c))
		w.gone(c)
		w.wasRefused(i, "list chatt2webhooks.hub.chatt2.me")
		// The operators of other tests may ask, and let go of the key.
		w.Expect(w.keyPatches(i, "guarded-key")).To(Equal(before), "let go of a key without knowing who uses it")
	}, func(w *world, _ *installation) {
		w.Eventually(func() []string { return w.read(w.namespace, "guarded-key").Finalizers }).Should(BeEmpty())
	}},
	{"create events.events.k8s.io", func(w *world, i *installation) {
		w.ready(w.webhook("silent"))
		w.wasRefused(i, "create events.events.k8s.io")
		w.Expect(w.events(w.named("silent"))).To(BeEmpty())
	}, drifts("silent", 1)},
	// That the same happens again is told by the first event.
	{"patch events.events.k8s.io", func(w *world, i *installation) {
		drifts("silent", 1)(w, i)
		w.wasRefused(i, "patch events.events.k8s.io")
	}, nil},
}

// noKey leaves a resource with the API key that all have.
func noKey(*v1alpha1.Chatt2Webhook) {}

// ownKey gives a resource an API key of its own, of the same Application.
func ownKey(c *v1alpha1.Chatt2Webhook) { c.Spec.APIKeySecretRef.Name = c.Name + "-key" }

func headerFromConfigMap(c *v1alpha1.Chatt2Webhook) {
	c.Spec.Headers = []v1alpha1.Header{{Key: "X-Tenant", ValueFrom: &v1alpha1.HeaderSource{
		ConfigMapKeyRef: &v1alpha1.KeyReference{Name: "tenant", Key: "tenant"},
	}}}
}

// registers creates a resource and waits until the operator was refused what that takes.
func registers(name, right string, change ...func(*v1alpha1.Chatt2Webhook)) func(*world, *installation) {
	return func(w *world, i *installation) {
		w.Helper()
		w.webhook(name, change...)
		w.wasRefused(i, right)
	}
}

// becomesReady waits for a resource that has exactly one webhook then, and ever had.
func becomesReady(name string) func(*world, *installation) {
	return func(w *world, _ *installation) {
		w.Helper()
		c := w.ready(w.named(name))
		lives := 0
		for _, life := range w.hub.Lifetimes() {
			if life.Label == name {
				lives++
			}
		}
		w.Expect(lives).To(Equal(1), "webhooks of %s", name)
		if c.Spec.RequiresSignature {
			w.holdsLiveSecret(c)
		}
	}
}

// drifts changes a webhook behind the operator's back, and waits until that is corrected and told.
func drifts(name string, events int) func(*world, *installation) {
	return func(w *world, _ *installation) {
		w.Helper()
		c := w.get(w.named(name))
		_, err := w.hub.ChangeByHand(c.Status.WebhookID, simulator.Change{AuthenticationProtocol: new("JWT")})
		w.must(err)
		w.Eventually(func() bool {
			for _, webhook := range w.onHub() {
				if webhook.ID == c.Status.WebhookID {
					return webhook.AuthenticationProtocol == "NoAuthentication"
				}
			}
			return false
		}).Should(BeTrue(), "drift is not corrected")
		w.Eventually(func() int {
			n := 0
			for _, reason := range w.events(c) {
				if reason == v1alpha1.EventDriftCorrected {
					n++
				}
			}
			return n
		}).Should(Equal(events))
	}
}

// named is a resource by its name.
func (w *world) named(name string) *v1alpha1.Chatt2Webhook {
	return &v1alpha1.Chatt2Webhook{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}}
}

// keyPatches is how often an operator has changed the Secret of an API key.
func (w *world) keyPatches(i *installation, name string) int {
	w.Helper()
	n := 0
	for _, a := range w.audited(i.user()) {
		if a.Object.String() == "patch secrets" && a.Object.Namespace == w.namespace && a.Object.Name == name &&
			a.Status.Code == http.StatusOK {
			n++
		}
	}
	return n
}

// look asks the operator to look at a resource again.
func (w *world) look(name, request string) {
	w.Helper()
	w.change(w.named(name), func(c *v1alpha1.Chatt2Webhook) {
		c.Annotations = map[string]string{v1alpha1.AnnotationReconcileRequestedAt: request}
	})
}

// redefined is how many secrets the Hub has made by a redefinition and still has a webhook for.
func (w *world) redefined() int {
	n := 0
	for _, webhook := range w.onHub() {
		n += len(w.hub.OldSecretsOf(webhook.ID))
	}
	return n
}

func TestWithoutARightAStepFailsAndWithItAgainItSucceeds(t *testing.T) {
	w := newShard(t)
	for _, name := range []string{"keyed-key", "guarded-key"} {
		key := w.canary()
		w.must(w.hub.SetKey(w.app.ID, name, key))
		w.secret(w.namespace, name, "apiKey", key)
	}
	w.must(w.Client.Create(w.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "tenant"}, Data: map[string]string{"tenant": "one"},
	}))
	i := w.install()
	w.start(i)
	w.without(i, inLife)
}
