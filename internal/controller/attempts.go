package controller

import (
	"encoding/json"
	"slices"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/connection"
)

// mostAttempts bounds how many registrations are remembered of a resource that has no webhook yet.
const mostAttempts = 16

// intentAnnotations are the annotations that record registrations.
var intentAnnotations = []string{
	v1alpha1.AnnotationCreateStartedAt, v1alpha1.AnnotationCreateRetriedAt, v1alpha1.AnnotationCreateAttempts,
}

func removeIntent(w *v1alpha1.Chatt2Webhook) {
	for _, annotation := range intentAnnotations {
		delete(w.Annotations, annotation)
	}
}

// intentSaid is what the annotations say of the times of registrations.
func intentSaid(w *v1alpha1.Chatt2Webhook) string {
	return w.Annotations[v1alpha1.AnnotationCreateStartedAt] + " " + w.Annotations[v1alpha1.AnnotationCreateRetriedAt]
}

// rememberIntent records what the annotations say while a registration is open. Where they say something else
// than this process wrote, another one may have begun a registration since.
func (m *localState) rememberIntent(o *observation) {
	_, intent := o.Object.Annotations[v1alpha1.AnnotationCreateStartedAt]
	if o.ID == "" && intent && intentSaid(o.Object) != m.intentWritten {
		m.IntentClosed = false
	}
	if o.ID != "" || m.IntentClosed {
		m.Intent = nil
		return
	}
	for _, annotation := range intentAnnotations {
		value, ok := o.Object.Annotations[annotation]
		if !ok {
			continue
		}
		if m.Intent == nil {
			m.Intent = map[string]string{}
		}
		m.Intent[annotation] = value
	}
}

// createAttempt is what a registration sent, as the annotation records it.
type createAttempt struct {
	Label     string `json:"label"`
	Endpoint  string `json:"endpoint"`
	EventType string `json:"eventType"`
	// KeyHash is the beginning of the SHA-256 of the URL of the Hub and the API key.
	KeyHash string `json:"apiKeyHash"`
}

// createAttempts returns the registrations that the annotation records: none if it cannot be parsed.
func createAttempts(annotation string) []createAttempt {
	var all []createAttempt
	if err := json.Unmarshal([]byte(annotation), &all); err != nil {
		return nil
	}
	return all[max(len(all)-mostAttempts, 0):]
}

// addAttempt writes down what is about to be registered, and with which API key. It reports whether the oldest had to
// make room for that.
func addAttempt(w *v1alpha1.Chatt2Webhook, keyHash string) (dropped bool) {
	now := createAttempt{w.Spec.Label, w.Spec.Endpoint, string(w.Spec.EventType), keyHash}
	all := createAttempts(w.Annotations[v1alpha1.AnnotationCreateAttempts])
	if slices.Contains(all, now) {
		return false
	}
	all = append(all, now)
	text, err := json.Marshal(all[max(len(all)-mostAttempts, 0):])
	if err != nil {
		panic(err) // texts can always be written
	}
	w.Annotations[v1alpha1.AnnotationCreateAttempts] = string(text)
	return len(all) > mostAttempts
}

// formerAttempts returns the natural keys of registrations that sent something else than spec says now.
func formerAttempts(w *v1alpha1.Chatt2Webhook, annotation string) []connection.NaturalKey {
	if annotation == "" {
		return nil
	}
	var former []connection.NaturalKey
	for _, a := range createAttempts(annotation) {
		key := connection.Natural(a.Label, a.Endpoint, a.EventType)
		if key != natural(w) {
			former = append(former, key)
		}
	}
	return former
}

func (o *observation) formerAttempts() []connection.NaturalKey {
	said, _ := o.Recorded(v1alpha1.AnnotationCreateAttempts)
	return formerAttempts(o.Object, said)
}

// hasOtherKey reports whether something was to be registered with another API key.
func (o *observation) hasOtherKey() bool {
	said, _ := o.Recorded(v1alpha1.AnnotationCreateAttempts)
	return slices.ContainsFunc(createAttempts(said), func(a createAttempt) bool {
		return a.KeyHash != "" && a.KeyHash != o.Key.Hash
	})
}
