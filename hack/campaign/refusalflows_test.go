package campaign_test

import (
	"fmt"
	"time"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// refusalFlows are about a Hub that refuses what spec says for good, and about API keys of another Application.
var refusalFlows = []flow{
	{name: "create-refused", trigger: func(w *world) {
		w.refuses["POST webhook"] = badRequest
		w.resource(signed)
	}, waits: v1alpha1.ReasonRejected},
	{name: "update-refused", before: signedResource, trigger: func(w *world) {
		w.refuses["PATCH webhook"] = invalid
		w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Endpoint = "https://shop.example/refused" })
	}, waits: v1alpha1.ReasonRejected},
	{name: "application-changed", before: signedResource, trigger: func(w *world) {
		w.useOtherApplication()
	}, waits: v1alpha1.ReasonApplicationChanged, ends: nothingElsewhere},
	{name: "application-changed-and-back", before: signedResource, trigger: func(w *world) {
		w.useOtherApplication()
		w.clock.after(5*time.Minute, func() { w.changeSecret("api-key", "apiKey", apiKey) })
	}, ends: nothingElsewhere},
	{name: "delete-application-changed", before: signedResource, trigger: func(w *world) {
		w.useOtherApplication()
		deleteResource(w)
	}, gone: true, orphans: 1, ends: nothingElsewhere, large: true},
}

// otherKey is the API key of another Application.
const otherKey = canary + "key-other"

// otherApplication makes another Application, with an API key.
func (w *world) otherApplication() {
	w.apiKeys[otherKey] = w.hub.AddApplication("second", otherKey).ID
}

// useOtherApplication puts the key of another Application, which has no webhooks, where the key is.
func (w *world) useOtherApplication() {
	w.otherApplication()
	w.changeSecret("api-key", "apiKey", otherKey)
}

// nothingElsewhere: the first webhook and that of the resource are where they were, and nothing is in the other
// Application.
func nothingElsewhere(w *world) string {
	if here := len(w.hub.Webhooks(w.app.ID)); here != 2 {
		return fmt.Sprintf("S4: there are %d webhooks in the Application, and not 2", here)
	}
	if other := w.hub.Webhooks(w.apiKeys[otherKey]); len(other) > 0 {
		return fmt.Sprintf("S1: %s is registered with the other Application", other[0].ID)
	}
	return ""
}
