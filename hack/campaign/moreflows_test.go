package campaign_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// moreFlows are those that are variants of others, and what users and restores do to a webhook at rest.
var moreFlows = []flow{
	{
		name: "adopt-signed", before: func(w *world) { w.byHand(name, "https://shop.example/orders") },
		trigger: signedResource,
	},
	{name: "adopt-by-id", trigger: func(w *world) {
		made := w.byHand("by hand", "https://shop.example/by-hand")
		w.resource(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Adoption.WebhookID = &made.ID })
	}},
	{name: "update-signed", before: signedResource, trigger: func(w *world) {
		w.change(func(c *v1alpha1.Chatt2Webhook) {
			c.Spec.Label, c.Spec.EventType = "new", v1alpha1.EventTypeMessageStatus
		})
	}},
	{name: "delete-in-creation", before: func(w *world) {
		w.resource(signed)
		w.run(50 * time.Millisecond)
	}, open: true, trigger: deleteResource, gone: true},
	{name: "update-open-create", before: openCreate(lost), open: true, trigger: func(w *world) {
		w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.RequiresSignature = true })
	}},
	{name: "retain", before: func(w *world) {
		w.resource(signed, func(c *v1alpha1.Chatt2Webhook) { c.Spec.DeletionPolicy = v1alpha1.DeletionRetain })
	}, trigger: deleteResource, gone: true, ends: func(w *world) string {
		if len(w.hub.Webhooks(w.app.ID)) != 2 {
			return "S4: the webhook that was to be retained is gone"
		}
		return w.lostSecret()
	}},
	{name: "force-orphan", before: unsignedResource, trigger: func(w *world) {
		id := w.onHub()
		w.watch.abandoned[id], w.watch.flow.extra = true, 1
		w.change(annotate(v1alpha1.AnnotationForceOrphan, id))
	}, extra: 1, orphans: 1},
	{name: "delete-without-key", before: signedResource, trigger: func(w *world) {
		w.must(w.hub.RevokeKey(w.app.ID, "default"))
		deleteResource(w)
	}, gone: true, orphans: 1, ends: (*world).lostSecret},
	{name: "secret-lost", before: signedResource, trigger: func(w *world) {
		w.must(w.user.Delete(w.ctx, w.secret(signingName)))
		w.touch(key(name))
	}},
	{name: "secret-edited", before: signedResource, trigger: func(w *world) {
		w.changeSecret(signingName, v1alpha1.SecretKeyCurrent, canary+"edited")
		w.touch(key(name))
	}},
	{name: "secret-renamed", before: signedResource, trigger: secretNamed("renamed")},
	{name: "secret-renamed-twice", before: signedResource, trigger: func(w *world) {
		w.gate.then["create Secret"] = secretNamed("again")
		secretNamed("renamed")(w)
	}},
	{name: "secret-renamed-in-creation", large: true, trigger: func(w *world) {
		w.gate.then["create Secret"] = secretNamed("renamed")
		w.resource(signed)
	}},
	{name: "disable-in-creation", large: true, trigger: func(w *world) {
		w.gate.then["create Secret"] = func(w *world) {
			w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.SigningSecret, c.Spec.RequiresSignature = nil, false })
		}
		w.resource(signed, func(c *v1alpha1.Chatt2Webhook) { c.Spec.SigningSecret = &v1alpha1.SigningSecret{Name: "mine"} })
	}},
	{name: "disable-and-enable", before: signedResource, trigger: func(w *world) {
		w.gate.then["PATCH webhook"] = func(w *world) { w.change(signed) }
		w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.RequiresSignature = false })
	}},
	{name: "enable-and-disable", before: unsignedResource, trigger: func(w *world) {
		w.gate.then["PATCH webhook"] = func(w *world) {
			w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.RequiresSignature = false })
		}
		w.change(signed)
	}},
	{
		name: "secret-template", before: func(w *world) { w.resource(signed, withTemplate("former", "both")) },
		trigger: func(w *world) { w.change(withTemplate("both", "present")) }, ends: func(w *world) string {
			labels, annotations := w.secret(signingName).Labels, w.secret(signingName).Annotations
			if labels["former"]+annotations["former"] != "" || labels["both"]+annotations["present"] != "yesyes" {
				return fmt.Sprintf("L1: the Secret has the labels %v and annotations %v", labels, annotations)
			}
			return ""
		},
	},
	{name: "status-wiped", before: signedResource, trigger: func(w *world) { w.wipeStatus(key(name)) }},
	{name: "finalizer-removed", before: signedResource, trigger: func(w *world) {
		w.change(func(c *v1alpha1.Chatt2Webhook) { c.Finalizers = nil })
	}, ends: (*world).unheld},
	// Not right after the POST: what the process had written down is gone then, and should it die, nothing that lasts
	// tells of the registration. The policy in config/components/keep-finalizer has the API server refuse such an update.
	{name: "replaced-in-creation", large: true, trigger: func(w *world) {
		replacedAfter(w, "create Secret", "patch Chatt2Webhook/status")
		w.resource(signed)
	}, ends: (*world).unheld},
	{name: "replaced-in-update", before: signedResource, trigger: func(w *world) {
		replacedAfter(w, "PATCH webhook", "patch Chatt2Webhook/status")
		w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Endpoint = "https://shop.example/new" })
	}, ends: (*world).unheld},
	{name: "replaced-in-rotation", large: true, before: func(w *world) {
		w.resource(signed)
		w.run(restTime)
		w.change(rotateNow)
	}, open: true, trigger: func(w *world) {
		replacedAfter(w, "POST webhook redefine", "update Secret", "patch Chatt2Webhook/status")
	}, ends: (*world).unheld},
	{name: "suspend", before: signedResource, trigger: func(w *world) {
		w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Suspend, c.Spec.Label = true, "new" })
	}},
	{name: "resume", before: func(w *world) {
		w.resource(signed)
		w.run(restTime)
		w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Suspend, c.Spec.Label = true, "new" })
	}, trigger: func(w *world) {
		w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Suspend = false })
	}},
	{name: "look-again", before: signedResource, trigger: func(w *world) { w.askAgain(key(name), "now") }, ends: func(w *world) string {
		if w.get().Status.LastHandledReconcileAt != "now" {
			return "L1: the user's request is not answered"
		}
		return ""
	}},
}

