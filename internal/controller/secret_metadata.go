package controller

import (
	"encoding/json"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/signing"
)

// templateKeys are the keys of the labels and annotations of spec.signingSecret.template, sorted.
type templateKeys struct {
	Labels      []string `json:"labels,omitempty"`
	Annotations []string `json:"annotations,omitempty"`
}

// applyTemplate puts the labels and annotations of the template on a Secret, removes those that were there for an
// earlier template, and records the keys of the present one. What others put on the Secret stays.
func applyTemplate(secret *corev1.Secret, object *v1alpha1.Chatt2Webhook) {
	former := appliedKeys(secret)
	secret.Labels = overlaid(secret.Labels, former.Labels, secretLabels(object))
	secret.Annotations = overlaid(secret.Annotations, former.Annotations, secretAnnotations(object))
	if keys := recordedKeys(object); keys != "" {
		secret.Annotations[v1alpha1.AnnotationTemplateKeys] = keys
	} else {
		delete(secret.Annotations, v1alpha1.AnnotationTemplateKeys)
	}
}

// isCurrent reports whether a Secret has the labels and annotations that it is to have, and none of an earlier
// template.
func isCurrent(secret *corev1.Secret, object *v1alpha1.Chatt2Webhook) bool {
	return contains(secret.Labels, secretLabels(object)) && contains(secret.Annotations, secretAnnotations(object)) &&
		secret.Annotations[v1alpha1.AnnotationTemplateKeys] == recordedKeys(object)
}

// isKept reports whether the API server has stored a content as it was written, as far as a later decision needs it:
// the values, whether a rotation is open, and no other webhook.
func isKept(secret *corev1.Secret, content signing.Content) bool {
	stored := signing.Parse(secret.Data, secret.Annotations)
	return stored.Current == content.Current && stored.Previous == content.Previous &&
		stored.RotationStartedAt.IsZero() == content.RotationStartedAt.IsZero() &&
		(stored.WebhookID == "" || stored.WebhookID == content.WebhookID)
}

// appliedKeys returns the keys that the annotation of a Secret lists: none where it is missing or cannot be read.
func appliedKeys(secret *corev1.Secret) templateKeys {
	var keys templateKeys
	if err := json.Unmarshal([]byte(secret.Annotations[v1alpha1.AnnotationTemplateKeys]), &keys); err != nil {
		return templateKeys{}
	}
	return keys
}

// recordedKeys returns the keys of a resource's template as the annotation lists them, empty for none.
func recordedKeys(object *v1alpha1.Chatt2Webhook) string {
	s := object.Spec.SigningSecret
	if s == nil || s.Template == nil || len(s.Template.Metadata.Labels)+len(s.Template.Metadata.Annotations) == 0 {
		return ""
	}
	text, err := json.Marshal(templateKeys{
		Labels:      slices.Sorted(maps.Keys(s.Template.Metadata.Labels)),
		Annotations: slices.Sorted(maps.Keys(s.Template.Metadata.Annotations)),
	})
	if err != nil {
		panic(err) // strings can always be encoded
	}
	return string(text)
}

// contains reports whether a map has all entries of another one.
func contains(all, some map[string]string) bool {
	for key, value := range some {
		if have, ok := all[key]; !ok || have != value {
			return false
		}
	}
	return true
}

// overlaid returns a map without the former keys and with the present entries.
func overlaid(base map[string]string, former []string, present map[string]string) map[string]string {
	all := maps.Clone(base)
	if all == nil {
		all = map[string]string{}
	}
	for _, key := range former {
		delete(all, key)
	}
	maps.Copy(all, present)
	return all
}

func secretLabels(object *v1alpha1.Chatt2Webhook) map[string]string {
	labels := map[string]string{}
	if s := object.Spec.SigningSecret; s != nil && s.Template != nil {
		for key, value := range s.Template.Metadata.Labels {
			labels[key] = string(value)
		}
	}
	labels[v1alpha1.LabelManagedBy] = v1alpha1.ManagedBy
	return labels
}

func secretAnnotations(object *v1alpha1.Chatt2Webhook) map[string]string {
	annotations := map[string]string{}
	if s := object.Spec.SigningSecret; s != nil && s.Template != nil {
		for key, value := range s.Template.Metadata.Annotations {
			annotations[key] = string(value)
		}
	}
	return annotations
}
