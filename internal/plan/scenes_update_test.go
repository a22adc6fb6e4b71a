package plan

import (
	"slices"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
)

func newGeneration(o *Observed) { o.Object.Generation++ }

func spelled(s *v1alpha1.Chatt2WebhookSpec) {
	s.Label, s.Endpoint = " L  x ", "https://Hooks.Example:443/e"
}

// ignoring records ignored fields as earlier versions did, by name only.
func ignoring(fields ...string) with { return func(o *Observed) { o.Applied.Ignored = fields } }

// ignored records that the Hub was sent a field and did not change it.
func ignored(field string) with { return func(o *Observed) { o.Applied.Ignored = o.Ignoring(field) } }

func updateScenes() []scene {
	const right = "what differs on the Hub is updated"
	updating := v1alpha1.ReasonUpdating
	sends := func(drift bool, fields ...string) func(Plan) bool {
		return func(p Plan) bool { return slices.Equal(p.Changes, fields) && p.Drift == drift }
	}
	oldDeployment := remote(func(w *hub.Webhook) {
		w.Label, w.Scope, w.AuthenticationProtocol = hub.Field[string]{}, hub.Scope{}, hub.Field[string]{}
		w.RequiresSignature = hub.Field[bool]{}
	})
	return []scene{
		{name: "the endpoint was changed on the Hub", o: observed(remote(drifted)), rule: right, action: Update, id: mine, reason: updating, is: sends(true, FieldEndpoint)},
		{name: "the endpoint was changed in spec", o: observed(remote(drifted), newGeneration), rule: right, action: Update, id: mine, reason: updating, is: sends(false, FieldEndpoint)},
		{
			name: "everything differs", rule: right, action: Update, id: mine, reason: updating,
			o: observed(newGeneration, func(o *Observed) { o.Headers.Hash = "new" }, spec(func(s *v1alpha1.Chatt2WebhookSpec) {
				s.Label, s.Endpoint, s.EventType = "M", "https://m.example", v1alpha1.EventTypeMessageStatus
				s.AuthenticationProtocol, s.Scope, s.RequiresSignature = v1alpha1.JWT, new("scope"), true
			})),
			is: sends(false, FieldLabel, FieldEndpoint, FieldEventType, FieldAuthenticationProtocol, FieldScope, FieldRequiresSignature, FieldHeaders),
		},
		{name: "a header's source changed", o: observed(func(o *Observed) { o.Headers.Hash = "new" }), rule: right, action: Update, id: mine, reason: updating, is: sends(false, FieldHeaders)},
		{name: "the webhook was adopted", o: observed(func(o *Observed) { o.Applied = v1alpha1.AppliedStatus{} }, remote(drifted)), rule: right, action: Update, id: mine, reason: updating, is: sends(false, FieldEndpoint, FieldHeaders)},
		{name: "something differs and a header's source is missing", o: observed(headerless, remote(drifted)), rule: right, action: Update, id: mine, reason: updating, is: sends(true, FieldEndpoint)},
		{name: "the scope was removed", o: observed(remote(func(w *hub.Webhook) { w.Scope.Value = "old" })), rule: right, action: Update, id: mine, reason: updating, is: sends(true, FieldScope)},

		{name: "the webhook was adopted and the Hub does not show whether it signs", o: observed(func(o *Observed) { o.Applied = v1alpha1.AppliedStatus{} }, oldDeployment), rule: right, action: Update, id: mine, reason: updating, is: sends(false, FieldRequiresSignature, FieldHeaders)},
		{name: "an older deployment shows little", o: observed(oldDeployment), rule: inSync, action: Rest},
		{name: "an older deployment after the webhook was adopted", o: observed(oldDeployment, func(o *Observed) { o.Applied.Label = "" }), rule: inSync, action: Rest},
		{name: "an older deployment and another label in spec", o: observed(oldDeployment, newGeneration, spec(func(s *v1alpha1.Chatt2WebhookSpec) { s.Label = "M" })), rule: right, action: Update, id: mine, reason: updating, is: sends(false, FieldLabel)},
		{name: "an older deployment and a scope in spec", o: observed(oldDeployment, newGeneration, spec(func(s *v1alpha1.Chatt2WebhookSpec) { s.Scope = new("s") })), rule: right, action: Update, id: mine, reason: updating, is: sends(false, FieldScope)},
		{name: "an older deployment that took the scope", o: observed(oldDeployment, spec(func(s *v1alpha1.Chatt2WebhookSpec) { s.Scope = new("s") }), func(o *Observed) { o.Applied.Scope = "s" }), rule: inSync, action: Rest},

		{name: "the Hub stores another spelling", o: observed(spec(spelled), remote(func(w *hub.Webhook) { w.Label.Value, w.Endpoint = "L x", "https://hooks.example/e" })), rule: inSync, action: Rest},
		{name: "spec is spelled another way", o: observed(newGeneration, remote(func(w *hub.Webhook) { w.Label.Value = " L" }), spec(func(s *v1alpha1.Chatt2WebhookSpec) { s.Endpoint = "https://hooks.example:443/e" })), rule: inSync, action: Rest},
		{name: "the Hub stores another spelling of something else", o: observed(spec(spelled), remote(func(w *hub.Webhook) { w.Label.Value, w.Endpoint = "L y", "https://hooks.example/E" })), rule: right, action: Update, id: mine, reason: updating, is: sends(true, FieldLabel, FieldEndpoint)},
		{name: "a verification stopped after its first call", o: observed(remote(func(w *hub.Webhook) { w.Endpoint = hub.Respell("https://hooks.example/e") })), rule: right, action: Update, id: mine, reason: updating, is: sends(true, FieldEndpoint)},
		{name: "a verification stopped after its first call where the Hub stores another spelling", o: observed(spec(spelled), remote(func(w *hub.Webhook) { w.Label.Value, w.Endpoint = "L x", "https://hooks.example/%65" })), rule: right, action: Update, id: mine, reason: updating, is: sends(true, FieldEndpoint)},

		{name: "the Hub ignores the label", o: observed(remote(func(w *hub.Webhook) { w.Label.Value = "old" }), ignoring(FieldLabel)), rule: inSync, action: Rest},
		{name: "the Hub ignores the label and spec changed", o: observed(remote(func(w *hub.Webhook) { w.Label.Value = "old" }), ignoring(FieldLabel), newGeneration), rule: right, action: Update, id: mine, reason: updating, is: sends(false, FieldLabel)},
		{name: "the Hub ignores the label of a spec that status does not know yet", o: observed(remote(func(w *hub.Webhook) { w.Label.Value = "old" }), newGeneration, ignored(FieldLabel)), rule: inSync, action: Rest},
		{name: "the Hub ignores the label and still shows the same value", o: observed(remote(func(w *hub.Webhook) { w.Label.Value = "old" }), ignored(FieldLabel)), rule: inSync, action: Rest},
		{name: "the Hub ignores the label and shows it in another spelling", o: observed(remote(func(w *hub.Webhook) { w.Label.Value = "old" }), ignored(FieldLabel), remote(func(w *hub.Webhook) { w.Label.Value = " old" })), rule: inSync, action: Rest},
		{name: "the Hub ignores the label and shows a third value", o: observed(remote(func(w *hub.Webhook) { w.Label.Value = "old" }), ignored(FieldLabel), remote(func(w *hub.Webhook) { w.Label.Value = "third" })), rule: right, action: Update, id: mine, reason: updating, is: sends(true, FieldLabel)},
		{name: "the Hub ignored the label of the spec before and status is about this one", o: observed(remote(func(w *hub.Webhook) { w.Label.Value = "old" }), ignored(FieldLabel), newGeneration, func(o *Observed) { o.Object.Status.ObservedGeneration = o.Object.Generation }), rule: right, action: Update, id: mine, reason: updating, is: sends(true, FieldLabel)},
		{name: "the Hub ignores the label and a look is asked for", o: observed(remote(func(w *hub.Webhook) { w.Label.Value = "old" }), ignoring(FieldLabel), asked, seenAt(noon)), rule: right, action: Update, id: mine, reason: updating, is: sends(true, FieldLabel)},
		{name: "the Hub ignores the label and the endpoint differs", o: observed(remote(func(w *hub.Webhook) { w.Label.Value = "old" }), ignoring(FieldLabel), remote(drifted)), rule: right, action: Update, id: mine, reason: updating, is: sends(true, FieldEndpoint)},
	}
}