// replacedAfter has a user replace the resource by its manifest right after each of these effects, with a PUT that
// names neither finalizers nor annotations, as `kubectl replace` and Replace=true of Argo CD do.
func replacedAfter(w *world, effects ...string) {
	for _, effect := range effects {
		w.gate.then[effect] = func(w *world) {
			// Not between what a paused process has written down and its POST, see above.
			if slices.ContainsFunc(w.lives, func(in *incarnation) bool { return in.asleep }) {
				return
			}
			w.change(func(c *v1alpha1.Chatt2Webhook) { c.Finalizers, c.Annotations = nil, nil })
		}
	}
}

// unheld is what is wrong with a resource that has a webhook and no finalizer.
func (w *world) unheld() string {
	if !slices.Contains(w.get().Finalizers, v1alpha1.WebhookFinalizer) {
		return "S6: the finalizer is not there"
	}
	return ""
}

// lostSecret is what is wrong with the signing Secret of a resource that is gone and whose webhook goes on signing: it
// must be there, belong to no resource and hold what the Hub signs with, unless the API server refused to let it be
// kept.
func (w *world) lostSecret() string {
	for _, e := range w.gate.trace {
		if strings.HasSuffix(e.what, " Secret") && e.became.isOneOf(forbidden, invalid) {
			return ""
		}
	}
	s := w.secret(signingName)
	switch {
	case s == nil:
		return "the Hub goes on signing, and the only copy of the secret is gone"
	case len(s.OwnerReferences) > 0:
		return "the signing Secret goes with a resource that is gone"
	case string(s.Data[v1alpha1.SecretKeyCurrent]) != w.hub.SecretOf(s.Annotations[v1alpha1.AnnotationWebhookID]):
		return "the Secret that was kept does not hold what the Hub signs with"
	}
	return ""
}

// noticeTime is until when the operator need not have noticed what a user did to a signing Secret.
const noticeTime = 2 * time.Minute

// secretNamed has the signing Secret of the resource be named otherwise.
func secretNamed(as string) func(*world) {
	return func(w *world) {
		w.change(func(c *v1alpha1.Chatt2Webhook) { c.Spec.SigningSecret = &v1alpha1.SigningSecret{Name: as} })
	}
}

// withTemplate has the signing Secret carry labels and annotations with these keys.
func withTemplate(keys ...string) func(*v1alpha1.Chatt2Webhook) {
	return func(c *v1alpha1.Chatt2Webhook) {
		m := v1alpha1.SecretTemplateMetadata{
			Labels: map[string]v1alpha1.LabelValue{}, Annotations: map[string]v1alpha1.AnnotationValue{},
		}
		for _, key := range keys {
			m.Labels[key], m.Annotations[key] = "yes", "yes"
		}
		c.Spec.SigningSecret = &v1alpha1.SigningSecret{Template: &v1alpha1.SecretTemplate{Metadata: m}}
	}
}

// touch records that a user has changed the signing Secret of a resource.
func (w *world) touch(of types.NamespacedName) { w.watch.touched[of] = w.clock.now.Add(noticeTime) }
