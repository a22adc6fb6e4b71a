package gitops_test

import (
	"net/http"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// The words of Argo CD for the health of a resource.
const (
	healthy     = "Healthy"
	progressing = "Progressing"
	degraded    = "Degraded"
	suspended   = "Suspended"
)

// unseen is the message while the status is not about the present spec.
const unseen = "Waiting for the operator to look at this version of the resource"

// state is a state that a resource can be in.
type state struct {
	name string
	// health is what Argo CD shall make of it, message what it shall say where that is not the word of Ready.
	health, message string
	// flux is what Flux makes of it with healthCheckExprs, kstatus what it makes of it without.
	flux, kstatus string
	// reach makes the operator bring a resource into it.
	reach func(*world) *unstructured.Unstructured
}

var states = []state{
	{"progressing_pending", progressing, unseen, "InProgress", "InProgress", func(w *world) *unstructured.Unstructured {
		return w.live(w.webhook("received-messages")) // there is no operator yet
	}},
	{"progressing_outdated", progressing, unseen, "InProgress", "InProgress", func(w *world) *unstructured.Unstructured {
		w.run()
		c := w.webhook("received-messages")
		w.until(c, v1alpha1.ReasonReady)
		w.stop()
		w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.Label = "Messages" })
		return w.live(c)
	}},
	{"progressing_awaiting_verification", progressing, "", "InProgress", "InProgress", func(w *world) *unstructured.Unstructured {
		w.up.Store(false)
		w.run()
		return w.until(w.webhook("received-messages"), v1alpha1.ReasonAwaitingVerification)
	}},
	{"progressing_verification_failed", progressing, "", "InProgress", "InProgress", func(w *world) *unstructured.Unstructured {
		w.up.Store(false)
		w.run()
		c := w.webhook("received-messages")
		w.until(c, v1alpha1.ReasonAwaitingVerification)
		w.change(c, func(c *v1alpha1.Chatt2Webhook) {
			c.Annotations = map[string]string{v1alpha1.AnnotationReconcileRequestedAt: "2026-01-01T00:00:00Z"}
		})
		return w.until(c, v1alpha1.ReasonVerificationFailed)
	}},
	{"progressing_hub_unavailable", progressing, "", "InProgress", "InProgress", func(w *world) *unstructured.Unstructured {
		w.Expect(w.hub.AddFault(simulator.Fault{Kind: simulator.BadGateway})).To(Succeed())
		w.run()
		return w.until(w.webhook("received-messages"), v1alpha1.ReasonHubUnavailable)
	}},
	{"progressing_api_key_not_found", progressing, "", "InProgress", "InProgress", func(w *world) *unstructured.Unstructured {
		w.run()
		return w.until(w.webhook("received-messages", withKey("missing")), v1alpha1.ReasonAPIKeyNotFound)
	}},
	{"progressing_deletion_blocked", progressing, "", "InProgress", "Terminating", func(w *world) *unstructured.Unstructured {
		w.run()
		c := w.webhook("received-messages")
		w.until(c, v1alpha1.ReasonReady)
		w.Expect(w.hub.AddFault(simulator.Fault{
			Kind: simulator.ErrorBeforeCommit, Status: http.StatusConflict, Match: simulator.Match{Operation: "deleteWebhook"},
		})).To(Succeed())
		w.Expect(w.Delete(w.Context(), c)).To(Succeed())
		return w.until(c, v1alpha1.ReasonDeletionBlocked)
	}},
	{"healthy", healthy, "", "Current", "Current", func(w *world) *unstructured.Unstructured {
		w.run()
		return w.until(w.webhook("received-messages"), v1alpha1.ReasonReady)
	}},
	{"healthy_signed", healthy, "", "Current", "Current", func(w *world) *unstructured.Unstructured {
		w.run()
		return w.until(w.webhook("received-messages", signed), v1alpha1.ReasonReady)
	}},
	{"healthy_registered", healthy, "", "InProgress", "Current", func(w *world) *unstructured.Unstructured {
		w.up.Store(false)
		w.run()
		return w.until(w.webhook("received-messages", func(c *v1alpha1.Chatt2Webhook) {
			c.Spec.ReadyWhen = v1alpha1.ReadyWhenRegistered
		}), v1alpha1.ReasonReady)
	}},
	{"suspended", suspended, "", "Current", "InProgress", func(w *world) *unstructured.Unstructured {
		w.run()
		c := w.webhook("received-messages", signed)
		w.until(c, v1alpha1.ReasonReady)
		w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.Suspend = true })
		return w.until(c, v1alpha1.ReasonSuspended)
	}},
	{"suspended_from_the_start", suspended, "", "Current", "InProgress", func(w *world) *unstructured.Unstructured {
		w.run()
		return w.until(w.webhook("received-messages", func(c *v1alpha1.Chatt2Webhook) { c.Spec.Suspend = true }),
			v1alpha1.ReasonSuspended)
	}},
	{"degraded_api_key_refused", degraded, "", "Failed", "Failed", func(w *world) *unstructured.Unstructured {
		w.secret("wrong-key", "apiKey", "nobody-has-this-key")
		w.run()
		return w.until(w.webhook("received-messages", withKey("wrong-key")), v1alpha1.ReasonAPIKeyRefused)
	}},
	{"degraded_api_key_invalid", degraded, "", "Failed", "Failed", func(w *world) *unstructured.Unstructured {
		w.secret("wrong-key", "api-key", "under-another-name")
		w.run()
		return w.until(w.webhook("received-messages", withKey("wrong-key")), v1alpha1.ReasonAPIKeyInvalid)
	}},
	{"degraded_rejected", degraded, "", "Failed", "Failed", func(w *world) *unstructured.Unstructured {
		w.Expect(w.hub.AddFault(simulator.Fault{
			Kind: simulator.ErrorBeforeCommit, Status: http.StatusBadRequest, Match: simulator.Match{Operation: "createWebhook"},
		})).To(Succeed())
		w.run()
		return w.until(w.webhook("received-messages"), v1alpha1.ReasonRejected)
	}},
	{"degraded_conflict", degraded, "", "Failed", "Failed", func(w *world) *unstructured.Unstructured {
		w.run()
		w.until(w.webhook("received-messages"), v1alpha1.ReasonReady)
		return w.untilStalled(w.webhook("the-same-once-more"), v1alpha1.ReasonConflict)
	}},
	{"degraded_secret_conflict", degraded, "", "Failed", "Failed", func(w *world) *unstructured.Unstructured {
		w.secret("received-messages-signing", "secret", "of-somebody-else")
		w.run()
		return w.until(w.webhook("received-messages", signed), v1alpha1.ReasonSecretConflict)
	}},
}

func signed(c *v1alpha1.Chatt2Webhook) { c.Spec.RequiresSignature = true }

func withKey(secret string) func(*v1alpha1.Chatt2Webhook) {
	return func(c *v1alpha1.Chatt2Webhook) { c.Spec.APIKeySecretRef.Name = secret }
}
