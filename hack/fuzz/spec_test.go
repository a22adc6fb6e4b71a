package fuzz_test

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// declared is a specification that somebody wrote.
type declared struct {
	label, endpoint, eventType, protocol, scope string
	hasScope, isSigned                          bool
	key1, value1, key2, value2                  string
	keySecret, keyKey, signing                  string
	interval, overlap, adopt, policy            string
}

// FuzzSpec: the rules of the CRD are those that are documented, written here once more in Go, and what they let pass
// the operator can decide on, the Hub's contract allows and the Hub shows again as it was declared.
func FuzzSpec(f *testing.F) {
	good := declared{
		label: "L", endpoint: "https://shop.example/hook", eventType: "Message", keySecret: "api-key", keyKey: "apiKey",
	}
	add := func(change func(*declared)) {
		d := good
		change(&d)
		f.Add(d.label, d.endpoint, d.eventType, d.protocol, d.scope, d.hasScope, d.isSigned, d.key1, d.value1, d.key2,
			d.value2, d.keySecret, d.keyKey, d.signing, d.interval, d.overlap, d.adopt, d.policy)
	}
	for _, endpoint := range endpoints {
		add(func(d *declared) { d.endpoint = endpoint })
	}
	for _, key := range []string{
		"X-A", "", " ", "X A", "X:A", "Ünicode", "host", "HOST", "Content-Type", "content-", "Contents", "Connection", "TE",
		"Transfer-Encoding", "X-Validation-Token", "X-hub-Signature", "User-Agent", "Cookie", "!#$%&'*+-.^_`|~", "a\x00",
		strings.Repeat("a", 128), strings.Repeat("a", 129), "\u212Aelvin", "Con\u017Fent-Type",
	} {
		add(func(d *declared) { d.key1, d.value1 = key, "v" })
	}
	for _, value := range []string{
		"v", "", " ", " v ", "\u00a0\ufeff", "a\r\nb", "a\tb", "a\x00b", "a\u0085b", "a\u2028b", "é", strings.Repeat("v", 4096),
		strings.Repeat("v", 4097), strings.Repeat("é", 4096), strings.Repeat("€", 3000), strings.Repeat("\U0001F600", 2500),
		apiKey, "\xff",
	} {
		add(func(d *declared) { d.key1, d.value1 = "X-A", value })
		add(func(d *declared) { d.label = value })
		add(func(d *declared) { d.scope, d.hasScope = value, true })
	}
	for _, other := range []string{"X-A", "x-a", "X-B", "x-\u212A"} {
		add(func(d *declared) { d.key1, d.value1, d.key2, d.value2 = "X-A", "v", other, "w" })
		add(func(d *declared) { d.key1, d.value1, d.key2, d.value2 = "x-k", "v", other, "w" })
	}
	for _, name := range []string{
		"a", "A", "a.b", "a..b", "-a", "orders-signing", "api-key", strings.Repeat("a", 253), strings.Repeat("a", 254), "a/b", "..",
	} {
		add(func(d *declared) { d.keySecret = name })
		add(func(d *declared) { d.keyKey = name })
		add(func(d *declared) { d.isSigned, d.signing = true, name })
		add(func(d *declared) { d.signing = name })
	}
	for _, duration := range []string{
		"10m", "9m59s", "720h", "1h30m", "-1s", "1e9h", "P1D", " ", "0s", "1.5h", "999999h", "1000000h", "1m1h", "600", "h", "1ms",
		"999999h999999m99999999s", "١m",
	} {
		add(func(d *declared) { d.isSigned, d.interval = true, duration })
		add(func(d *declared) { d.isSigned, d.overlap = true, duration })
		add(func(d *declared) { d.isSigned, d.interval, d.overlap = true, "20m", duration })
		add(func(d *declared) { d.isSigned, d.interval, d.overlap = true, duration, "1m" })
	}
	for _, word := range []string{
		"message", "MessageStatus", "Reaction", "JWT", "jwt", "Never", "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
		"A1B2C3D4-E5F6-7890-ABCD-EF1234567890", "{a1b2c3d4-e5f6-7890-abcd-ef1234567890}", "a1b2c3d4e5f67890abcdef1234567890",
	} {
		add(func(d *declared) { d.eventType = word })
		add(func(d *declared) { d.protocol = word })
		add(func(d *declared) { d.adopt = word })
		add(func(d *declared) { d.adopt, d.policy = word, "Never" })
		add(func(d *declared) { d.policy = word })
	}
	f.Fuzz(func(
		t *testing.T, label, endpoint, eventType, protocol, scope string, hasScope, isSigned bool, key1, value1, key2, value2,
		keySecret, keyKey, signing, interval, overlap, adopt, policy string,
	) {
		d := declared{
			label, endpoint, eventType, protocol, scope, hasScope, isSigned, key1, value1, key2, value2, keySecret, keyKey,
			signing, interval, overlap, adopt, policy,
		}
		// What is no UTF-8 is no YAML either.
		for _, text := range d.texts() {
			*text = strings.ToValidUTF8(*text, "\uFFFD")
		}
		agree(t, d)
	})
}

