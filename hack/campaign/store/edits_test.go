package store_test

import (
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

var (
	common = []changed{
		"annotate", "annotate otherwise", "no annotations", "label", "no labels", "bad label", "finalizer", "finalizer",
		"two finalizers", "no finalizers", "no finalizers", "bad finalizer", "no uid", "other uid", "no version",
		"version 1", "generation", "not deleted", "owner", "huge annotation",
	}
	// ofNew are for objects that are created: in others the API server notes that somebody tried, in managedFields,
	// which the store has not.
	ofNew      = []changed{"deleted long ago", "same owner twice"}
	ofWebhooks = []changed{
		"spec label", "spec label again", "no spec label", "endpoint", "http", "event type", "bad event type", "suspend",
		"header", "same header twice", "two sources", "long label", "signed", "secret without signature", "scope", "no spec",
		"unknown field", "webhook id", "other webhook id", "condition", "bad condition", "same condition twice",
		"verified", "verified in the year 10000", "no status", "bad id to adopt", "label is a number",
	}
	ofData = []changed{
		"data", "other data", "no data", "bad key", "string data", "immutable", "mutable", "other type", "tls",
		"too large", "binary",
	}
)

func set(value any, path ...string) func(*unstructured.Unstructured) {
	return func(u *unstructured.Unstructured) {
		// A path that leads through something else than a map is left alone, the same in each world.
		_ = unstructured.SetNestedField(u.Object, value, path...)
	}
}

func unset(path ...string) func(*unstructured.Unstructured) {
	return func(u *unstructured.Unstructured) { unstructured.RemoveNestedField(u.Object, path...) }
}

func condition(kind, reason string) map[string]any {
	return map[string]any{
		"type": kind, "status": "True", "reason": reason, "message": "m", "lastTransitionTime": "2026-02-09T12:00:00Z",
	}
}

func owner(u *unstructured.Unstructured) {
	u.SetOwnerReferences([]metav1.OwnerReference{{
		APIVersion: webhookKind.GroupVersion().String(), Kind: webhookKind.Kind, Name: "one", UID: "owner",
		Controller: new(true), BlockOwnerDeletion: new(true),
	}})
}

var edits = map[changed]func(*unstructured.Unstructured){
	"annotate":           set("1", "metadata", "annotations", "a"),
	"annotate otherwise": set("2", "metadata", "annotations", "a"),
	"no annotations":     unset("metadata", "annotations"),
	"huge annotation":    set(strings.Repeat("x", 260<<10), "metadata", "annotations", "huge"),
	"label":              set("1", "metadata", "labels", "l"),
	"no labels":          unset("metadata", "labels"),
	"bad label":          set("not a value!", "metadata", "labels", "l"),
	"finalizer":          func(u *unstructured.Unstructured) { addFinalizer(u, "hub.chatt2.me/webhook") },
	"two finalizers": func(u *unstructured.Unstructured) {
		addFinalizer(u, "hub.chatt2.me/webhook")
		addFinalizer(u, "example.com/other")
	},
	"no finalizers":    unset("metadata", "finalizers"),
	"bad finalizer":    func(u *unstructured.Unstructured) { addFinalizer(u, "not valid") },
	"no uid":           unset("metadata", "uid"),
	"other uid":        set("other", "metadata", "uid"),
	"no version":       unset("metadata", "resourceVersion"),
	"version 1":        set("1", "metadata", "resourceVersion"),
	"generation":       set(int64(99), "metadata", "generation"),
	"not deleted":      unset("metadata", "deletionTimestamp"),
	"deleted long ago": set("2020-01-01T00:00:00Z", "metadata", "deletionTimestamp"),
	"owner":            owner,
	"same owner twice": func(u *unstructured.Unstructured) {
		owner(u)
		owners := u.GetOwnerReferences()
		u.SetOwnerReferences(append(owners, owners[0]))
	},

	"spec label":       set("M", "spec", "label"),
	"spec label again": set("N", "spec", "label"),
	"no spec label":    unset("spec", "label"),
	"long label":       set(strings.Repeat("l", 256), "spec", "label"),
	"label is a number": func(u *unstructured.Unstructured) {
		set(int64(5), "spec", "label")(u)
	},
	"endpoint":                 set("https://b.example/", "spec", "endpoint"),
	"http":                     set("http://b.example/", "spec", "endpoint"),
	"event type":               set("MessageStatus", "spec", "eventType"),
	"bad event type":           set("Telegram", "spec", "eventType"),
	"suspend":                  set(true, "spec", "suspend"),
	"signed":                   set(true, "spec", "requiresSignature"),
	"secret without signature": set(map[string]any{"name": "s"}, "spec", "signingSecret"),
	"scope":                    set("s", "spec", "scope"),
	"no spec":                  unset("spec"),
	"unknown field":            set("x", "spec", "unknown"),
	"bad id to adopt":          set("not-a-uuid", "spec", "adoption", "webhookID"),
	"header":                   headers(map[string]any{"key": "X-A", "value": "v"}),
	"same header twice": headers(
		map[string]any{"key": "X-A", "value": "v"}, map[string]any{"key": "x-a", "value": "w"}),
	"two sources": headers(map[string]any{
		"key": "X-A", "value": "v", "valueFrom": map[string]any{"secretKeyRef": map[string]any{"name": "n", "key": "k"}},
	}),

	"webhook id":                 set("w1", "status", "webhookID"),
	"other webhook id":           set("w2", "status", "webhookID"),
	"verified":                   set(true, "status", "isVerified"),
	"verified in the year 10000": set("10000-01-01T02:59:59Z", "status", "verifiedAt"),
	"no status":                  unset("status"),
	"condition":                  set([]any{condition("Ready", "R")}, "status", "conditions"),
	"bad condition":              set([]any{condition("Ready", "")}, "status", "conditions"),
	"same condition twice":       set([]any{condition("Ready", "R"), condition("Ready", "S")}, "status", "conditions"),

	"data":        set("Yg==", "data", "b"),
	"other data":  set("Yw==", "data", "b"),
	"no data":     unset("data"),
	"bad key":     set("Yg==", "data", "bad/key"),
	"string data": set("text", "stringData", "s"),
	"immutable":   set(true, "immutable"),
	"mutable":     unset("immutable"),
	"other type":  set("example.com/other", "type"),
	"tls":         set("kubernetes.io/tls", "type"),
	"too large":   set(strings.Repeat("YWFh", 1<<20/3), "data", "large"),
	"binary":      set("Yg==", "binaryData", "a"),
}

func addFinalizer(u *unstructured.Unstructured, name string) {
	if !slices.Contains(u.GetFinalizers(), name) {
		u.SetFinalizers(append(u.GetFinalizers(), name))
	}
}

func headers(some ...map[string]any) func(*unstructured.Unstructured) {
	return func(u *unstructured.Unstructured) {
		list := make([]any, len(some))
		for i, h := range some {
			list[i] = maps.Clone(h)
		}
		set(list, "spec", "headers")(u)
	}
}
