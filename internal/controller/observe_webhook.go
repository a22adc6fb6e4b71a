package controller

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/hub/connection"
	"github.com/chatt2me/webhook-operator/internal/plan"
)

// named is the webhook of the resource, given what status says. What this process has registered, adopted or seen to be
// right counts for more than what a user may have written into status since.
func (m *localState) named(s *v1alpha1.Chatt2WebhookStatus) string {
	// An invalid id was written by another client, and counts as lost.
	if !isCanonicalID(s.WebhookID) {
		return m.WebhookID
	}
	if m.WebhookID == "" || m.WebhookID == m.unproved {
		m.take(s.WebhookID)
	}
	if m.WebhookID == s.WebhookID {
		m.ApplicationID = cmp.Or(s.ApplicationID, m.ApplicationID)
		m.APIKeyHash = cmp.Or(s.APIKeyHash, m.APIKeyHash)
	}
	// Should status lose the id, there is a webhook all the same.
	m.IntentClosed = false
	return m.WebhookID
}

// take accepts a webhook as the resource's that only status names.
func (m *localState) take(id string) {
	if id != m.WebhookID {
		m.ApplicationID, m.APIKeyHash = "", ""
	}
	m.WebhookID, m.unproved = id, id
}

// isCanonicalID reports whether an id is a UUID in the form that the Hub and the operator write: claims compare it.
func isCanonicalID(id string) bool {
	return len(id) == 36 && uuid.Validate(id) == nil && id == strings.ToLower(id)
}

// findOwn looks for the resource's webhook, and decides which one that is where status and this process do not agree.
func (r *Reconciler) findOwn(ctx context.Context, o *observation) {
	if o.ID == "" || o.ID == o.local.DeletedID {
		return
	}
	o.Remote = r.find(ctx, o, o.ID)
	if other := o.Object.Status.WebhookID; other != o.ID && isCanonicalID(other) {
		r.contest(ctx, o, other)
	}
	if o.local.unproved == o.ID {
		o.prove()
	}
}

// contest is for a status that names another webhook than this process knows. Somebody may have edited it, and then it
// is put right. Or another process has replaced the webhook, one of another shard that had the resource for a while:
// then the one that is known is not there, for which the Hub is asked once, or was given up by the user.
func (r *Reconciler) contest(ctx context.Context, o *observation, other string) {
	if o.Remote.Presence == plan.Present && o.local.contested != other {
		if o.Remote = r.ask(ctx, o, o.ID); o.Remote.Presence == plan.Present {
			o.local.contested = other
		}
	}
	o.Unproved = o.Remote.Presence == plan.Unseen
	if o.Remote.Presence == plan.Absent || o.Object.Annotations[v1alpha1.AnnotationForceOrphan] == o.ID {
		o.ID = other
		o.local.take(other)
		o.Remote = r.find(ctx, o, other)
	}
}

// prove holds a webhook that only status tells of to what status says of its age. One that was created at another time
// was written there by somebody, and then status counts as naming none.
func (o *observation) prove() {
	o.Unproved = o.Remote.Presence != plan.Present
	switch {
	case o.Unproved:
	case sameSecond(o.Object.Status.CreatedAt, o.Remote.Webhook.CreatedDate):
		o.local.unproved = ""
	default:
		o.ID, o.Remote, o.Applied, o.local.WebhookID = "", plan.Remote{}, v1alpha1.AppliedStatus{}, ""
	}
}

// createdAt is when the webhook was created as status says, by the Hub's clock, unless that is ahead.
func (o *observation) createdAt() time.Time {
	if at := o.Object.Status.CreatedAt; at != nil && at.Time.Before(o.Now) {
		return at.Time
	}
	return time.Time{}
}

// sameSecond reports whether two times may be the same, of which either may be unknown and one is cut to the second.
func sameSecond(recorded *metav1.Time, shown time.Time) bool {
	return recorded.IsZero() || shown.IsZero() || shown.Sub(recorded.Time).Abs() <= time.Second
}

// seen is a webhook as the inventory shows it, unless another connection has seen it since.
func (o *observation) seen(id string) plan.Remote {
	if seen, ok := o.conn.Find(id); ok && (id != o.ID || !seen.SeenAt.Before(o.local.seenAt)) {
		return plan.Remote{Presence: plan.Present, Webhook: seen.Webhook, SeenAt: seen.SeenAt}
	}
	return plan.Remote{}
}

// find is a webhook as the inventory shows it. One that a listing did not show is asked for by itself.
func (r *Reconciler) find(ctx context.Context, o *observation, id string) plan.Remote {
	listing := o.conn.Listing()
	if seen := o.seen(id); seen.Presence == plan.Present {
		return seen
	}
	if _, ok := o.conn.Find(id); ok {
		since := o.local.seenAt
		if !listing.BeganAt.Before(since) {
			// The connection did not believe what the listing showed, soon after a write of its own.
			since = listing.BeganAt.Add(connection.ReadLag)
		}
		o.conn.Want(subject(o.name), since)
		return plan.Remote{}
	}
	if listing.TriedAt.IsZero() {
		return plan.Remote{}
	}
	return r.ask(ctx, o, id)
}

// ask asks the Hub for one webhook, unless that was done since the last listing and it was not there.
func (r *Reconciler) ask(ctx context.Context, o *observation, id string) plan.Remote {
	if remote, known := o.missing(id); known {
		return remote
	}
	seen, err := o.conn.Get(ctx, subject(o.name), id, connection.Repair)
	switch {
	case err == nil:
		return plan.Remote{Presence: plan.Present, Webhook: seen.Webhook, SeenAt: seen.SeenAt}
	case hub.IsKind(err, hub.NotFound):
		remote, _ := o.missing(id)
		return remote
	}
	return plan.Remote{}
}

// missing is what to think of a webhook that a call did not find, if there was such a call. While a single 404 says so,
// and nothing else, nothing is thought, and a listing is waited for.
func (o *observation) missing(id string) (_ plan.Remote, known bool) {
	at, sure, ok := o.conn.Missing(id)
	// Another process, one of another shard, or this one with another key, may have just made it.
	made := slices.MaxFunc([]time.Time{
		o.Settings.ActingSince, o.local.registeredAt, o.Attempted(), o.createdAt(),
	}, time.Time.Compare)
	trusted := made.Add(connection.ReadLag) // before that, reads do not show it
	switch {
	case ok && !sure:
		o.conn.Want(subject(o.name), at.Add(1)) // one that began no later has decided nothing
		return plan.Remote{}, true
	case ok && !at.Before(trusted):
		return plan.Remote{Presence: plan.Absent, SeenAt: at}, true
	}
	return plan.Remote{}, false
}