func (d *declared) texts() []*string {
	return []*string{
		&d.label, &d.endpoint, &d.eventType, &d.protocol, &d.scope, &d.key1, &d.value1, &d.key2, &d.value2, &d.keySecret,
		&d.keyKey, &d.signing, &d.interval, &d.overlap, &d.adopt, &d.policy,
	}
}

// endpoints are URLs that URL libraries have read in different ways.
var endpoints = []string{
	"https://good@evil.test/", "https://user:pass@h.test/", "http://h.test/", "HTTPS://h.test/", "//h.test", "https:h",
	"https:///p", "https://", "/abs", "", "https://127.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/",
	"https://[fe80::1%25eth0]/", "https://169.254.169.254/", "https://127.1/", "https://0x7f000001/", "https://2130706433/",
	"https://localhost/", "https://a.svc.cluster.local./", "https://h.test:0/", "https://h.test:99999/", "https://h.test:/",
	"https://h.test:443/", "https://h.test:0443/", "https://h.test:65535", "https://h.test:65536", "https://h.test/\t",
	"https://h.test/\r\n", "https://h.test/\x00", "https://h.test/%0d%0a", "https://h.test/a b", "https://h.test/\u202e",
	"https://bücher.test/", "https://ⓔvil.test/", "https://h..test/", "https://-h.test/", "https://h.test?q#f", "https://h.test#",
	"https://h.test/?a=https://u@x/", "https://h.test/@", "https://h.test?@", "https://h\\@evil.test/", "https://h.test/%zz",
	"https://[::1", "https://[::1]x/", "https://h.test:1:2/", "https://" + strings.Repeat("a", 254) + ".test/",
	"https://h.test/" + strings.Repeat("a", 2033), "https://h.test/" + strings.Repeat("a", 2034), "https://%68.test/",
	"https://h.test/?token=a&b=%252F", "https://h_t.test/", "https://*.test/", "https://h.test;a/", "https://h,t/", "https://?x",
	"https://:443/", "https://h.test/a|b", `https://h.test/"`, "https://h.test/<script>", "https://h!.test",
	`https://h.test/a\b`, `https://h.test?a\b`, "https://1.2.3.4./", "https://256.1.1.1/", "https://01.2.3.4/", "https://a.1b/",
}

