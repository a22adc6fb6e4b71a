package v1alpha1_test

import (
	"fmt"
	"strings"
	"testing"
)

func header(fields string) string { return "headers: [{" + fields + "}]" }

func TestAHeaderIsRefused(t *testing.T) {
	const entry, key = "spec.headers[0]", "spec.headers[0].key"
	const oneOf = "must have exactly one of value and valueFrom"
	refusals(t, []refusal{
		{"without a key", header("value: x"), key, "Required value"},
		{"with an empty key", header(`key: "", value: x`), key, headerToken},
		{"with a space in its key", header("key: X Secret, value: x"), key, headerToken},
		{"with a colon in its key", header("key: 'X:', value: x"), key, headerToken},
		{"with an umlaut in its key", header("key: Schlüssel, value: x"), key, headerToken},
		{"with a long key", header("key: " + strings.Repeat("x", 129) + ", value: x"), key, "may not be more than 128 bytes"},
		{"with neither value nor source", header("key: X-A"), entry, oneOf},
		{"with both value and source", header("key: X-A, value: x, valueFrom: {secretKeyRef: {name: a, key: b}}"), entry, oneOf},
		{"with an empty value", header(`key: X-A, value: ""`), entry + ".value", tooShort},
		{"with a line break in its value", header(`key: X-A, value: "a\r\nX-B: b"`), entry + ".value", controlCharacters},
		{
			"with a long value", header("key: X-A, value: " + strings.Repeat("x", 4097)),
			entry + ".value", "may not be more than 4096 bytes",
		},
	})
}

func TestAHeaderThatIsNotTheUsersIsRefused(t *testing.T) {
	for _, key := range []string{
		"Host", "HOST", "Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
		"Content-Type", "content-length", "Content-Anything", "X-Validation-Token", "X-hub-Signature", "X-Hub-Signature",
	} {
		t.Run(key, func(t *testing.T) {
			mustRefuse(t, manifest(t, header("key: "+key+", value: x")), "spec.headers[0].key", ownHeader)
		})
	}
}

func TestTheSourceOfAHeaderIsRefused(t *testing.T) {
	const from = "spec.headers[0].valueFrom"
	const oneOf = "must have exactly one of secretKeyRef and configMapKeyRef"
	source := func(fields string) string { return header("key: X-A, valueFrom: {" + fields + "}") }
	refusals(t, []refusal{
		{"with nothing in it", source(""), from, oneOf},
		{"with a Secret and a ConfigMap", source("secretKeyRef: {name: a, key: b}, configMapKeyRef: {name: a, key: b}"), from, oneOf},
		{"without a name", source("secretKeyRef: {key: b}"), from + ".secretKeyRef.name", "Required value"},
		{"without a key", source("configMapKeyRef: {name: a}"), from + ".configMapKeyRef.key", "Required value"},
		{"with a slash in its key", source("secretKeyRef: {name: a, key: b/c}"), from + ".secretKeyRef.key", dataKey},
		{"with a space in its name", source("configMapKeyRef: {name: a b, key: c}"), from + ".configMapKeyRef.name", objectName},
		{"with capitals in its name", source("secretKeyRef: {name: A, key: b}"), from + ".secretKeyRef.name", objectName},
		{"with a space in its key", source("configMapKeyRef: {name: a, key: b c}"), from + ".configMapKeyRef.key", dataKey},
		{
			"with a long name", source("secretKeyRef: {name: " + strings.Repeat("x", 254) + ", key: b}"),
			from + ".secretKeyRef.name", "may not be more than 253 bytes",
		},
		{
			"with a long key", source("secretKeyRef: {name: a, key: " + strings.Repeat("x", 254) + "}"),
			from + ".secretKeyRef.key", "may not be more than 253 bytes",
		},
	})
}

func TestAListOfHeadersIsRefused(t *testing.T) {
	refusals(t, []refusal{
		{"of 33", headers(33), "spec.headers", "must have at most 32 items"},
		{
			"with two that differ by case", "headers: [{key: X-Secret, value: a}, {key: x-secret, value: b}]",
			"spec.headers", "must not name a header twice; header names do not differ by case",
		},
	})
}

// headers is a list of n headers.
func headers(n int) string {
	var list strings.Builder
	list.WriteString("headers:\n")
	for i := range n {
		fmt.Fprintf(&list, "- {key: X-Header-%d, value: \"%d\"}\n", i, i)
	}
	return list.String()
}
