package v1alpha1_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	tooShort          = "should be at least 1 chars long"
	onlySpaces        = "must not consist of spaces only; write the name that the Hub is to show"
	controlCharacters = "must not contain control characters such as tabs or line breaks"
	objectName        = "must be an object name: lower-case letters, digits, hyphens and dots"
	dataKey           = "must be a data key: letters, digits, hyphens, underscores and dots"
	httpsURL          = "must be an absolute URL with the scheme https and a host, such as https://example.com/hook"
	portRange         = "must have a port between 1 and 65535, or none"
	durationFormat    = "must be a duration in whole hours (at most 6 digits), minutes and seconds, such as 720h or 1h30m"
	ownHeader         = "must not be a header that HTTP or the Hub itself sets (Host, Connection, Transfer-Encoding, " +
		"Content-*, X-Validation-Token, X-hub-Signature and the like); choose another name"
	headerToken = "must be an HTTP header name: letters, digits and hyphens, such as X-Webhook-Secret"
)

// refusal is a spec that must be refused with exactly one complaint, about field and ending in message.
type refusal struct {
	name, spec, field, message string
}

func refusals(t *testing.T, cases []refusal) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			mustRefuse(t, manifest(t, c.spec), c.field, c.message)
		})
	}
}

func mustRefuse(t *testing.T, u *unstructured.Unstructured, field, message string) {
	t.Helper()
	err := dryRun(t, u)
	if err == nil {
		t.Fatalf("accepted; want a refusal of %s: %s", field, message)
	}
	got := complaints(t, err)
	if len(got) != 1 || got[0].Field != field || !strings.HasSuffix(got[0].Message, message) {
		t.Errorf("want one complaint\n  %s: ... %s\ngot", field, message)
		for _, cause := range got {
			t.Errorf("  %s: %s", cause.Field, cause.Message)
		}
	}
}

func TestARequiredFieldIsAskedFor(t *testing.T) {
	for _, field := range []string{"label", "endpoint", "eventType", "apiKeySecretRef"} {
		t.Run(field, func(t *testing.T) {
			mustRefuse(t, without(t, field), "spec."+field, "Required value")
		})
	}
}

func TestALabelIsRefused(t *testing.T) {
	const field = "spec.label"
	refusals(t, []refusal{
		{"empty", `label: ""`, field, tooShort},
		{"of spaces only", `label: "  "`, field, onlySpaces},
		{"of a no-break space and a byte order mark", `label: "\u00a0\ufeff"`, field, onlySpaces},
		{"of 256 characters", "label: " + strings.Repeat("x", 256), field, "may not be more than 255 bytes"},
		{"with a tab", `label: "a\tb"`, field, controlCharacters},
		{"with a line break at its end", `label: "a\n"`, field, controlCharacters},
		{"with a C1 control character", `label: "a\u0085b"`, field, controlCharacters},
	})
}

func TestAnEndpointIsRefused(t *testing.T) {
	const (
		field    = "spec.endpoint"
		userInfo = "must not contain user info; remove the part before the @ and send credentials in `headers` " +
			"with valueFrom.secretKeyRef"
		fragment = "must not contain a fragment; remove the # and what follows it"
		ascii    = "must be printable ASCII without spaces; write international host names in punycode (xn--...) " +
			"and percent-encode other characters"
		backslash = "must not contain a backslash; write a slash, or %5C for a backslash in the path or query"
		host      = "must have a host that is a DNS name (letters, digits, hyphens and dots; international names in " +
			"punycode, xn--...), an IPv4 address of four decimal numbers or an IPv6 address in brackets without a zone"
	)
	long := "https://a.example/" + strings.Repeat("x", 2048)
	refusals(t, []refusal{
		{"empty", `endpoint: ""`, field, httpsURL},
		{"of more than 2048 characters", "endpoint: " + long, field, "may not be more than 2048 bytes"},
		{"with http", "endpoint: http://a.example/hook", field, httpsURL},
		{"with the scheme in capitals", "endpoint: HTTPS://a.example/hook", field, httpsURL},
		{"without a scheme", "endpoint: a.example/hook", field, httpsURL},
		{"that is a path", "endpoint: /hook", field, httpsURL},
		{"without a host", "endpoint: https:///hook", field, httpsURL},
		{"without anything", "endpoint: https://", field, httpsURL},
		{"with a port and no host", "endpoint: https://:8443/hook", field, httpsURL},
		{"with a query and no host", "endpoint: https://?a=b", field, httpsURL},
		{"with a user", "endpoint: https://me@a.example/hook", field, userInfo},
		{"with a user and a password", "endpoint: https://me:x@a.example/hook", field, userInfo},
		{"with an empty user", "endpoint: https://@a.example/hook", field, userInfo},
		{"with a fragment", "endpoint: https://a.example/hook#top", field, fragment},
		{"with an empty fragment", "endpoint: 'https://a.example/hook#'", field, fragment},
		{"with a space", "endpoint: https://a.example/a hook", field, ascii},
		{"with a host that is not in punycode", "endpoint: https://bücher.example/hook", field, ascii},
		{"with port 0", "endpoint: https://a.example:0/hook", field, portRange},
		{"with port 65536", "endpoint: https://a.example:65536/hook", field, portRange},
		{"with a port of six digits", "endpoint: https://a.example:000443/hook", field, portRange},
		{"with a colon and no port", "endpoint: 'https://a.example:/hook'", field, portRange},
		{"with a port that is no number", "endpoint: https://a.example:https/hook", field, httpsURL},
		{"with a backslash in its path", `endpoint: https://a.example/a\b`, field, backslash},
		{"with a backslash in its query", `endpoint: https://a.example/?a\b`, field, backslash},
		{"with an IPv4 address of two numbers", "endpoint: https://127.1/hook", field, host},
		{"with an IPv4 address of one number", "endpoint: https://2130706433/hook", field, host},
		{"with a hexadecimal IPv4 address", "endpoint: https://0x7f.0.0.1/hook", field, host},
		{"with an octal IPv4 address", "endpoint: https://0177.0.0.1:8443/hook", field, host},
		{"with an IPv4 address out of range", "endpoint: https://256.0.0.1/hook", field, host},
		{"with an IPv6 zone", "endpoint: 'https://[fe80::1%25eth0]/hook'", field, host},
		{"with a host with an empty label", "endpoint: https://a..example/hook", field, host},
		{"with a host that is percent-encoded", "endpoint: https://b%C3%BCcher.example/hook", field, host},
		{"with a wildcard in its host", "endpoint: https://*.example/hook", field, host},
		{"with a comma in its host", "endpoint: 'https://a,b.example/hook'", field, host},
		{"with an open bracket", "endpoint: 'https://[::1/hook'", field, httpsURL},
	})
}

