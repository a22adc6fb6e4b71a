package controller

import (
	"context"
	"fmt"
	"slices"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// longestNote is the longest note of an event that the API server takes, in bytes.
const longestNote = 1024

// occurrence is something that a person would want to know of.
type occurrence struct {
	kind, reason, note string
}

func normal(reason, format string, args ...any) occurrence {
	return occurrence{corev1.EventTypeNormal, reason, fmt.Sprintf(format, args...)}
}

func warning(reason, format string, args ...any) occurrence {
	return occurrence{corev1.EventTypeWarning, reason, fmt.Sprintf(format, args...)}
}

// together are the events of what was done and of the conditions that turned by it. A webhook that the Hub verified
// before it answered the registration makes one event and not two: events are writes, and thousands may register.
func together(done, turned []occurrence) []occurrence {
	verified := slices.IndexFunc(turned, func(e occurrence) bool { return e.reason == v1alpha1.ReasonVerified })
	begun := slices.IndexFunc(done, func(e occurrence) bool {
		return e.reason == v1alpha1.EventRegistered || e.reason == v1alpha1.EventAdopted
	})
	if verified >= 0 && begun >= 0 {
		done[begun].note += "; the Hub has verified its endpoint"
		turned = slices.Delete(turned, verified, verified+1)
	}
	return append(done, turned...)
}

func (r *Reconciler) emit(ctx context.Context, object *v1alpha1.Chatt2Webhook, occurred []occurrence) {
	emit(ctx, r.Recorder, object, occurred)
}

// emit records events, and logs them.
func emit(ctx context.Context, recorder events.EventRecorder, object client.Object, occurred []occurrence) {
	for _, e := range occurred {
		log.FromContext(ctx).Info(e.note, "reason", e.reason)
		recorder.Eventf(object, nil, e.kind, e.reason, "Reconcile", "%s", cut(e.note, longestNote))
	}
}

// cut shortens a text to at most n bytes of whole characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
