package controller

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/plan"
)

const (
	ours   = "11111111-1111-4111-8111-111111111111"
	theirs = "22222222-2222-4222-8222-222222222222"
)

func TestWhatThisProcessKnowsCountsForMoreThanStatus(t *testing.T) {
	tests := []struct{ name, known, unproved, status, want string }{
		{name: "nobody knows of one"},
		{name: "only status does", status: ours, want: ours},
		{name: "status says nonsense", status: "nonsense", want: ""},
		{name: "both know it", known: ours, status: ours, want: ours},
		{name: "status has lost it", known: ours, want: ours},
		{name: "status says otherwise", known: ours, status: theirs, want: ours},
		{name: "status says otherwise before anything was seen", known: ours, unproved: ours, status: theirs, want: theirs},
	}
	for _, test := range tests {
		m := &localState{unproved: test.unproved}
		m.WebhookID, m.IntentClosed = test.known, true
		if got := m.named(&v1alpha1.Chatt2WebhookStatus{WebhookID: test.status}); got != test.want || m.WebhookID != test.want {
			t.Errorf("%s: got %q, remembered is %q", test.name, got, m.WebhookID)
		}
		if m.IntentClosed == isCanonicalID(test.status) {
			t.Errorf("%s: the intent is closed: %t", test.name, m.IntentClosed)
		}
	}
}

func TestAWebhookOfAnotherAgeThanStatusSaysIsNotTheResources(t *testing.T) {
	created := time.Date(2026, 2, 9, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name            string
		recorded, shown time.Time
		presence        plan.Presence
		id              string
		unproved        bool
	}{
		{name: "of the same age", recorded: created, shown: created, presence: plan.Present, id: ours},
		{name: "within the second", recorded: created, shown: created.Add(time.Second), presence: plan.Present, id: ours},
		{name: "younger", recorded: created, shown: created.Add(1001 * time.Millisecond), presence: plan.Present},
		{name: "older", recorded: created, shown: created.Add(-2 * time.Second), presence: plan.Present},
		{name: "of unknown age", recorded: created, presence: plan.Present, id: ours},
		{name: "when status knows no age", shown: created, presence: plan.Present, id: ours},
		{name: "not seen yet", recorded: created, id: ours, unproved: true},
		{name: "not there", recorded: created, presence: plan.Absent, id: ours, unproved: true},
	}
	for _, test := range tests {
		o := &observation{local: &localState{unproved: ours}}
		o.Object, o.ID, o.local.WebhookID = &v1alpha1.Chatt2Webhook{}, ours, ours
		if !test.recorded.IsZero() {
			o.Object.Status.CreatedAt = new(metav1.NewTime(test.recorded))
		}
		o.Remote = plan.Remote{Presence: test.presence, Webhook: hub.Webhook{CreatedDate: test.shown}}
		if o.prove(); o.ID != test.id || o.local.WebhookID != test.id || o.Unproved != test.unproved {
			t.Errorf("%s: it has %q, unproved: %t", test.name, o.ID, o.Unproved)
		}
		if proved := o.local.unproved == ""; test.id != "" && proved == test.unproved {
			t.Errorf("%s: it is proved: %t", test.name, proved)
		}
	}
}
