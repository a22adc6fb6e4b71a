package controller_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"go.uber.org/zap/zapcore"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// verbose is the log level of tests, the highest.
const verbose = zapcore.Level(-10)

// findNoCanary fails a test when any secret value of its run is found where nobody may see it: in the operator's log
// at the highest level, in an event, or in a resource.
func (w *world) findNoCanary() {
	w.Helper()
	ctx := context.Background()
	places := map[string]string{"the log": w.logs.String()}
	var events eventsv1.EventList
	var legacy corev1.EventList
	var resources v1alpha1.Chatt2WebhookList
	for name, list := range map[string]client.ObjectList{"events": &events, "legacy events": &legacy, "resources": &resources} {
		if err := w.List(ctx, list, client.InNamespace(w.namespace)); err != nil {
			w.Errorf("list %s: %v", name, err)
		}
		text, err := json.Marshal(list)
		if err != nil {
			w.Error(err)
		}
		places[name] = string(text)
	}
	for _, canary := range append(w.canaries, w.signingSecrets()...) {
		for form, text := range forms(canary) {
			for place, content := range places {
				if strings.Contains(content, text) {
					at := strings.Index(content, text)
					w.Errorf("a secret value is in %s, %s: %.300s", place, form, content[max(at-200, 0):])
				}
			}
		}
	}
}

// signingSecrets are all that the Hub has ever made.
func (w *world) signingSecrets() []string {
	var all []string
	for _, life := range w.hub.Lifetimes() {
		all = append(all, w.hub.OldSecretsOf(life.ID)...)
		if s := w.hub.SecretOf(life.ID); s != "" {
			all = append(all, s)
		}
	}
	return all
}

// forms are the ways in which a value could be written down.
func forms(value string) map[string]string {
	quoted, _ := json.Marshal(value)
	return map[string]string{
		"raw":            value,
		"base64":         strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(value)), "="),
		"base64 for URL": strings.TrimRight(base64.URLEncoding.EncodeToString([]byte(value)), "="),
		"hex":            hex.EncodeToString([]byte(value)),
		"URL-escaped":    url.QueryEscape(value),
		"JSON-escaped":   strings.Trim(string(quoted), `"`),
		"Go-escaped":     strings.Trim(fmt.Sprintf("%q", value), `"`),
		"in part":        value[len(value)/4 : len(value)/4+12],
	}
}
