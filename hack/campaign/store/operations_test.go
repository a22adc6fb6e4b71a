package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// operation is something that is done to a world. What it does depends on nothing but what was seen there.
type operation struct {
	label string
	run   func(ctx context.Context, w *world) string
}

// random makes operations.
type random struct{ *rand.Rand }

func pick[T any](r random, from ...T) T { return from[r.IntN(len(from))] }

func (r random) chance(percent int) bool { return r.IntN(100) < percent }

// operation makes one on one of few objects, so that they meet.
func (r random) operation() operation {
	kind := pick(r, webhookKind, webhookKind, webhookKind, secretKind, secretKind, configMapKind)
	name := pick(r, "one", "two")
	ago := pick(r, 0, 0, 0, 0, 1, 3, 1000)
	switch n := r.IntN(100); {
	case n < 24:
		return r.create(kind, name, ago)
	case n < 41:
		return r.update(kind, name, ago)
	case n < 66:
		return r.mergeFrom(kind, name, ago)
	case n < 81:
		return r.raw(kind, name, ago)
	case n < 88:
		return r.delete(kind, name, ago)
	case n < 94:
		return r.get(kind, name)
	default:
		return r.list(kind)
	}
}

// done tells the end of an operation, with the object if there is one.
func (w *world) done(kind schema.GroupVersionKind, object client.Object, err error) string {
	if err != nil || object == nil {
		return complaint(err)
	}
	return "ok " + w.saw(fieldsOf(kind, object))
}

func (r random) create(kind schema.GroupVersionKind, name string, ago int) operation {
	changes, form, again := r.changes(kind, 2), pick(r, typed, untyped), r.chance(10)
	if r.chance(10) {
		changes = append(changes, pick(r, ofNew...))
	}
	if r.chance(5) {
		name = pick(r, "Bad_Name", "", strings.Repeat("n", 254), "dot.ted")
	}
	var options []client.CreateOption
	if r.chance(10) {
		options = append(options, client.DryRunAll)
	}
	label := fmt.Sprintf("create %s %s %s form %d again %t %d dry run %t",
		kind.Kind, name, changes, form, again, ago, len(options) > 0)
	return operation{label, func(ctx context.Context, w *world) string {
		u := w.named(kind, name)
		if again {
			u = w.base(kind, name, ago)
		} else {
			template(u)
		}
		apply(changes, u)
		object := as(form, u)
		err := w.Create(ctx, object, options...)
		if len(options) > 0 {
			object = nil // what is not stored has a UID of its own each time
		}
		return w.done(kind, object, err)
	}}
}

// template fills in what an object of its kind needs.
func template(u *unstructured.Unstructured) {
	switch u.GetKind() {
	case "Chatt2Webhook":
		u.Object["spec"] = map[string]any{
			"label": "L", "endpoint": "https://a.example/x", "eventType": "Message",
			"apiKeySecretRef": map[string]any{"name": "key"},
		}
	case "Secret":
		u.Object["data"] = map[string]any{"a": "Yg=="}
	case "ConfigMap":
		u.Object["data"] = map[string]any{"a": "b"}
	}
}

func (r random) update(kind schema.GroupVersionKind, name string, ago int) operation {
	changes, form, status := r.changes(kind, 2), pick(r, typed, untyped), r.chance(30)
	label := fmt.Sprintf("update %s %s from %d ago %s form %d status %t", kind.Kind, name, ago, changes, form, status)
	return operation{label, func(ctx context.Context, w *world) string {
		u := w.base(kind, name, ago)
		apply(changes, u)
		object := as(form, u)
		if status {
			return w.done(kind, object, w.Status().Update(ctx, object))
		}
		return w.done(kind, object, w.Update(ctx, object))
	}}
}

func (r random) mergeFrom(kind schema.GroupVersionKind, name string, ago int) operation {
	changes, form, status, lock := r.changes(kind, 2), pick(r, typed, untyped, metadata), r.chance(30), r.chance(50)
	strategic := r.chance(10)
	label := fmt.Sprintf("patch %s %s from %d ago %s form %d status %t lock %t strategic %t",
		kind.Kind, name, ago, changes, form, status, lock, strategic)
	return operation{label, func(ctx context.Context, w *world) string {
		u := w.base(kind, name, ago)
		before := as(form, u.DeepCopy())
		apply(changes, u)
		after := as(form, u)
		patch := client.MergeFrom(before)
		switch {
		case strategic && form == typed:
			patch = client.StrategicMergeFrom(before)
		case lock:
			patch = client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
		}
		if status {
			return w.done(kind, after, w.Status().Patch(ctx, after, patch))
		}
		return w.done(kind, after, w.Patch(ctx, after, patch))
	}}
}

