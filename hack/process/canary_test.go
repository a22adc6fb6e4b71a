package process_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// tooMuch is the length of a part of a secret value that must not be shown, in characters of the form it takes.
const tooMuch = 12

// findNoCanary fails a test when a part of any secret value of its run is in the output of a process at the highest
// level, in an event, in a resource or wherever else the test says.
func (w *world) findNoCanary(more ...string) {
	w.Helper()
	places := append([]string{w.listed(&eventsv1.EventList{}), w.listed(&corev1.EventList{})}, more...)
	for _, o := range w.operators {
		places = append(places, o.log.all())
	}
	hidden := append(w.signingSecrets(), w.canaries...)
	w.findNone(append(hidden, w.inSpec...), places...)
	w.findNone(hidden, w.listed(&v1alpha1.Chatt2WebhookList{}))
}

func (w *world) findNone(values []string, places ...string) {
	w.Helper()
	parts := partsOf(values)
	for _, place := range places {
		if at := find(parts, place); at >= 0 {
			w.Errorf("a part of a secret value was found: %.400s", place[max(at-200, 0):])
		}
	}
}

// listed is all of a kind, as JSON.
func (w *world) listed(list client.ObjectList) string {
	w.Helper()
	// The test's own context may be done by now.
	w.must(w.List(context.Background(), list))
	text, err := json.Marshal(list)
	w.must(err)
	return string(text)
}

// signingSecrets are all that the Hub has ever made.
func (w *world) signingSecrets() []string {
	var all []string
	for _, life := range w.hub.Lifetimes() {
		all = append(append(all, w.hub.OldSecretsOf(life.ID)...), w.hub.SecretOf(life.ID))
	}
	return all
}

// partsOf are all parts, of that length, of all forms in which values could be written down.
func partsOf(values []string) map[string]struct{} {
	parts := map[string]struct{}{}
	for _, value := range values {
		if value == "" {
			continue // a webhook that is not signed
		}
		for _, form := range forms(value) {
			for i := range len(form) - tooMuch + 1 {
				parts[form[i:i+tooMuch]] = struct{}{}
			}
		}
	}
	return parts
}

// forms are the ways in which a value could be written down.
func forms(value string) []string {
	quoted, _ := json.Marshal(value)
	all := []string{
		value, hex.EncodeToString([]byte(value)), strings.ToUpper(hex.EncodeToString([]byte(value))),
		url.QueryEscape(value), url.PathEscape(value), string(bytes.Trim(quoted, `"`)), strings.Trim(strconv.Quote(value), `"`),
	}
	// In base64 a value looks different by where it begins in what is encoded.
	for shift := range 3 {
		bits := 8 * (shift + len(value))
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			encoded := encoding.EncodeToString(append(make([]byte, shift), value...))
			all = append(all, encoded[(8*shift+5)/6:bits/6])
		}
	}
	return all
}

// find is where a text holds any of the parts, -1 when it holds none.
func find(parts map[string]struct{}, text string) int {
	for i := range len(text) - tooMuch + 1 {
		if _, ok := parts[text[i:i+tooMuch]]; ok {
			return i
		}
	}
	return -1
}

func TestASecretValueIsFoundHoweverItIsWritten(t *testing.T) {
	const value = `Bearer "a/b+c" 6f1d0c77a1be4cb2ad0f <&>`
	parts := partsOf([]string{value})
	for name, text := range map[string]string{
		"raw":                `{"msg":"sent ` + value + `"}`,
		"in part":            "token 0c77a1be4cb2",
		"in base64":          "data: " + base64.StdEncoding.EncodeToString([]byte(value)),
		"inside more base64": base64.URLEncoding.EncodeToString([]byte(`{"token":"` + value + `"}`)),
		"in hex":             hex.EncodeToString([]byte(value)),
		"in a URL":           "https://example.com/?token=" + url.QueryEscape(value),
		"in Go syntax":       strconv.Quote(value),
		"in quoted JSON":     strconv.Quote(strconv.Quote(value)),
	} {
		if find(parts, text) < 0 {
			t.Errorf("%s it is not found", name)
		}
	}
	if find(parts, "token 0c77a1be4cb and 7a1be4cb2ad") >= 0 {
		t.Error("it is found where it is not")
	}
}
