package campaign_test

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// apiKeyFlows are about the Secret with the API key.
var apiKeyFlows = []flow{
	{name: "key-replaced", before: signedResource, trigger: func(w *world) {
		w.must(w.user.Delete(w.ctx, w.secret("api-key")))
		w.createOnceGone(&corev1.Secret{
			ObjectMeta: inHome("api-key"), Data: map[string][]byte{"apiKey": []byte(apiKey)},
		})
	}, ends: func(w *world) string {
		if s := w.secret("api-key"); s == nil || !s.DeletionTimestamp.IsZero() {
			return "L2: the Secret with the API key is not released, and so not created again"
		}
		return ""
	}},
	{name: "key-deleted-first", before: signedResource, trigger: func(w *world) {
		w.must(w.user.Delete(w.ctx, w.secret("api-key")))
		w.clock.after(2*time.Second, func() { deleteResource(w) })
	}, gone: true},
	{name: "key-deleted-in-deletion", before: signedResource, trigger: func(w *world) {
		w.refuses["DELETE webhook"] = errorBefore
		w.clock.after(30*time.Second, func() { delete(w.refuses, "DELETE webhook") })
		deleteResource(w)
		w.must(w.user.Delete(w.ctx, w.secret("api-key")))
	}, gone: true},
}

// createOnceGone creates a Secret when the one of that name is gone, as clients do that replace objects.
func (w *world) createOnceGone(s *corev1.Secret) {
	w.clock.after(time.Second, func() {
		if w.secret(s.Name) != nil {
			w.createOnceGone(s)
			return
		}
		w.create(s)
		w.watch.repaired = w.clock.now
	})
}