// merges are patches as nobody should send them, and some that are good.
var merges = []string{
	`{"metadata":{"annotations":{"a":"1"}}}`, `{"metadata":{"annotations":{"a":null}}}`, `{"metadata":{"annotations":null}}`,
	`{"metadata":{"labels":{"l":"1"}}}`, `{"metadata":{"labels":{"bad key!":"x"}}}`, `{"metadata":{"labels":{"l":5}}}`,
	`{"metadata":{"resourceVersion":"$version"}}`, `{"metadata":{"resourceVersion":null}}`, `{"metadata":{"uid":"$uid"}}`,
	`{"metadata":{"uid":"other"}}`, `{"metadata":{"name":"other"}}`, `{"metadata":{"namespace":"other"}}`,
	`{"metadata":{"finalizers":["hub.chatt2.me/webhook"]}}`, `{"metadata":{"finalizers":null}}`,
	`{"metadata":{"finalizers":[]}}`, `{"metadata":{"finalizers":["no slash or what"]}}`,
	`{"metadata":{"generation":99}}`, `{"metadata":{"creationTimestamp":null}}`,
	`{"metadata":{"deletionTimestamp":null}}`,
	`{"metadata":null}`, `{"metadata":{"unknown":1}}`, `{}`, `[]`, `"text"`, `{"broken`, `{"kind":"Other"}`,
	`{"apiVersion":"v9"}`, `{"spec":{"label":null}}`, `{"spec":{"label":"M"}}`, `{"spec":{"label":7}}`, `{"spec":null}`,
	`{"spec":{"unknown":1}}`, `{"spec":{"scope":null}}`, `{"spec":{"suspend":null}}`, `{"spec":{"readyWhen":"Never"}}`,
	`{"status":{"webhookID":"w1"}}`, `{"status":{"webhookID":null}}`, `{"status":null}`, `{"status":{}}`,
	`{"status":{"isVerified":"yes"}}`, `{"status":{"conditions":null}}`,
	`{"status":{"webhookID":"w2"},"spec":{"label":"S"},"metadata":{"annotations":{"both":"1"}}}`,
	`{"data":{"b":"Yg=="}}`, `{"data":null}`, `{"data":{"bad/key":"Yg=="}}`, `{"data":{"a":"not base64!"}}`,
	`{"data":{"a":null}}`, `{"stringData":{"s":"x"}}`, `{"immutable":true}`, `{"immutable":false}`, `{"immutable":null}`,
	`{"type":"other"}`,
}

// steps are JSON patches.
var steps = []string{
	`[{"op":"test","path":"/metadata/name","value":"no"}]`, `[{"op":"remove","path":"/metadata/annotations"}]`,
	`[{"op":"add","path":"/metadata/annotations","value":{"j":"1"}}]`, `[{"op":"replace","path":"/metadata/uid","value":"x"}]`,
	`[{"op":"test","path":"/metadata/resourceVersion","value":"$version"},{"op":"add","path":"/metadata/labels","value":{"j":"2"}}]`,
	`[{"op":"add","path":"/spec/label","value":"J"}]`, `[{"op":"unknown"}]`, `{}`,
}

func (r random) raw(kind schema.GroupVersionKind, name string, ago int) operation {
	patchType, data := types.MergePatchType, pick(r, merges...)
	switch {
	case r.chance(15):
		patchType, data = types.JSONPatchType, pick(r, steps...)
	case r.chance(10):
		patchType = types.StrategicMergePatchType
	}
	status, form := r.chance(20), pick(r, typed, untyped, metadata)
	label := fmt.Sprintf("patch %s %s with %s %s from %d ago form %d status %t",
		kind.Kind, name, patchType, data, ago, form, status)
	return operation{label, func(ctx context.Context, w *world) string {
		base := w.base(kind, name, ago)
		filled := strings.NewReplacer("$version", base.GetResourceVersion(), "$uid", string(base.GetUID())).Replace(data)
		object, patch := as(form, w.named(kind, name)), client.RawPatch(patchType, []byte(filled))
		if status {
			return w.done(kind, object, w.Status().Patch(ctx, object, patch))
		}
		return w.done(kind, object, w.Patch(ctx, object, patch))
	}}
}