func agree(t *testing.T, d declared) {
	t.Helper()
	w := newWorld(t)
	err := w.user.Create(w.ctx, d.resource())
	wrong := d.wrong()
	switch {
	case err != nil && !apierrors.IsInvalid(err):
		t.Fatal(err)
	case err != nil && len(wrong) == 0:
		t.Fatalf("the CRD refuses what is documented to be right: %v", err)
	case err == nil && len(wrong) > 0:
		t.Fatalf("the CRD accepts what is documented to be wrong: %v", wrong)
	case err != nil:
		return
	}
	if d.adopt != "" {
		return // there is no such webhook
	}
	err = w.user.Create(w.ctx, &corev1.Secret{ObjectMeta: inHome(d.keySecret), Data: map[string][]byte{
		d.get().Spec.APIKeySecretRef.Key: []byte(apiKey),
	}})
	if apierrors.IsInvalid(err) {
		return // no Secret has a key "..", say, and so there is no API key
	}
	w.must(err)
	w.start()
	w.run(20 * time.Second)
	c := w.get(name)
	if !c.IsReady() {
		t.Errorf("the CRD accepts what does not become ready: %+v", meta.FindStatusCondition(c.Status.Conditions, "Ready"))
	}
	if c.Status.Applied != nil && len(c.Status.Applied.Ignored) > 0 || w.way.changed != 1 {
		t.Errorf("the Hub does not show what was declared: %d calls changed something; %+v", w.way.changed, c.Status.Applied)
	}
	if sent := w.hub.HeadersOf(c.Status.WebhookID); len(sent) != len(c.Spec.Headers) {
		t.Errorf("the Hub has the headers %v", sent)
	}
}

// get is the resource with its defaults.
func (d *declared) get() *v1alpha1.Chatt2Webhook {
	c := d.resource()
	if c.Spec.APIKeySecretRef.Key == "" {
		c.Spec.APIKeySecretRef.Key = "apiKey"
	}
	return c
}

// resource is what was declared. A text that is empty is not written, as far as Go leaves it out.
func (d *declared) resource() *v1alpha1.Chatt2Webhook {
	c := resource(name)
	c.Spec = v1alpha1.Chatt2WebhookSpec{
		Label: d.label, Endpoint: d.endpoint, EventType: v1alpha1.EventType(d.eventType),
		AuthenticationProtocol: v1alpha1.AuthenticationProtocol(d.protocol), RequiresSignature: d.isSigned,
		APIKeySecretRef: v1alpha1.APIKeySecretReference{Name: d.keySecret, Key: d.keyKey},
	}
	if d.hasScope {
		c.Spec.Scope = &d.scope
	}
	for _, h := range d.headers() {
		c.Spec.Headers = append(c.Spec.Headers, v1alpha1.Header{Key: h[0], Value: &h[1]})
	}
	if d.hasSigning() {
		c.Spec.SigningSecret = &v1alpha1.SigningSecret{
			Name: d.signing, Rotation: v1alpha1.Rotation{Interval: d.interval, Overlap: d.overlap},
		}
	}
	if d.adopt != "" {
		c.Spec.Adoption.WebhookID = &d.adopt
	}
	c.Spec.Adoption.Policy = v1alpha1.AdoptionPolicy(d.policy)
	return c
}

func (d *declared) hasSigning() bool { return d.signing+d.interval+d.overlap != "" }

// headers are the headers that are there: one without key and value is not.
func (d *declared) headers() [][2]string {
	all := [][2]string{{d.key1, d.value1}, {d.key2, d.value2}}
	return slices.DeleteFunc(all, func(h [2]string) bool { return h == [2]string{} })
}

var (
	aToken    = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
	aKey      = regexp.MustCompile(`^[-._a-zA-Z0-9]+$`)
	aLabel    = regexp.MustCompile(`^[0-9A-Za-z_-]+$`)
	aID       = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	aDuration = regexp.MustCompile(`^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,8}s)?$`)
)

