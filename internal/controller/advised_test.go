package controller_test

import (
	"net/http"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/controller"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

const noWebhook = "00000000-1111-2222-3333-444444444444"

var (
	forbidden   = simulator.Fault{Kind: simulator.Refused, Status: http.StatusForbidden}
	unavailable = simulator.Fault{Kind: simulator.ErrorBeforeCommit, Status: http.StatusServiceUnavailable}
	invalid     = simulator.Fault{Kind: simulator.ErrorBeforeCommit, Status: http.StatusBadRequest}
)

// of limits a fault to an operation.
func of(f simulator.Fault, operation string) simulator.Fault {
	f.Match.Operation = operation
	return f
}

// advised are the reasons whose message, or the reference, says what to do, and what happens then.
var advised = map[string][]advice{
	v1alpha1.ReasonPending: {{
		name: "remove the finalizer", gone: true, says: []string{"example.com/x"},
		enter:  deleted(nothing, func(c *v1alpha1.Chatt2Webhook) { c.Finalizers = []string{"example.com/x"} }),
		follow: edit(func(c *v1alpha1.Chatt2Webhook) { c.Finalizers = nil }),
	}},
	v1alpha1.ReasonSuspended: {{
		name: "set suspend to false", says: []string{"spec.suspend", "false"},
		enter:  applied(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Suspend = true }),
		follow: edit(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Suspend = false }),
	}},
	v1alpha1.ReasonAwaitingVerification: {{
		name: "bring the endpoint up", onHub: true, says: []string{"X-Validation-Token"},
		enter: func(w *world) *v1alpha1.Chatt2Webhook {
			w.endpoint.set(false)
			return applied()(w)
		},
		follow: func(w *world, _ *v1alpha1.Chatt2Webhook) { w.endpoint.set(true) },
	}},
	v1alpha1.ReasonVerificationFailed: {{
		name: "repair the endpoint and set the annotation", onHub: true,
		says: []string{"X-Validation-Token", v1alpha1.AnnotationReconcileRequestedAt},
		enter: func(w *world) *v1alpha1.Chatt2Webhook {
			w.endpoint.set(false)
			c := applied()(w)
			w.reason(c, v1alpha1.ConditionReady, v1alpha1.ReasonAwaitingVerification)
			retry(w, c)
			return c
		},
		follow: func(w *world, c *v1alpha1.Chatt2Webhook) {
			w.endpoint.set(true)
			retry(w, c)
		},
	}},
	v1alpha1.ReasonHubUnavailable: {{
		name: "repair the Hub", onHub: true, enter: failing(unavailable, applied()), follow: repaired,
	}},
	v1alpha1.ReasonThrottled: {{
		name: "wait", onHub: true, follow: repaired,
		enter: failing(of(simulator.Fault{Kind: simulator.TooManyRequests}, "createWebhook"), applied()),
	}},
	v1alpha1.ReasonForbidden: {{
		name: "allow the call and set the annotation", says: []string{v1alpha1.AnnotationReconcileRequestedAt},
		onHub: true, enter: failing(of(forbidden, "createWebhook"), applied()), follow: repairedAndRetried,
	}},
	v1alpha1.ReasonAPIKeyNotFound: {{
		name: "create the Secret", says: []string{"create it", `"later"`},
		enter:  applied(func(c *v1alpha1.Chatt2Webhook) { c.Spec.APIKeySecretRef.Name = "later" }),
		follow: putSecret("later", "apiKey", ""),
	}},
	v1alpha1.ReasonAPIKeyInvalid: {{
		name: "put the key there", says: []string{"put the API key there"},
		enter: after(putSecret("api-key", "other", "x"), applied()), follow: putSecret("api-key", "apiKey", ""),
	}, {
		name: "name the right key", says: []string{"spec.apiKeySecretRef.key"},
		enter:  after(putSecret("api-key", "token", ""), applied()),
		follow: edit(func(c *v1alpha1.Chatt2Webhook) { c.Spec.APIKeySecretRef.Key = "token" }),
	}},
	v1alpha1.ReasonAPIKeyRefused: {{
		name: "put a valid key there", says: []string{"put a valid one there"},
		enter: after(keyRevoked, applied()), follow: validKey,
	}, {
		name: "have the Hub accept the key and set the annotation", onHub: true,
		says:   []string{v1alpha1.AnnotationReconcileRequestedAt},
		enter:  after(keyRevoked, applied()),
		follow: sameKeyAndRetried,
	}},
	v1alpha1.ReasonHeaderSourceNotFound: {{
		name: "create the Secret", says: []string{"create it"}, enter: applied(headerOfSecret),
		follow: putSecret("source", "token", "value"),
	}, {
		name: "create the ConfigMap", says: []string{"create it"}, enter: applied(headerOfConfigMap),
		follow: putConfigMap("token"),
	}},
	v1alpha1.ReasonHeaderSourceInvalid: {{
		name: "add the key to the Secret", says: []string{"add it"},
		enter:  after(putSecret("source", "other", "value"), applied(headerOfSecret)),
		follow: putSecret("source", "token", "value"),
	}, {
		name: "correct the value", says: []string{"control characters"},
		enter:  after(putSecret("source", "token", "a\x01b"), applied(headerOfSecret)),
		follow: putSecret("source", "token", "value"),
	}, {
		name: "add the key to the ConfigMap", says: []string{"add it"},
		enter: after(putConfigMap("other"), applied(headerOfConfigMap)), follow: putConfigMap("token"),
	}},
	v1alpha1.ReasonHeaderSourceNotAllowed: {{
		name: "annotate the Secret", says: []string{v1alpha1.AnnotationAllowAsHeader + "=true"},
		enter: func(w *world) *v1alpha1.Chatt2Webhook {
			before := w.options
			w.options = func(op *controller.Operator) {
				before(op)
				op.Options.HeaderSecretsNeedOptIn = true
			}
			putSecret("source", "token", "value")(w, nil)
			return applied(headerOfSecret)(w)
		},
		follow: func(w *world, _ *v1alpha1.Chatt2Webhook) {
			s := w.secret("source")
			s.Annotations = map[string]string{v1alpha1.AnnotationAllowAsHeader: "true"}
			w.Expect1(w.Update(w.Context(), s))
		},
	}},
	v1alpha1.ReasonRejected: {{
		name: "correct spec", says: []string{"correct it"}, enter: labelRefused,
		follow: edit(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Label = "other" }),
	}, {
		name: "set the annotation once the Hub accepts it", says: []string{v1alpha1.AnnotationReconcileRequestedAt},
		enter: labelRefused, follow: repairedAndRetried,
	}},
	v1alpha1.ReasonNotApplied: {{
		name: "set what it shows", says: []string{"set spec to what the Hub has"}, enter: labelIgnored,
		follow: edit(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Label = "orders" }),
	}, {
		name: "delete and create anew", says: []string{"delete this resource and create it again"},
		enter: labelIgnored,
		follow: func(w *world, c *v1alpha1.Chatt2Webhook) {
			spec := w.get(c).Spec
			w.Expect1(w.Delete(w.Context(), c))
			w.gone(c)
			w.webhook(c.Name, func(c *v1alpha1.Chatt2Webhook) { c.Spec = spec })
		},
	}, {
		name: "set the annotation once the Hub takes it", says: []string{v1alpha1.AnnotationReconcileRequestedAt},
		enter: labelIgnored, follow: func(w *world, c *v1alpha1.Chatt2Webhook) {
			w.hub.SetVariants(simulator.Variants{})
			retry(w, c)
		},
	}},
	v1alpha1.ReasonAlreadyExists: {{
		name: "delete it on the Hub", onHub: true, says: []string{"delete it there"}, enter: existing(1),
		follow: deleteOnHub,
	}, {
		name: "set the policy", says: []string{"spec.adoption.policy", "IfMatching"}, enter: existing(1),
		follow: edit(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Adoption.Policy = v1alpha1.AdoptIfMatching }),
	}},
	v1alpha1.ReasonAmbiguousMatch: {{
		name: "delete all but one", onHub: true, says: []string{"delete all but one"}, enter: existing(2),
		follow: deleteOnHub,
	}, {
		name: "name the one to adopt", says: []string{"spec.adoption.webhookID"}, enter: existing(2),
		follow: func(w *world, c *v1alpha1.Chatt2Webhook) { adoptOnly(w.onHub()[1].ID)(w, c) },
	}},
	v1alpha1.ReasonAlreadyRegistered: {{
		name: "remove the id", says: []string{"remove that field"}, enter: adoptsAnother, follow: adoptNothing,
	}, {
		name: "give the present webhook up", says: []string{v1alpha1.AnnotationForceOrphan}, enter: adoptsAnother,
		follow: giveUp,
	}},
	v1alpha1.ReasonWebhookNotFound: {{
		name: "remove the id", onHub: true, says: []string{"remove it"}, enter: adopting(noWebhook), follow: adoptNothing,
	}, {
		name: "correct the id", onHub: true, says: []string{"correct"}, enter: adopting(noWebhook),
		follow: func(w *world, c *v1alpha1.Chatt2Webhook) { adoptOnly(w.byHand(w.declared("other")).ID)(w, c) },
	}},
	v1alpha1.ReasonConflict: {{
		name: "delete the older one", says: []string{"delete one of the two"}, enter: conflicting,
		follow: func(w *world, _ *v1alpha1.Chatt2Webhook) { w.Expect1(w.Delete(w.Context(), w.declared("older"))) },
	}, {
		name: "change the older one", says: []string{"change"}, enter: conflicting,
		follow: func(w *world, _ *v1alpha1.Chatt2Webhook) {
			w.change(w.declared("older"), func(c *v1alpha1.Chatt2Webhook) { c.Spec.Label = "changed" })
		},
	}, {
		name: "change the younger one", says: []string{"change"}, enter: conflicting,
		follow: edit(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Label = "changed" }),
	}},
	v1alpha1.ReasonApplicationChanged: {{
		name: "put the former key back", says: []string{"put the former key"}, enter: keyOfAnotherApplication,
		follow: putSecret("api-key", "apiKey", ""),
	}, {
		name: "give the webhook up", says: []string{v1alpha1.AnnotationForceOrphan}, enter: keyOfAnotherApplication,
		follow: giveUp,
	}},
	v1alpha1.ReasonSecretConflict: {{
		name: "delete the Secret", says: []string{"delete it"}, enter: secretInTheWay,
		follow: deleteSecret("orders-signing"),
	}, {
		name: "choose another name", says: []string{"spec.signingSecret.name"}, enter: secretInTheWay,
		follow: edit(func(c *v1alpha1.Chatt2Webhook) { c.Spec.SigningSecret = &v1alpha1.SigningSecret{Name: "other"} }),
	}},
	v1alpha1.ReasonSecretRejected: {
		secretRefused("permit the write and set the annotation", http.StatusForbidden),
		secretRefused("correct the policy and set the annotation", http.StatusUnprocessableEntity),
		{
			name: "delete the immutable Secret", says: []string{"must be deleted"},
			condition: v1alpha1.ConditionSigningSecretReady, enter: immutableSecret, follow: deleteSecret("orders-signing"),
		},
	},
	v1alpha1.ReasonMetadataRejected: {metadataRemoved()},
	v1alpha1.ReasonSecretNotStored: {
		secretRefused("repair the API server and set the annotation", http.StatusInternalServerError),
	},
	v1alpha1.ReasonDeletionBlocked: {{
		name: "give the webhook up", gone: true, says: []string{v1alpha1.AnnotationForceOrphan},
		enter: deleted(keyRevoked), follow: giveUp,
	}, {
		name: "put a valid key there", gone: true, says: []string{"put a valid one there"},
		enter: deleted(keyRevoked), follow: validKey,
	}, {
		name: "have the Hub accept the key and set the annotation", gone: true, onHub: true,
		says: []string{v1alpha1.AnnotationReconcileRequestedAt}, enter: deleted(keyRevoked), follow: sameKeyAndRetried,
	}, {
		name: "repair the Hub", gone: true, onHub: true, follow: repaired,
		enter: deleted(func(w *world, _ *v1alpha1.Chatt2Webhook) { w.Expect1(w.hub.AddFault(unavailable)) }),
	}, {
		name: "allow the call and set the annotation", gone: true, onHub: true,
		says: []string{v1alpha1.AnnotationReconcileRequestedAt}, follow: repairedAndRetried,
		enter: deleted(func(w *world, _ *v1alpha1.Chatt2Webhook) {
			w.Expect1(w.hub.AddFault(of(forbidden, "deleteWebhook")))
		}),
	}, {
		name: "have the Hub take the deletion and set the annotation", gone: true, onHub: true,
		says: []string{v1alpha1.AnnotationReconcileRequestedAt}, follow: repairedAndRetried,
		enter: deleted(func(w *world, _ *v1alpha1.Chatt2Webhook) {
			w.Expect1(w.hub.AddFault(of(invalid, "deleteWebhook")))
		}),
	}},
}

