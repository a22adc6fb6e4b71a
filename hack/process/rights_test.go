package process_test

import (
	"net/http"
	"slices"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/cluster"
)

func without(all []string, some ...string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(some, s) })
}

// unasked are rights that no request here takes, with what they are for.
var unasked = map[string]string{
	"update chatt2webhooks.hub.chatt2.me/finalizers": "clusters with OwnerReferencesPermissionEnforcement ask for it",
	"list secrets":               "API servers that do not stream lists",
	"list configmaps":            "API servers that do not stream lists",
	"patch events.events.k8s.io": "an event that occurs again",
}

// TestTheOperatorLivesByItsRoleAlone runs the operator as config/default does, for the whole cluster.
func TestTheOperatorLivesByItsRoleAlone(t *testing.T) {
	w := newWorld(t)
	i := w.install()
	p := w.through(i)
	elsewhere := cluster.Namespace(t, w.Client)
	for _, namespace := range []string{w.namespace, elsewhere} {
		w.secret(namespace, "bystander", "password", w.canary())
		w.must(w.Client.Create(w.Context(), &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "bystander"}, Data: map[string]string{"a": "b"},
		}))
	}
	o := w.start(i, "--leader-elect")
	w.live()
	metrics := w.scrape(i, o)
	code, _ := o.terminate(patience)
	w.Expect(code).To(BeZero(), "exit code")
	requests := w.audited(i.user())

	w.readOnlyReferences(requests)
	w.sawMetadataOnly(p)
	w.tookAllItsRights(i, requests)
	// Neither in the metrics nor in the audit log.
	w.findNoCanary(append(w.auditLines(i.user()), metrics)...)
}

// tookAllItsRights holds the operator's rights to what it needs, no less and no more.
func (w *world) tookAllItsRights(i *installation, requests []asked) {
	w.Helper()
	needed := used(requests)
	for _, a := range requests {
		if a.Status.Code == http.StatusUnauthorized || a.Status.Code == http.StatusForbidden {
			w.Errorf("refused: %s %s", a.Verb, a.URI)
		}
	}
	for r := range i.granted() {
		if _, known := unasked[r.String()]; !needed[r] && !known {
			w.Errorf("the operator never needs to %s", r)
		}
	}
}

// readOnlyReferences holds the operator to Secrets and ConfigMaps that a resource refers to or controls.
func (w *world) readOnlyReferences(requests []asked) {
	w.Helper()
	seen := map[string]bool{}
	for i := range requests {
		object := requests[i].Object
		if object.APIGroup != "" || (object.Resource != "secrets" && object.Resource != "configmaps") ||
			requests[i].Verb == "list" || requests[i].Verb == "watch" {
			continue
		}
		name := object.Namespace + "/" + object.Resource + "/" + object.Name
		if object.Name == "" {
			continue // the name of what is created is not in the reference
		}
		seen[name] = true
	}
	own := w.namespace + "/"
	w.Expect(seen).To(HaveLen(5), "what is read and written by name")
	for _, name := range []string{
		"secrets/api-key", "secrets/receiver-auth", "configmaps/receiver-tenant",
		"secrets/orders-signing", "secrets/adopted-signing",
	} {
		w.Expect(seen).To(HaveKey(own + name))
	}
}

// sawMetadataOnly holds the operator to never having been sent the content of a Secret in a list or a watch.
func (w *world) sawMetadataOnly(p *proxy) {
	w.Helper()
	w.Expect(p.collections()).NotTo(BeEmpty(), "Secrets are listed or watched")
	for _, accept := range p.collections() {
		w.Expect(accept).To(ContainSubstring("as=PartialObjectMetadata"))
	}
	w.Expect(p.answers.all()).To(ContainSubstring("bystander"), "what came back was kept")
	w.Expect(find(partsOf(append(w.canaries, w.signingSecrets()...)), p.answers.all())).To(BeNumerically("<", 0),
		"the content of a Secret was sent")
}

