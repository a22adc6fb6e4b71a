package campaign_test

import (
	"fmt"
	"time"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
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
	{name: "delete-among-many", before: amongMany(signed), trigger: deleteResource, gone: true, large: true},
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
