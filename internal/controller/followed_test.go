package controller_test

import (
	"net/http"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

func TestALogAtLevelOneFollowsAFailedRegistrationAndARotation(t *testing.T) {
	w := newWorld(t)
	w.Expect(w.hub.AddFault(simulator.Fault{
		Kind: simulator.ErrorBeforeCommit, Status: http.StatusServiceUnavailable, Times: 1,
		Match: simulator.Match{Operation: "createWebhook"},
	})).To(Succeed())
	w.run()
	c := w.ready(w.webhook("orders", signed))
	logged := func(parts ...any) {
		w.Helper()
		line := ""
		for _, part := range parts {
			line += `[^\n]*` + part.(string)
		}
		w.Eventually(func() string { return w.logs.tail(1 << 20) }).Should(MatchRegexp(line))
	}
	logged(`"msg":"Decided"`, `"name":"orders"`, `"rule":"a webhook that does not exist is registered"`, `"action":"Create"`)
	logged(`"operation":"createWebhook"`, `"statusCode":503`)
	logged(`"state":"AwaitingConfirmation"`, `"missing":"outcome of the registration known"`)
	logged(`"operation":"createWebhook"`, `"statusCode":201`)

	w.annotate(c, v1alpha1.AnnotationRotateRequestedAt, "now")
	w.eventually(c, "rotated", func(now *v1alpha1.Chatt2Webhook) bool { return now.Status.LastHandledRotateAt == "now" })
	logged(`"state":"Rotating"`, `"rule":"the signing secret is rotated"`, `"action":"BeginRotation"`)
	logged(`"operation":"redefineSignature"`, `"webhookID":"`+c.Status.WebhookID+`"`, `"statusCode":200`)
	logged(`"reason":"` + v1alpha1.EventSecretRotated + `"`)
}