func TestWithoutTheRightToListSecretsTheOperatorLooksAtThoseItNeeds(t *testing.T) {
	w := newShard(t)
	i := w.install(withoutListingSecrets)
	w.unprotected = true
	w.start(i, "--watch-secrets=false", "--hub-poll-interval=2s")
	waiting := w.webhook("waiting", signed, func(c *v1alpha1.Chatt2Webhook) { c.Spec.APIKeySecretRef.Name = "later" })
	w.Eventually(func() string { return readyReason(w.get(waiting)) }).Should(Equal(v1alpha1.ReasonAPIKeyNotFound))
	key := w.canary()
	w.hub.AddApplication("other", key)
	w.secret(w.namespace, "later", "apiKey", key)
	sending := w.sending("changing")
	changed := w.read(w.namespace, "changing")
	changed.Data["token"] = []byte(w.canary())
	w.must(w.Update(w.Context(), changed))

	w.live()

	w.Eventually(func() bool { return w.get(waiting).IsReady() }, recheck).Should(BeTrue(),
		"the Secret that came later is not found: %s", w.logs())
	w.holdsLiveSecret(waiting)
	w.Eventually(func() string { return w.hub.HeadersOf(sending.Status.WebhookID)[0].Value }, recheck).Should(
		Equal(string(changed.Data["token"])), "the header that changed is not sent")
	for _, a := range w.audited(i.user()) {
		if a.Object.Resource == "secrets" && (a.Verb == "list" || a.Verb == "watch") {
			t.Errorf("it asks to %s Secrets", a.Verb)
		}
	}
}

// sending registers, with an API key of its own, a webhook with a header from a Secret.
func (w *world) sending(secret string) *v1alpha1.Chatt2Webhook {
	w.Helper()
	key := w.canary()
	w.hub.AddApplication("sending", key)
	w.secret(w.namespace, "sending-key", "apiKey", key)
	w.secret(w.namespace, secret, "token", w.canary())
	return w.ready(w.webhook("sending", func(c *v1alpha1.Chatt2Webhook) {
		c.Spec.APIKeySecretRef.Name = "sending-key"
		c.Spec.Headers = []v1alpha1.Header{{Key: "X-Token", ValueFrom: &v1alpha1.HeaderSource{
			SecretKeyRef: &v1alpha1.KeyReference{Name: secret, Key: "token"},
		}}}
	}))
}

func TestInSomeNamespacesTheOperatorNeedsNoRightElsewhere(t *testing.T) {
	w := newShard(t)
	second, outside := cluster.Namespace(t, w.Client), cluster.Namespace(t, w.Client)
	i := w.install(onlyIn(w.namespace, second))
	w.start(i, "--namespaces="+w.namespace+","+second, "--metrics-bind-address=0")
	for n, namespace := range []string{second, outside} {
		key := w.canary()
		w.hub.AddApplication([]string{"second", "outside"}[n], key)
		w.secret(namespace, "api-key", "apiKey", key)
	}
	ignored := w.webhook("ignored", inNamespace(outside))

	w.live()
	w.holdsLiveSecret(w.ready(w.webhook("beside", inNamespace(second), signed)))

	w.Expect(w.hub.Webhooks("outside")).To(BeEmpty())
	now := w.get(ignored)
	w.Expect(now.Finalizers).To(BeEmpty())
	w.Expect(now.Status.ObservedGeneration).To(BeEquivalentTo(-1))
	refused := 0
	for _, a := range w.audited(i.user()) {
		switch {
		case a.Object.Resource == "" || slices.Contains([]string{w.namespace, second, i.namespace}, a.Object.Namespace):
		case a.Verb == "list" && a.Object.Resource == "chatt2webhooks" && a.Status.Code == http.StatusForbidden:
			refused++
		default:
			t.Errorf("it asks for more than its namespaces: %s %s: %d", a.Verb, a.URI, a.Status.Code)
		}
	}
	w.Expect(refused).To(Equal(1), "it asks once whether it may see whose a webhook is in other namespaces")
}