func TestAnEnumNamesItsValues(t *testing.T) {
	refusals(t, []refusal{
		{"eventType", "eventType: Messages", "spec.eventType", `supported values: "Message", "MessageStatus"`},
		{"an empty eventType", `eventType: ""`, "spec.eventType", `supported values: "Message", "MessageStatus"`},
		{
			"authenticationProtocol", "authenticationProtocol: OAuth20", "spec.authenticationProtocol",
			`supported values: "NoAuthentication", "Oauth20", "PasswordAuthentication", "AWSSignatureV4", "JWT", "JWTExchange"`,
		},
		{"deletionPolicy", "deletionPolicy: Orphan", "spec.deletionPolicy", `supported values: "Delete", "Retain"`},
		{"readyWhen", "readyWhen: Active", "spec.readyWhen", `supported values: "Verified", "Registered"`},
		{"adoption.policy", "adoption: {policy: Always}", "spec.adoption.policy", `supported values: "IfMatching", "Never"`},
	})
}

func TestAScopeIsRefused(t *testing.T) {
	const field = "spec.scope"
	refusals(t, []refusal{
		{"empty", `scope: ""`, field, tooShort},
		{"of 1025 characters", "scope: " + strings.Repeat("x", 1025), field, "may not be more than 1024 bytes"},
		{"with a line break", `scope: "a\nb"`, field, controlCharacters},
	})
}

func TestAReferenceToTheAPIKeyIsRefused(t *testing.T) {
	const name, key = "spec.apiKeySecretRef.name", "spec.apiKeySecretRef.key"
	refusals(t, []refusal{
		{"without a name", "apiKeySecretRef: {key: apiKey}", name, "Required value"},
		{"with an empty name", `apiKeySecretRef: {name: ""}`, name, objectName},
		{"with capitals in its name", "apiKeySecretRef: {name: Key}", name, objectName},
		{"with a long name", "apiKeySecretRef: {name: " + strings.Repeat("x", 254) + "}", name, "may not be more than 253 bytes"},
		{"with an empty key", `apiKeySecretRef: {name: a, key: ""}`, key, dataKey},
		{"with a slash in its key", "apiKeySecretRef: {name: a, key: a/b}", key, dataKey},
		{"with a long key", "apiKeySecretRef: {name: a, key: " + strings.Repeat("x", 254) + "}", key, "may not be more than 253 bytes"},
		{
			"that the signing secret would be written to", "requiresSignature: true\napiKeySecretRef: {name: received-messages-signing}",
			"spec.apiKeySecretRef.name",
			"must not be the Secret that the signing secret goes to (`<metadata.name>-signing`); choose another name or set signingSecret.name",
		},
	})
}

func TestAdoptionIsRefused(t *testing.T) {
	const field = "spec.adoption.webhookID"
	const uuid = "must be the id of a webhook on the Hub, a UUID in lower case"
	refusals(t, []refusal{
		{"of an id in capitals", "adoption: {webhookID: A1B2C3D4-E5F6-7890-ABCD-EF1234567890}", field, uuid},
		{"of an id without hyphens", "adoption: {webhookID: a1b2c3d4e5f67890abcdef1234567890}", field, uuid},
		{"of an empty id", `adoption: {webhookID: ""}`, field, uuid},
		{"of an id that is too long", "adoption: {webhookID: a1b2c3d4-e5f6-7890-abcd-ef12345678901}", field, "may not be more than 36 bytes"},
		{
			"of an id with the policy Never", "adoption: {policy: Never, webhookID: a1b2c3d4-e5f6-7890-abcd-ef1234567890}",
			field, "may not be set with the policy 'Never'; set policy 'IfMatching' or remove webhookID",
		},
	})
}

func TestAnUnknownFieldIsRefused(t *testing.T) {
	err := dryRun(t, manifest(t, "endpiont: https://a.example"))
	if err == nil || !strings.Contains(err.Error(), `unknown field "spec.endpiont"`) {
		t.Errorf("want the misspelt field named, got %v", err)
	}
}