// header takes a header from a source.
func header(source v1alpha1.HeaderSource) func(*v1alpha1.Chatt2Webhook) {
	return func(c *v1alpha1.Chatt2Webhook) {
		c.Spec.Headers = []v1alpha1.Header{{Key: "X-Auth", ValueFrom: &source}}
	}
}

var (
	sourceKey         = &v1alpha1.KeyReference{Name: "source", Key: "token"}
	headerOfSecret    = header(v1alpha1.HeaderSource{SecretKeyRef: sourceKey})
	headerOfConfigMap = header(v1alpha1.HeaderSource{ConfigMapKeyRef: sourceKey})
)

// labelRefused brings a resource to have its registration refused.
func labelRefused(w *world) *v1alpha1.Chatt2Webhook {
	f := of(invalid, "createWebhook")
	f.Times = 1
	return failing(f, applied())(w)
}

// labelIgnored changes a label that the Hub does not change.
func labelIgnored(w *world) *v1alpha1.Chatt2Webhook {
	w.hub.SetVariants(simulator.Variants{LabelUpdate: simulator.LabelIgnored})
	c := w.ready(applied()(w))
	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.Label = "renamed" })
	return c
}

// existing registers webhooks by hand that are like the resource.
func existing(n int) func(*world) *v1alpha1.Chatt2Webhook {
	return func(w *world) *v1alpha1.Chatt2Webhook {
		for range n {
			w.byHand(w.declared("orders"))
		}
		return applied(func(c *v1alpha1.Chatt2Webhook) {
			if n == 1 {
				c.Spec.Adoption.Policy = v1alpha1.AdoptNever
			}
		})(w)
	}
}

