package campaign_test

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// manyFlows are in an Application with more webhooks than a page holds: a look is then a GET of one webhook.
var manyFlows = []flow{
	{name: "update-among-many", before: amongMany(signed), trigger: func(w *world) {
		w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Endpoint = "https://shop.example/new" })
		w.askAgain(key(name), "now")
	}, large: true},
	{name: "look-again-among-many", before: amongMany(adoptNothing), trigger: func(w *world) {
		w.askAgain(key(name), "now")
	}, large: true},
	{name: "endpoint-lost-among-many", before: amongMany(signed), trigger: func(w *world) {
		w.endpointFails(50 * time.Second)
		w.withdraw()
	}, large: true},
	{name: "removed-among-many", before: amongMany(signed), trigger: func(w *world) {
		w.must(w.hub.DeleteByHand(w.onHub()))
	}, large: true},
	{name: "create-under-a-limit", before: underALimit, trigger: func(w *world) { w.resource(signed) }, large: true},
	{name: "delete-among-many", before: amongMany(signed), trigger: deleteResource, gone: true, large: true},
}

// underALimit is an Application of several pages, of which the Hub refuses many at first.
func underALimit(w *world) {
	for i := range 120 {
		w.byHand(fmt.Sprintf("other %d", i), fmt.Sprintf("https://elsewhere.example/%d", i))
	}
	for range 8 {
		w.must(w.hub.AddFault(simulator.Fault{
			Kind: simulator.TooManyRequests, RetryAfter: "2", Skip: 1, Times: 1,
			Match: simulator.Match{Operation: "listWebhooks"},
		}))
	}
}

// amongMany declares the resource where there are sixty other webhooks.
func amongMany(change func(*v1alpha1.Chatt2Webhook)) func(*world) {
	return func(w *world) {
		for i := range 60 {
			w.byHand(fmt.Sprintf("other %d", i), fmt.Sprintf("https://elsewhere.example/%d", i))
		}
		w.resource(change)
	}
}

func adoptNothing(c *v1alpha1.Chatt2Webhook) { c.Spec.Adoption.Policy = v1alpha1.AdoptNever }

// sharedFlows are about two resources that declare the same and cannot see each other in time.
var sharedFlows = []flow{
	{name: "two-keys", large: true, before: emptyApplication, trigger: func(w *world) {
		w.resource()
		w.declare(inHome("second"), sameAsFirst, func(c *v1alpha1.Chatt2Webhook) {
			c.Spec.APIKeySecretRef.Name = "second-key"
		})
	}, ends: oneOfTwo},
	{name: "two-keys-signed", large: true, before: emptyApplication, trigger: func(w *world) {
		w.resource(signed)
		w.clock.pass(time.Second)
		w.declare(inHome("second"), signed, sameAsFirst, func(c *v1alpha1.Chatt2Webhook) {
			c.Spec.APIKeySecretRef.Name = "second-key"
		})
	}, ends: oneOfTwo},
}

// emptyApplication has the Application have no webhook and two API keys, on a Hub whose listings do not show at once
// what was registered with the other one.
func emptyApplication(w *world) {
	variants := w.hub.Variants()
	variants.ReadLag = simulator.Duration(time.Second)
	w.hub.SetVariants(variants)
	for _, h := range w.hub.Webhooks(w.app.ID) {
		w.must(w.hub.DeleteByHand(h.ID))
	}
	const second = canary + "key-second"
	w.newKey(w.app.ID, second)
	w.create(&corev1.Secret{ObjectMeta: inHome("second-key"), Data: map[string][]byte{"apiKey": []byte(second)}})
}

func sameAsFirst(c *v1alpha1.Chatt2Webhook) {
	c.Spec.Label, c.Spec.Endpoint = name, "https://shop.example/"+name
}

// oneOfTwo is what is wrong unless the older of two resources is ready, and has the only webhook.
func oneOfTwo(w *world) string {
	switch n := len(w.hub.Webhooks(w.app.ID)); {
	case n != 1:
		return fmt.Sprintf("S1: the Hub has %d webhooks for one thing", n)
	case !w.get().IsReady() && !w.resourceAt(key("second")).IsReady():
		return "L1: neither of the two resources is ready"
	}
	return ""
}
