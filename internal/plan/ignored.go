package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
)

// A Hub may answer an update with success and not change a field. The field is not sent again while the Hub goes on
// showing the value that it showed then. Another value is drift like any other, and is corrected once.

// Ignoring returns status.applied.ignored with a field that the Hub was sent and did not change.
func (o *Observed) Ignoring(field string) []string {
	others := slices.DeleteFunc(slices.Clone(o.Applied.Ignored), func(entry string) bool {
		return entry == field || strings.HasPrefix(entry, field+"=")
	})
	return append(others, o.ignoredEntry(field))
}

// ignoredEntry names a field and hashes the spec that was sent and the value that the Hub shows, which is not shown in
// status, for an endpoint may hold credentials.
func (o *Observed) ignoredEntry(field string) string {
	_, normal := o.shown(field)
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %s %s %s",
		o.Object.UID, o.Object.Generation, o.ID, field, normal))
	return field + "=" + hex.EncodeToString(sum[:8])
}

// ignoredNow returns the fields that differ and that the Hub did not change when it was sent this spec.
func (o *Observed) ignoredNow() Changes {
	var ignored Changes
	for _, field := range o.plainDifferences() {
		if o.ignores(field) {
			ignored = append(ignored, field)
		}
	}
	return ignored
}

// ignores reports whether the Hub still shows the value that it did not change. Earlier versions recorded the field
// alone, for the generation that status is about.
func (o *Observed) ignores(field string) bool {
	isRecorded := o.Object.Status.ObservedGeneration == o.Object.Generation
	return slices.Contains(o.Applied.Ignored, o.ignoredEntry(field)) ||
		isRecorded && slices.Contains(o.Applied.Ignored, field)
}

// shown returns the value of a field on the Hub; of one that it does not show, what was last sent.
func (o *Observed) shown(name string) (value, normal string) {
	sent := o.sent()
	for i := range fields {
		if f := &fields[i]; f.name == name {
			value, _ = f.value(&sent, &o.Remote.Webhook)
			if f.normal != nil {
				return value, f.normal(value)
			}
			return value, value
		}
	}
	return "", ""
}

// ignoredProblem says which fields the Hub does not change, what it shows of them and what the user can do.
func (o *Observed) ignoredProblem(fields Changes) *Problem {
	shows := make([]string, 0, len(fields))
	for _, field := range fields {
		value, _ := o.shown(field)
		if field == FieldEndpoint {
			value = hub.EndpointToShow(value)
		}
		shows = append(shows, fmt.Sprintf("%s (it has %q)", field, hub.ToShow(value)))
	}
	return &Problem{
		Condition: v1alpha1.ConditionSynced, Reason: v1alpha1.ReasonNotApplied, Stalled: true, Event: true,
		Message: "the Hub does not change " + strings.Join(shows, ", ") + ": set spec to what the Hub has, or delete " +
			"this resource and create it again; to have it sent once more, set the annotation " +
			v1alpha1.AnnotationReconcileRequestedAt + " to a new value",
	}
}