func deleteOnHub(w *world, _ *v1alpha1.Chatt2Webhook) { w.Expect1(w.hub.DeleteByHand(w.onHub()[0].ID)) }

func adopting(id string) func(*world) *v1alpha1.Chatt2Webhook {
	return applied(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Adoption.WebhookID = &id })
}

func adoptOnly(id string) func(*world, *v1alpha1.Chatt2Webhook) {
	return edit(func(c *v1alpha1.Chatt2Webhook) { c.Spec.Adoption.WebhookID = &id })
}

func adoptNothing(w *world, c *v1alpha1.Chatt2Webhook) {
	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.Adoption.WebhookID = nil })
}

// adoptsAnother has a webhook and names another one to adopt.
func adoptsAnother(w *world) *v1alpha1.Chatt2Webhook {
	other := w.byHand(w.declared("other"))
	c := w.ready(applied()(w))
	adoptOnly(other.ID)(w, c)
	return c
}

// conflicting declares what an older resource declares.
func conflicting(w *world) *v1alpha1.Chatt2Webhook {
	w.run()
	older := w.ready(w.webhook("older"))
	return w.webhook("orders", sameAs(older))
}

func keyOfAnotherApplication(w *world) *v1alpha1.Chatt2Webhook {
	c := w.ready(applied()(w))
	otherApplication(w, c)
	return c
}

