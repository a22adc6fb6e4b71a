package hub_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	"github.com/onsi/gomega/format"
	"sigs.k8s.io/yaml"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

const canary = "canary-5ecr3t-value"

// holder has a secret wherever one can be.
type holder struct {
	Secret   hub.Secret
	Pointer  *hub.Secret
	Slice    []hub.Secret
	ByName   map[string]hub.Secret
	BySecret map[hub.Secret]string
	Any      any
	Header   hub.Header
	hidden   hub.Secret
	inner    struct{ deep hub.Secret }
}

func newHolder() holder {
	s := hub.NewSecret(canary)
	h := holder{
		Secret: s, Pointer: &s, Slice: []hub.Secret{s}, ByName: map[string]hub.Secret{"k": s},
		BySecret: map[hub.Secret]string{s: "v"}, Any: s, Header: hub.Header{Key: "k", Value: s}, hidden: s,
	}
	h.inner.deep = s
	return h
}

// things are all the shapes in which a secret is tried.
func things() map[string]any {
	s, h := hub.NewSecret(canary), newHolder()
	return map[string]any{
		"value": s, "pointer": &s, "struct": h, "pointer to struct": &h, "slice": []holder{h},
		"map": map[string]holder{"k": h}, "update": hub.WebhookFields{Headers: &[]hub.Header{h.Header}},
		"create": hub.WebhookFields{Headers: &[]hub.Header{h.Header}}, "config": hub.Config{APIKey: s},
		"answer": hub.WebhookWithSecret{Secret: s},
	}
}

// leaks looks for the value in the ways a verb may write it.
func leaks(text string) bool {
	text = strings.ToLower(text)
	for _, form := range []string{
		canary, fmt.Sprintf("%x", canary), fmt.Sprintf("% x", canary), strings.Trim(fmt.Sprint(string([]byte(canary))), "[]"),
	} {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

func TestSecret_shows_as_redacted_with_every_verb(t *testing.T) {
	for name, thing := range things() {
		for _, flags := range []string{"", "+", "#", " ", "-20", "020", ".3"} {
			for _, verb := range "vTtbcdoOqxXUeEfFgGspw!z" {
				pattern := "%" + flags + string(verb)
				if text := fmt.Sprintf(pattern, thing); leaks(text) {
					t.Errorf("%s of a %s leaks: %s", pattern, name, text)
				}
			}
		}
		if text := fmt.Errorf("%w %v", fmt.Errorf("%v", thing), thing).Error(); leaks(text) {
			t.Errorf("an error of a %s leaks: %s", name, text)
		}
	}
	s := hub.NewSecret(canary)
	for _, pattern := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if got := fmt.Sprintf(pattern, s); got != "[redacted]" {
			t.Errorf("%s is %s", pattern, got)
		}
	}
	if s.String() != "[redacted]" || s.GoString() != "[redacted]" || fmt.Sprint(s) != "[redacted]" {
		t.Error("String, GoString or Sprint is not redacted")
	}
}

func TestSecret_is_redacted_when_marshalled(t *testing.T) {
	for name, thing := range things() {
		if name == "config" {
			continue // functions cannot be marshalled
		}
		asJSON, err := json.Marshal(thing)
		if err != nil {
			t.Errorf("JSON of a %s: %v", name, err)
		}
		asYAML, err := yaml.Marshal(thing)
		if err != nil {
			t.Errorf("YAML of a %s: %v", name, err)
		}
		asXML, _ := xml.Marshal(thing)
		for _, text := range [][]byte{asJSON, asYAML, asXML} {
			if leaks(string(text)) {
				t.Errorf("a %s leaks: %s", name, text)
			}
		}
	}
	if got, _ := json.Marshal(hub.NewSecret(canary)); string(got) != `"[redacted]"` {
		t.Errorf("JSON is %s", got)
	}
	if got, _ := yaml.Marshal(hub.NewSecret(canary)); strings.TrimSpace(string(got)) != `'[redacted]'` {
		t.Errorf("YAML is %s", got)
	}
	if got, _ := hub.NewSecret(canary).MarshalYAML(); got != "[redacted]" {
		t.Errorf("MarshalYAML is %v", got)
	}
}

func TestSecret_is_redacted_in_logs_and_test_output(t *testing.T) {
	var out bytes.Buffer
	for name, thing := range things() {
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "thing", thing)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "thing", thing)
		logger := funcr.New(func(prefix, args string) { out.WriteString(prefix + args) }, funcr.Options{})
		logger.Info("m", "thing", thing)
		logger.WithValues("thing", thing).Error(fmt.Errorf("%v", thing), "m")
		if leaks(out.String()) {
			t.Errorf("logging a %s leaks: %s", name, &out)
		}
		out.Reset()
	}
	s := hub.NewSecret(canary)
	if text := format.Object(hub.Header{Value: s}, 1); leaks(text) {
		t.Errorf("a failed assertion leaks: %s", text)
	}
}

func TestSecrets_are_equal_when_their_values_are(t *testing.T) {
	a, b, c := hub.NewSecret(canary), hub.NewSecret(strings.Clone(canary)), hub.NewSecret("other")
	if a != b || !a.Equal(b) || !cmp.Equal(a, b) {
		t.Error("equal values differ")
	}
	if a == c || a.Equal(c) || cmp.Equal(a, c) {
		t.Error("different values are equal")
	}
	if a.Reveal() != canary || a.IsZero() {
		t.Error("the value is not kept")
	}
	if empty := hub.NewSecret(""); empty != (hub.Secret{}) || !empty.IsZero() || empty.Reveal() != "" {
		t.Error("an empty value is not the zero Secret")
	}
}
