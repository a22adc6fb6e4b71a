package v1alpha1_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// acceptance is a spec that must be accepted.
type acceptance struct {
	name, spec string
}

func mustAccept(t *testing.T, u *unstructured.Unstructured) {
	t.Helper()
	if err := dryRun(t, u); err != nil {
		t.Errorf("refused: %v", err)
	}
}

func acceptances(t *testing.T, cases []acceptance) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { mustAccept(t, manifest(t, c.spec)) })
	}
}

func TestAnEndpointIsAccepted(t *testing.T) {
	acceptances(t, []acceptance{
		{"without a path", "endpoint: https://a.example"},
		{"with port 443", "endpoint: https://a.example:443/hook"},
		{"with port 1", "endpoint: https://a.example:1"},
		{"with port 65535", "endpoint: https://a.example:65535/hook"},
		{"with a port and a query only", "endpoint: https://a.example:8443?tenant=7"},
		{"with a query", "endpoint: https://a.example/hook?tenant=7&kind=a%20b"},
		{"with a query and no path", "endpoint: https://a.example?tenant=7"},
		{"with a colon and an at sign in its path", "endpoint: https://a.example/v1:hook/@me"},
		{"with an at sign in its query", "endpoint: https://a.example/?to=me@b.example"},
		{"with an IPv4 host", "endpoint: https://192.0.2.7/hook"},
		{"with an IPv6 host", "endpoint: 'https://[2001:db8::7]/hook'"},
		{"with an IPv6 host and a port", "endpoint: 'https://[2001:db8::7]:8443/hook'"},
		{"with a punycode host", "endpoint: https://xn--bcher-kva.example/hook"},
		{"with digits and underscores in its host", "endpoint: https://1_a.x2-3.c0m:8443?x"},
		{"with a dot at the end of its host", "endpoint: https://a.example./hook"},
		{"with an IPv4 address in an IPv6 host", "endpoint: 'https://[::ffff:192.0.2.7]/hook'"},
		{"with a host in capitals", "endpoint: https://A.EXAMPLE/hook"},
		{"with percent encoding", "endpoint: https://a.example/%C3%BC"},
		{"of 2048 characters", "endpoint: https://a.example/" + strings.Repeat("x", 2048-len("https://a.example/"))},
	})
}

func TestALabelIsAccepted(t *testing.T) {
	acceptances(t, []acceptance{
		{"of one character", "label: x"},
		{"with spaces at its ends", `label: "  a  b "`},
		{"of 255 characters that take four bytes each", "label: " + strings.Repeat("🦀", 255)},
		{"with spaces, quotes and accents", `label: "Réception « messages » \"1\" 受信"`},
		{"from right to left", "label: رسائل"},
	})
}

func TestEveryChoiceIsAccepted(t *testing.T) {
	for _, protocol := range []string{
		"NoAuthentication", "Oauth20", "PasswordAuthentication", "AWSSignatureV4", "JWT", "JWTExchange",
	} {
		t.Run(protocol, func(t *testing.T) {
			mustAccept(t, manifest(t, "scope: read write\nauthenticationProtocol: "+protocol))
		})
	}
	acceptances(t, []acceptance{
		{"event type Message", "eventType: Message"},
		{"event type MessageStatus", "eventType: MessageStatus"},
		{"retain", "deletionPolicy: Retain"},
		{"ready when registered", "readyWhen: Registered"},
		{"suspend", "suspend: true"},
		{"never adopt", "adoption: {policy: Never}"},
		{"never adopt, with a null id", "adoption: {policy: Never, webhookID: null}"},
		{"adopt this one", "adoption: {webhookID: a1b2c3d4-e5f6-7890-abcd-ef1234567890}"},
		{"no scope and no id, as null", "scope: null\nadoption: {policy: IfMatching, webhookID: null}"},
		{"a scope of 1024 characters", "scope: " + strings.Repeat("x", 1024)},
		{"an API key elsewhere", "apiKeySecretRef: {name: keys.example, key: _Prod.key-1}"},
	})
}

func TestHeadersAreAccepted(t *testing.T) {
	acceptances(t, []acceptance{
		{"none", "headers: []"},
		{"thirty-two", headers(32)},
		{"with a value", header("key: X-Webhook-Secret, value: placeholder")},
		{"with an odd but lawful name", header("key: \"!#$%&'*+-.^_`|~09azAZ\", value: x")},
		{"with a value in unicode", header("key: X-A, value: grüße")},
		{"with the longest value", header("key: X-A, value: " + strings.Repeat("x", 4096))},
		{"with authorization", header("key: Authorization, valueFrom: {secretKeyRef: {name: receiver-auth, key: token}}")},
		{"from a ConfigMap", header("key: X-Tenant, valueFrom: {configMapKeyRef: {name: tenant, key: id}}")},
	})
}

func TestSigningIsAccepted(t *testing.T) {
	acceptances(t, []acceptance{
		{"with nothing said", "requiresSignature: true"},
		{"with an empty object", signing("")},
		{"with an overlap but no interval", signing("rotation: {overlap: 24h}")},
		{"with no overlap", signing("rotation: {interval: 10m, overlap: 0s}")},
		{"with an hour", signing("rotation: {interval: 1h, overlap: 59m59s}")},
		{"with a template", signing("template: {metadata: {labels: {team: chat, a.example/b: c}, annotations: {reloader.example/Match: 'true'}}}")},
		{"with 32 labels", signing("template: {metadata: {labels: {" + entries(32) + "}}}")},
	})
}

func TestADurationIsKeptAsWritten(t *testing.T) {
	for _, duration := range []string{"720h", "43200m", "1h60m", "2592000s", "000720h0m0s"} {
		t.Run(duration, func(t *testing.T) {
			u := manifest(t, signing("rotation: {interval: "+duration+", overlap: 600s}"))
			mustAccept(t, u)
			got, _, err := unstructured.NestedMap(u.Object, "spec", "signingSecret", "rotation")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string]any{"interval": duration, "overlap": "600s"}, got); diff != "" {
				t.Errorf("rotation (-want +got):\n%s", diff)
			}
		})
	}
}