func secretInTheWay(w *world) *v1alpha1.Chatt2Webhook {
	w.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "orders-signing"}})
	return applied(signed)(w)
}

// immutableSecret asks for a rotation of a secret that cannot be changed.
func immutableSecret(w *world) *v1alpha1.Chatt2Webhook {
	c := w.ready(applied(signed)(w))
	s := w.secret("orders-signing")
	s.Immutable = new(true)
	w.Expect1(w.Update(w.Context(), s))
	w.annotate(c, v1alpha1.AnnotationRotateRequestedAt, "now")
	return c
}

// secretRefused is the advice when the API server answers the creation of the signing Secret with a status.
func secretRefused(name string, status int) advice {
	enter, follow := refusing(status)
	return advice{
		name: name, condition: v1alpha1.ConditionSigningSecretReady, enter: enter, follow: follow,
		says: []string{v1alpha1.AnnotationReconcileRequestedAt},
	}
}

// metadataRemoved is the advice when an admission policy removes the annotations of resources.
func metadataRemoved() advice {
	var end func()
	return advice{
		name: "exempt the resource and set the annotation", says: []string{v1alpha1.AnnotationReconcileRequestedAt},
		enter: func(w *world) *v1alpha1.Chatt2Webhook {
			end = w.removeAnnotations("chatt2webhooks")
			return applied()(w)
		},
		follow: func(w *world, c *v1alpha1.Chatt2Webhook) {
			end()
			retry(w, c)
		},
	}
}
