package campaign_test

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// flow is one thing that happens to a webhook.
type flow struct {
	name string
	// before is what there is, nil for nothing. It comes to rest unless it is open. trigger is what happens then.
	before, trigger func(*world)
	open            bool
	// large: it is played with single faults only, for it takes long and recovers as others do.
	large bool
	// gone: the resource is gone in the end.
	gone bool
	// extra is how many webhooks there may be besides one, because a registration is carried out too late.
	extra int
	// orphans is how many webhooks are given up and counted as left behind. waits, unless empty, is the reason for which
	// the resource is not ready in the end.
	orphans int
	waits   string
	// ends, unless nil, tells what is wrong at the end besides what always is.
	ends func(*world) string
}

// restTime is more than what happens before a trigger takes.
const restTime = 20 * time.Second

// flows are those of the design's protocols.
var flows = append([]flow{
	{name: "create-unsigned", trigger: unsignedResource},
	{name: "create-signed", trigger: signedResource},
	{name: "update", before: unsignedResource, trigger: func(w *world) {
		w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Endpoint = "https://shop.example/new" })
	}},
	{name: "header-change", before: func(w *world) {
		w.create(&corev1.Secret{ObjectMeta: inHome("header"), Data: map[string][]byte{"token": []byte(canary + "1")}})
		w.resource(withHeader)
	}, trigger: func(w *world) { w.changeSecret("header", "token", canary+"2") }, ends: func(w *world) string {
		if h := w.hub.HeadersOf(w.onHub()); len(h) != 1 || h[0].Value != canary+"2" {
			return "L1: the Hub does not send the new header"
		}
		return ""
	}},
	{name: "enable-signing", before: unsignedResource, trigger: func(w *world) { w.change(signed) }},
	{name: "disable-signing", before: signedResource, trigger: func(w *world) {
		w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.RequiresSignature = false })
	}},
	{name: "rotate", before: signedResource, trigger: func(w *world) { w.change(rotateNow) }},
	{name: "prune", before: func(w *world) {
		w.resource(signed, func(c *v1alpha1.Chatt2Webhook) {
			c.Spec.SigningSecret = &v1alpha1.SigningSecret{Rotation: v1alpha1.Rotation{Overlap: "1m"}}
		})
		w.run(restTime)
		w.change(rotateNow)
	}, trigger: nothing, ends: func(w *world) string {
		if _, kept := w.secret(signingName).Data[v1alpha1.SecretKeyPrevious]; kept {
			return "L1: the previous secret is still there"
		}
		return ""
	}},
	{name: "delete", before: signedResource, trigger: deleteResource, gone: true},
	{name: "delete-open-create", before: openCreate(killAfter), open: true, trigger: deleteResource, gone: true},
	{name: "adopt", before: func(w *world) { w.byHand(name, "https://shop.example/orders") }, trigger: unsignedResource},
	{name: "removed", before: signedResource, trigger: func(w *world) { w.must(w.hub.DeleteByHand(w.onHub())) }},
	{name: "drift", before: unsignedResource, trigger: func(w *world) { w.drift(w.onHub()) }},
	{name: "drift-after-ignored", before: driftIgnored, trigger: func(w *world) {
		w.changeByHand(w.onHub(), simulator.Change{Label: new("third"), EventType: new("MessageStatus")})
	}, large: true},
	{name: "key-swapped", before: signedResource, trigger: func(w *world) {
		w.newKey(w.app.ID, canary+"key-second")
		w.changeSecret("api-key", "apiKey", canary+"key-second")
	}},
	{name: "namespace-deletion", before: signedResource, trigger: func(w *world) {
		w.collects = true
		w.must(w.user.Delete(w.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: home}}))
	}, gone: true},
	{name: "duplicate-sweep", before: openCreate(tooLate), open: true, trigger: nothing, extra: 1},
}, slices.Concat(moreFlows, foreignFlows, verificationFlows, refusalFlows, manyFlows, apiKeyFlows, sharedFlows, admissionFlows, vanishFlows())...)

const signingName = name + "-signing"

// resource declares the webhook; change says what is special about it.
func (w *world) resource(change ...func(*v1alpha1.Chatt2Webhook)) { w.declare(inHome(name), change...) }

func (w *world) declare(as metav1.ObjectMeta, change ...func(*v1alpha1.Chatt2Webhook)) {
	c := &v1alpha1.Chatt2Webhook{ObjectMeta: as}
	c.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Chatt2Webhook"))
	c.Spec = v1alpha1.Chatt2WebhookSpec{
		Label: as.Name, Endpoint: "https://shop.example/" + as.Name, EventType: v1alpha1.EventTypeMessage,
		APIKeySecretRef: v1alpha1.APIKeySecretReference{Name: "api-key"},
	}
	for _, do := range change {
		do(c)
	}
	w.spell(c)
	w.create(c)
}

func nothing(*world) {
	// What is going on already is what is looked at.
}

func signed(c *v1alpha1.Chatt2Webhook) { c.Spec.RequiresSignature = true }

func withHeader(c *v1alpha1.Chatt2Webhook) {
	c.Spec.Headers = []v1alpha1.Header{{Key: "X-Token", ValueFrom: &v1alpha1.HeaderSource{
		SecretKeyRef: &v1alpha1.KeyReference{Name: "header", Key: "token"},
	}}}
}

func unsignedResource(w *world) { w.resource() }
func signedResource(w *world)   { w.resource(signed) }

// openCreate begins a registration and lets its first call go wrong.
func openCreate(is action) func(*world) {
	return func(w *world) {
		w.gate.first["POST webhook"] = is
		w.resource()
		w.run(4 * time.Second)
	}
}

func deleteResource(w *world) {
	w.collects = true
	w.must(w.user.Delete(w.ctx, w.get()))
}

func rotateNow(c *v1alpha1.Chatt2Webhook) { annotate(v1alpha1.AnnotationRotateRequestedAt, "now")(c) }

// askAgain has a user ask for a look.
func (w *world) askAgain(of types.NamespacedName, value string) {
	w.changeAt(of, annotate(v1alpha1.AnnotationReconcileRequestedAt, value))
	w.watch.repaired = w.clock.now
}

func annotate(name, value string) func(*v1alpha1.Chatt2Webhook) {
	return func(c *v1alpha1.Chatt2Webhook) {
		if c.Annotations == nil {
			c.Annotations = map[string]string{}
		}
		c.Annotations[name] = value
	}
}

// newKey gives an Application another API key.
func (w *world) newKey(app, key string) {
	w.must(w.hub.SetKey(app, key, key))
	w.apiKeys[key] = app
}

// onHub is the webhook of the resource.
func (w *world) onHub() string { return w.get().Status.WebhookID }

func flowNamed(name string) (flow, bool) {
	for _, f := range flows {
		if f.name == name {
			return f, true
		}
	}
	return flow{}, false
}