// wrong lists what is wrong with a specification, by the documentation of the API.
func (d *declared) wrong() []string {
	var wrong []string
	is := func(what string, isWrong bool) {
		if isWrong {
			wrong = append(wrong, what)
		}
	}
	is("label", !isText(d.label, 255) || !strings.ContainsFunc(d.label, func(c rune) bool {
		return !unicode.Is(unicode.Z, c) && c != '\ufeff'
	}))
	is("endpoint", !isEndpoint(d.endpoint))
	is("eventType", !slices.Contains([]string{"Message", "MessageStatus"}, d.eventType))
	is("authenticationProtocol", !slices.Contains([]string{
		"", "NoAuthentication", "Oauth20", "PasswordAuthentication", "AWSSignatureV4", "JWT", "JWTExchange",
	}, d.protocol))
	is("scope", d.hasScope && !isText(d.scope, 1024))
	for _, h := range d.headers() {
		is("headers.key", !isHeaderKey(h[0]))
		is("headers.value", !isText(h[1], 4096))
	}
	is("headers twice", len(d.headers()) == 2 && lowerASCII(d.key1) == lowerASCII(d.key2))
	is("apiKeySecretRef.name", !isObjectName(d.keySecret))
	is("apiKeySecretRef.key", d.keyKey != "" && (len(d.keyKey) > 253 || !aKey.MatchString(d.keyKey)))
	is("signingSecret", d.hasSigning() && !d.isSigned)
	is("signingSecret.name", d.signing != "" && !isObjectName(d.signing))
	is("signingSecret.name of the API key", d.hasSigning() && d.signing != "" && d.signing == d.keySecret)
	is("default name of the API key", d.isSigned && d.signing == "" && d.keySecret == name+"-signing")
	is("rotation", d.hasSigning() && !isRotation(d.interval, d.overlap))
	is("adoption.webhookID", d.adopt != "" && (!aID.MatchString(d.adopt) || d.policy == "Never"))
	is("adoption.policy", !slices.Contains([]string{"", "IfMatching", "Never"}, d.policy))
	return wrong
}

func isText(text string, longest int) bool {
	return text != "" && utf8.RuneCountInString(text) <= longest && !strings.ContainsFunc(text, unicode.IsControl)
}

func isObjectName(text string) bool { return len(validation.IsDNS1123Subdomain(text)) == 0 }

// isEndpoint: https, a host, no user info, no fragment, no backslash, printable ASCII, a port that there can be, at
// most 2048.
func isEndpoint(text string) bool {
	rest, isHTTPS := strings.CutPrefix(text, "https://")
	if !isHTTPS || len(text) > 2048 || strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return false
	}
	u, err := url.ParseRequestURI(text)
	if err != nil || !isHost(u.Host, u.Hostname()) || strings.ContainsAny(text, `#\`) {
		return false
	}
	authority := rest
	if end := strings.IndexAny(rest, "/?"); end >= 0 {
		authority = rest[:end]
	}
	if strings.Contains(authority, "@") || strings.HasSuffix(authority, ":") {
		return false
	}
	if u.Port() == "" {
		return true
	}
	port, err := strconv.Atoi(u.Port())
	return err == nil && port >= 1 && port <= 65535 && strconv.Itoa(port) == u.Port()
}

// isHost: a DNS name whose last label begins like a name, four decimal numbers, or what stands in brackets, no zone.
func isHost(host, name string) bool {
	if strings.HasPrefix(host, "[") {
		return name != "" && !strings.ContainsFunc(name, func(c rune) bool {
			return !strings.ContainsRune("0123456789abcdefABCDEF:.", c)
		})
	}
	if ip, err := netip.ParseAddr(name); err == nil {
		return ip.Is4()
	}
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	last := labels[len(labels)-1]
	return !slices.ContainsFunc(labels, func(label string) bool { return !aLabel.MatchString(label) }) &&
		!strings.ContainsAny(last[:1], "0123456789-")
}

func isHeaderKey(key string) bool {
	owned := []string{
		"host", "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
		"x-validation-token", "x-hub-signature",
	}
	low := lowerASCII(key)
	return len(key) <= 128 && aToken.MatchString(key) && !slices.Contains(owned, low) && !strings.HasPrefix(low, "content-")
}

func lowerASCII(text string) string {
	return strings.Map(func(c rune) rune {
		if 'A' <= c && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return c
	}, text)
}

// isRotation: whole hours, minutes and seconds; an interval of at least 10m, longer than the overlap, which is 10m when
// nothing is said.
func isRotation(interval, overlap string) bool {
	if overlap == "" {
		overlap = "10m"
	}
	if !isDuration(overlap) || interval != "" && !isDuration(interval) {
		return false
	}
	if interval == "" {
		return true
	}
	every, err := time.ParseDuration(interval)
	stays, failed := time.ParseDuration(overlap)
	return err == nil && failed == nil && every >= 10*time.Minute && stays < every
}

func isDuration(text string) bool {
	return text != "" && len(text) <= 32 && aDuration.MatchString(text)
}