func (r random) delete(kind schema.GroupVersionKind, name string, ago int) operation {
	form, uid, version, wrong := pick(r, typed, untyped, metadata), r.chance(30), r.chance(30), r.chance(10)
	policy := pick(r, "", "", "", metav1.DeletePropagationBackground, metav1.DeletePropagationForeground,
		metav1.DeletePropagationOrphan)
	label := fmt.Sprintf("delete %s %s from %d ago uid %t version %t wrong %t policy %q form %d",
		kind.Kind, name, ago, uid, version, wrong, policy, form)
	return operation{label, func(ctx context.Context, w *world) string {
		base := w.base(kind, name, ago)
		var when client.Preconditions
		if uid && base.GetUID() != "" {
			when.UID = new(base.GetUID())
		}
		if version && base.GetResourceVersion() != "" {
			when.ResourceVersion = new(base.GetResourceVersion())
		}
		if wrong {
			when.UID = new(types.UID("other"))
		}
		options := []client.DeleteOption{when}
		if policy != "" {
			options = append(options, client.PropagationPolicy(policy))
		}
		return w.done(kind, nil, w.Delete(ctx, as(form, base), options...))
	}}
}

func (r random) get(kind schema.GroupVersionKind, name string) operation {
	form := pick(r, typed, untyped, metadata)
	return operation{fmt.Sprintf("get %s %s form %d", kind.Kind, name, form), func(ctx context.Context, w *world) string {
		u := w.named(kind, name)
		// What the object held before must not matter more here than there.
		u.SetAnnotations(map[string]string{"held": "before"})
		object := as(form, u)
		return w.done(kind, object, w.Get(ctx, client.ObjectKeyFromObject(u), object))
	}}
}

func (r random) list(kind schema.GroupVersionKind) operation {
	var options []client.ListOption
	switch r.IntN(6) {
	case 0:
		options = append(options, client.MatchingLabels{"l": "1"})
	case 1:
		options = append(options, client.MatchingFields{"metadata.name": "one"})
	case 2:
		options = append(options, client.MatchingFields{"status.webhookID": pick(r, "w1", "")})
	case 3:
		options = append(options, client.HasLabels{"l"}, client.MatchingFields{"spec.eventType": "Message"})
	case 4:
		options = append(options, client.MatchingFields{"spec.label": "L"})
	}
	partial := r.chance(30)
	label := fmt.Sprintf("list %s %v metadata %t", kind.Kind, options, partial)
	return operation{label, func(ctx context.Context, w *world) string {
		return w.list(ctx, kind, partial, options...)
	}}
}

func (w *world) list(
	ctx context.Context, kind schema.GroupVersionKind, partial bool, options ...client.ListOption,
) string {
	list := client.ObjectList(&unstructured.UnstructuredList{})
	if partial {
		list = &metav1.PartialObjectMetadataList{}
	}
	list.GetObjectKind().SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
	if err := w.List(ctx, list, append(options, client.InNamespace(w.namespace))...); err != nil {
		return complaint(err)
	}
	var told []string
	text, err := json.Marshal(list)
	if err != nil {
		panic(err)
	}
	var whole struct{ Items []map[string]any }
	if err := json.Unmarshal(text, &whole); err != nil {
		panic(err)
	}
	for _, item := range whole.Items {
		told = append(told, w.describe(item))
	}
	return "ok " + strings.Join(told, "\n")
}

// changed is a change to an object, by the name that it has in what is told of an operation.
type changed string

// apply makes changes.
func apply(changes []changed, u *unstructured.Unstructured) {
	for _, c := range changes {
		edits[c](u)
	}
}

// changes picks some that an object of the kind can suffer.
func (r random) changes(kind schema.GroupVersionKind, most int) []changed {
	names := slices.Clone(common)
	switch kind {
	case webhookKind:
		names = append(names, ofWebhooks...)
		names = append(names, ofWebhooks...)
	default:
		names = append(names, ofData...)
	}
	var some []changed
	for range r.IntN(most + 1) {
		some = append(some, pick(r, names...))
	}
	return some
}
