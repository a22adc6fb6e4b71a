package v1alpha1_test

import (
	"fmt"
	"strings"
	"testing"
)

func signing(fields string) string { return "requiresSignature: true\nsigningSecret: {" + fields + "}" }

func TestASigningSecretIsRefused(t *testing.T) {
	const field = "spec.signingSecret"
	const needed = "may only be set together with `requiresSignature: true`; set that, or remove signingSecret"
	refusals(t, []refusal{
		{"without requiresSignature", "signingSecret: {name: a}", field, needed},
		{"with requiresSignature false", "requiresSignature: false\nsigningSecret: {name: a}", field, needed},
		{"with an empty name", signing(`name: ""`), field + ".name", objectName},
		{"with capitals in its name", signing("name: Signing"), field + ".name", objectName},
		{"with a long name", signing("name: " + strings.Repeat("x", 254)), field + ".name", "may not be more than 253 bytes"},
		{"with the name of the API key", signing("name: chatt2-api-key"), field + ".name", "must not be the Secret of apiKeySecretRef; choose another name"},
	})
}

func TestARotationIsRefused(t *testing.T) {
	const interval, overlap = "spec.signingSecret.rotation.interval", "spec.signingSecret.rotation.overlap"
	const shorter = "must be shorter than interval (overlap is 10m when it is not set)"
	rotation := func(fields string) string { return signing("rotation: {" + fields + "}") }
	refusals(t, []refusal{
		{"in days", rotation("interval: 30d"), interval, durationFormat},
		{"with a fraction", rotation("interval: 1.5h"), interval, durationFormat},
		{"that is negative", rotation("interval: -1h"), interval, durationFormat},
		{"without a unit", rotation(`interval: "720"`), interval, durationFormat},
		{"in milliseconds", rotation("interval: 900000ms"), interval, durationFormat},
		{"that is empty", rotation(`interval: ""`), interval, durationFormat},
		{"more often than every ten minutes", rotation("interval: 9m59s, overlap: 1m"), interval, "must be at least 10m"},
		{"with an interval that is too long", rotation("interval: " + strings.Repeat("1h", 17)), interval, "may not be more than 32 bytes"},
		{"with an overlap in days", rotation("overlap: 1d"), overlap, durationFormat},
		{"with an overlap that is too long", rotation("overlap: " + strings.Repeat("1h", 17)), overlap, "may not be more than 32 bytes"},
		{"with an overlap as long as the interval", rotation("interval: 1h, overlap: 60m"), overlap, shorter},
		{"with an interval as long as the default overlap", rotation("interval: 10m"), overlap, shorter},
	})
}

func TestATemplateIsRefused(t *testing.T) {
	const labels = "spec.signingSecret.template.metadata.labels"
	const annotations = "spec.signingSecret.template.metadata.annotations"
	const labelSyntax, annotationSyntax = "must have valid label names and values", "must have valid annotation names"
	const ownLabel = "must not name app.kubernetes.io/managed-by or a label of hub.chatt2.me, which are the operator's own"
	const ownAnnotation = "must not name an annotation of hub.chatt2.me, which are the operator's own"
	template := func(kind, entries string) string {
		return signing("template: {metadata: {" + kind + ": {" + entries + "}}}")
	}
	refusals(t, []refusal{
		{"with a bad label name", template("labels", `"a b": c`), labels, labelSyntax},
		{"with a bad label value", template("labels", `a: "b c"`), labels, labelSyntax},
		{"with a long label name", template("labels", strings.Repeat("x", 64)+": a"), labels, labelSyntax},
		{"with a long label value", template("labels", "a: "+strings.Repeat("x", 64)), labels + ".a", "may not be more than 63 bytes"},
		{"with 33 labels", template("labels", entries(33)), labels, "must have at most 32 items"},
		{"with the managed-by label", template("labels", "app.kubernetes.io/managed-by: me"), labels, ownLabel},
		{"with a label of ours", template("labels", "hub.chatt2.me/x: here"), labels, ownLabel},
		{"with a bad annotation name", template("annotations", `"a b": c`), annotations, annotationSyntax},
		{"with a long annotation", template("annotations", "a: "+strings.Repeat("x", 4097)), annotations + ".a", "may not be more than 4096 bytes"},
		{"with 33 annotations", template("annotations", entries(33)), annotations, "must have at most 32 items"},
		{"with an annotation of ours", template("annotations", "hub.chatt2.me/rotated-at: now"), annotations, ownAnnotation},
	})
}

func TestALongNameNeedsANameForItsSecret(t *testing.T) {
	long := strings.Repeat("x", 246)
	mustRefuse(t, named(long, manifest(t, "requiresSignature: true")), "spec.signingSecret.name",
		"must be set when metadata.name is longer than 245 characters, for `<metadata.name>-signing` would be too long")
	mustAccept(t, named(long, manifest(t, signing("name: short"))))
	mustAccept(t, named(long, manifest(t, "")))
	mustAccept(t, named(long[1:], manifest(t, "requiresSignature: true")))
}

// entries are n entries of a flow mapping.
func entries(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("k%d: v", i)
	}
	return strings.Join(list, ", ")
}
