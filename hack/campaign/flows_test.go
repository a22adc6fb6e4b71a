package campaign_test

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// flow is one thing that happens to a webhook.
type flow struct {
	name string
	// before is what there is at rest, nil for nothing. trigger is what happens then.
	before, trigger func(*world)
	// deletes: the resource is gone in the end.
	deletes bool
	// keeps is how many webhooks there may be at once of the resource's kind, 0 for one.
	keeps int
	// ends, unless nil, tells what is wrong at the end besides what always is.
	ends func(*world) string
}

// resource declares the webhook; change says what is special about it.
func (w *world) resource(change ...func(*v1alpha1.Chatt2Webhook)) {
	c := &v1alpha1.Chatt2Webhook{ObjectMeta: inHome(name)}
	c.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Chatt2Webhook"))
	c.Spec = v1alpha1.Chatt2WebhookSpec{
		Label: name, Endpoint: "https://shop.example/orders", EventType: v1alpha1.EventTypeMessage,
		APIKeySecretRef: v1alpha1.APIKeySecretReference{Name: "api-key"},
	}
	for _, do := range change {
		do(c)
	}
	w.create(c)
}

func signed(c *v1alpha1.Chatt2Webhook) { c.Spec.RequiresSignature = true }

func withHeader(c *v1alpha1.Chatt2Webhook) {
	c.Spec.Headers = []v1alpha1.Header{{Key: "X-Token", ValueFrom: &v1alpha1.HeaderSource{
		SecretKeyRef: &v1alpha1.KeyReference{Name: "header", Key: "token"},
	}}}
}

func unsignedResource(w *world) { w.resource() }
func signedResource(w *world)   { w.resource(signed) }

func deleteResource(w *world) {
	w.collects = true
	w.must(w.user.Delete(w.ctx, w.get()))
}

func rotateNow(c *v1alpha1.Chatt2Webhook) {
	c.Annotations[v1alpha1.AnnotationRotateRequestedAt] = "now"
}

// onHub is the webhook of the resource.
func (w *world) onHub() string { return w.get().Status.WebhookID }

var flows = []flow{
	{name: "create-unsigned", trigger: unsignedResource},
	{name: "create-signed", trigger: signedResource},
	{name: "update", before: unsignedResource, trigger: func(w *world) {
		w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Endpoint = "https://shop.example/new" })
	}},
	{name: "header-change", before: func(w *world) {
		w.create(&corev1.Secret{ObjectMeta: inHome("header"), Data: map[string][]byte{"token": []byte("CNRY-header-1")}})
		w.resource(withHeader)
	}, trigger: func(w *world) {
		s := w.secret("header")
		s.Data["token"] = []byte("CNRY-header-2")
		w.must(w.user.Update(w.ctx, s))
	}, ends: func(w *world) string {
		if h := w.hub.HeadersOf(w.onHub()); len(h) != 1 || h[0].Value != "CNRY-header-2" {
			return "the Hub does not send the new header"
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
		w.run(20 * time.Second)
		w.change(rotateNow)
	}, trigger: func(*world) {
		// The previous secret goes when its time has come, which is part of what is looked at.
	}, ends: func(w *world) string {
		if _, kept := w.secret(name + "-signing").Data[v1alpha1.SecretKeyPrevious]; kept {
			return "the previous secret is still there"
		}
		return ""
	}},
	{name: "delete", before: signedResource, trigger: deleteResource, deletes: true},
	{name: "delete-open-create", before: func(w *world) {
		// A registration is carried out whose answer is lost, and the process dies of it.
		w.gate.armed, w.gate.faults = true, map[int]action{6: killAfter}
		w.resource()
		w.run(3 * time.Second)
		w.gate.armed, w.gate.faults, w.gate.trace = false, map[int]action{}, nil
	}, trigger: deleteResource, deletes: true},
	{name: "adopt", before: func(w *world) { w.byHand(name, "https://shop.example/orders") }, trigger: unsignedResource},
	{name: "removed", before: signedResource, trigger: func(w *world) { w.must(w.hub.DeleteByHand(w.onHub())) }},
	{name: "drift", before: unsignedResource, trigger: func(w *world) {
		_, err := w.hub.ChangeByHand(w.onHub(), simulator.Change{Label: new("other")})
		w.must(err)
	}},
	{name: "key-swapped", before: signedResource, trigger: func(w *world) {
		w.must(w.hub.SetKey(w.app.ID, "second", "CNRY-key-second"))
		w.apiKeys = append(w.apiKeys, "CNRY-key-second")
		s := w.secret("api-key")
		s.Data["apiKey"] = []byte("CNRY-key-second")
		w.must(w.user.Update(w.ctx, s))
	}},
	{name: "namespace-deletion", before: signedResource, trigger: func(w *world) {
		w.collects = true
		w.must(w.user.Delete(w.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: home}}))
	}, deletes: true},
}

func flowNamed(name string) (flow, bool) {
	for _, f := range flows {
		if f.name == name {
			return f, true
		}
	}
	return flow{}, false
}
