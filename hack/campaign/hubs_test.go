package campaign_test

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// documented is the Hub as it is documented, or most likely is.
const documented = ""

// hubs are the Hubs that somebody has, by name, where the documentation is silent.
var hubs = map[string]simulator.Variants{
	documented:         {},
	"newest-first":     {NewestFirst: true},
	"bare-lists":       {BareLists: true},
	"short-pages":      {MaxLimit: 2},
	"says-little":      {OmitFields: []string{"label", "requiresSignature"}},
	"ignores-labels":   {LabelUpdate: simulator.LabelIgnored},
	"refuses-labels":   {LabelUpdate: simulator.LabelRefused},
	"keeps-secrets":    {OmitSecret: true},
	"renames-secrets":  {SecretField: "signingSecret"},
	"verifies-first":   {VerifyBeforeAnswer: true},
	"verifies-later":   {VerifyAfter: simulator.Duration(2 * time.Second)},
	"verifies-changes": {VerifyChangedOnly: true},
	"odd-fields": {Fields: map[string]any{
		"numberOfErrors": "3", "active": "yes", "authenticationProtocol": 7, "lastModifiedDate": 5,
		"verifiedAt": "9999-12-31T23:59:59-03:00",
	}},
	"headers-unverify": {HeadersResetVerified: true},
	"normalizes":       {NormalizeEndpoint: true, NormalizeLabel: true, VerifyChangedOnly: true},
	"reads-lag":        {ReadLag: simulator.Duration(time.Second)},
	"old": {
		BareLists: true, NewestFirst: true, OmitFields: []string{"label", "requiresSignature"}, OmitSecret: true,
		LabelUpdate: simulator.LabelRefused, VerifyAfter: simulator.Duration(2 * time.Second), VerifyChangedOnly: true,
		HeadersResetVerified: true, ReadLag: simulator.Duration(time.Second), ErrorBody: simulator.ErrorHTML,
	},
}

// onHub is how something is written that is played on the Hub of that name.
func onHub(what, hub string) string {
	if hub == documented {
		return what
	}
	return what + "@" + hub
}

// hubOfWalk is the Hub of a walk: of each two walks the first is on the documented one.
func hubOfWalk(i int) string {
	if i%2 == 0 {
		return documented
	}
	others := otherHubs()
	return others[i/2%len(others)]
}

// otherHubs are the names of all Hubs but the documented one.
func otherHubs() []string { return slices.Sorted(maps.Keys(hubs))[1:] }

// hidesLabels: what a label is, or that somebody changed it, cannot be seen. takesNoLabels: a label stays what it is.
// hidesSigning: whether a webhook signs cannot be seen.
func (w *world) hidesLabels() bool { return slices.Contains(w.hub.Variants().OmitFields, "label") }

func (w *world) hidesSigning() bool {
	return slices.Contains(w.hub.Variants().OmitFields, "requiresSignature")
}

func (w *world) takesNoLabels() bool { return w.hub.Variants().LabelUpdate != simulator.LabelApplied }

// spell writes what a resource declares in a way that a Hub which normalizes does not store it.
func (w *world) spell(c *v1alpha1.Chatt2Webhook) {
	v := w.hub.Variants()
	if rest, plain := strings.CutPrefix(c.Spec.Endpoint, "https://shop.example/"); plain && v.NormalizeEndpoint {
		c.Spec.Endpoint = "https://Shop.Example:443/not/../" + rest
	}
	if v.NormalizeLabel {
		c.Spec.Label = " " + strings.ReplaceAll(strings.TrimSpace(c.Spec.Label), " ", "  ")
	}
}

// normalLabel and normalEndpoint are the spellings that a Hub which normalizes stores of what spell writes.
func normalLabel(label string) string { return strings.Join(strings.Fields(label), " ") }

func normalEndpoint(endpoint string) string {
	return strings.Replace(endpoint, "https://Shop.Example:443/not/../", "https://shop.example/", 1)
}

// playHub has the Hub be the one of that name.
func (w *world) playHub(name string) {
	variants, ok := hubs[name]
	if !ok {
		w.violated("the schedule", "there is no Hub %q", name)
	}
	w.hub.SetVariants(variants)
}
