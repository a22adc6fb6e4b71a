package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

func TestALongPauseIsTold(t *testing.T) {
	paused := func(d time.Duration) with { return onHub(func(h *Hub) { h.PausedUntil = noon.Add(d) }) }
	drifted := func(o *Observed) { o.Remote.Webhook.Endpoint = "https://elsewhere.example/hook" }
	const synced, signs = v1alpha1.ConditionSynced, v1alpha1.ConditionSigningSecretReady
	tests := []struct {
		name      string
		o         *Observed
		action    Action
		condition string
		reason    string
	}{
		{"a registration", observed(unregistered, paused(time.Minute)), Rest, synced, v1alpha1.ReasonThrottled},
		{"a short pause", observed(unregistered, paused(time.Second)), Create, synced, v1alpha1.ReasonRegistering},
		{
			"a registration before the Hub was listed", observed(unregistered, listedAt(time.Time{}), paused(time.Minute)),
			AwaitListing, synced, v1alpha1.ReasonThrottled,
		},
		{"a repair", observed(drifted, paused(time.Minute)), Rest, synced, v1alpha1.ReasonThrottled},
		{"a rotation", observed(signedSince(noon.Add(-time.Hour)), secret(missing), paused(time.Minute)), Rest, signs, v1alpha1.ReasonThrottled},
		{"a deletion", observed(deletedFor(time.Second), paused(time.Minute)), Rest, synced, v1alpha1.ReasonDeletionBlocked},
		{"nothing to do", observed(paused(time.Minute)), Rest, "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := Decide(test.o)
			if p.Action != test.action || p.Hold {
				t.Errorf("got %s, held: %t", p.Action, p.Hold)
			}
			switch {
			case test.reason == "":
				if p.Problem != nil {
					t.Errorf("got %+v", p.Problem)
				}
			case p.Problem == nil || p.Problem.Reason != test.reason || p.Problem.Condition != test.condition:
				t.Errorf("got %+v", p.Problem)
			case test.reason == v1alpha1.ReasonThrottled:
				if !strings.Contains(p.Problem.Message, "resume automatically") || p.Recheck > time.Minute {
					t.Errorf("got %q and %s", p.Problem.Message, p.Recheck)
				}
			}
		})
	}
}

func TestTheMessageOfAPauseIsTheSameWheneverThatEnds(t *testing.T) {
	of := func(d time.Duration) string {
		return Decide(observed(unregistered, onHub(func(h *Hub) { h.PausedUntil = noon.Add(d) }))).Problem.Message
	}
	if of(time.Minute) != of(time.Hour) {
		t.Errorf("it is %q, then %q", of(time.Minute), of(time.Hour))
	}
}
