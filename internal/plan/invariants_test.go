package plan

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
)

// mutations are the actions that ask the Hub for a change.
var mutations = []Action{Create, Update, Verify, Redefine, DeleteDuplicate, Delete}

// circumstances are put together at random. Each belongs to no other but those of its own line.
func circumstances() [][]with {
	minutesAgo := func(n int) time.Time { return noon.Add(-time.Duration(n) * time.Minute) }
	return [][]with{
		{deletedFor(time.Minute), deletedFor(time.Hour)},
		{unregistered, absent, unseenYet, unverified, remote(drifted), remote(silent), attempts(10*time.Second, nil)},
		{intent(minutesAgo(1)), intent(minutesAgo(120)), intentRemoved(minutesAgo(1))},
		{retried(minutesAgo(1)), retried(minutesAgo(60 * 48))},
		{signedSince(minutesAgo(60)), ownSecret, spec(signing)},
		{secret(missing), secret(foreign), secret(func(s *SigningSecret) { s.RotationOpen = true }), secret(func(s *SigningSecret) { s.Fingerprint = "other" })},
		{secret(func(s *SigningSecret) { s.HasPrevious, s.PreviousExpiresAt = true, minutesAgo(1) }), secret(func(s *SigningSecret) { s.HasPrevious, s.PreviousExpiresAt = true, minutesAgo(-1) })},
		{former()},
		{rotatedEvery("1h", ""), rotatedEvery("2h", "")},
		{annotated(v1alpha1.AnnotationRotateRequestedAt, "today")},
		{spec(suspend)},
		{keyless},
		{foreignKey},
		{onHub(refuses), onHub(isDown)},
		{func(o *Observed) { o.OlderClaimant = "chat/old" }},
		{func(o *Observed) { o.Owner = "chat/old" }, func(o *Observed) { o.Owner, o.OwnerDiffers = "chat/old", true }},
		{annotated(v1alpha1.AnnotationForceOrphan, mine), annotated(v1alpha1.AnnotationForceOrphan, "unknown")},
		{unsettledSince(time.Second), unsettledSince(time.Hour)},
		{retryIn(time.Second)},
		{remembered(rejects)},
		{remembered(held)},
		{remembered(func(m *LocalState) { m.IntentClosed = true })},
		{asked},
		{headerless},
		{newGeneration},
		{ignoring(FieldEndpoint), ignoring(FieldRequiresSignature)},
		{match(other, minutesAgo(1), ""), match(other, minutesAgo(60*48), "chat/other"), match(other, minutesAgo(1), "", unlabelled)},
		{match(another, minutesAgo(1), "")},
		{spec(never), spec(byID)},
		{wanted(Present), wanted(Absent)},
		{listedAt(time.Time{}), listedAt(noon)},
		{actingSince(noon.Add(-time.Second))},
		{spec(retaining)},
		{spec(func(s *v1alpha1.Chatt2WebhookSpec) { s.ReadyWhen = v1alpha1.ReadyWhenRegistered })},
		{onHub(func(h *Hub) { h.PausedUntil = noon.Add(time.Hour) }), onHub(func(h *Hub) { h.PausedUntil = noon.Add(time.Second) })},
		{onHub(func(h *Hub) { h.Unreadable = "entry 7" })},
		{onHub(func(h *Hub) { h.Pages, h.PagesRead = 100, 30 })},
		{remembered(func(m *LocalState) { m.SecretRetryAt = noon.Add(time.Minute) })},
		{remembered(func(m *LocalState) { m.UnkeptUntil = noon.Add(time.Minute) })},
		{remembered(func(m *LocalState) { m.RotationOwn = true })},
		{remembered(func(m *LocalState) { m.SeenAt = noon.Add(-time.Minute) })},
		{remembered(func(m *LocalState) { m.DeletedID = mine })},
		{remembered(func(m *LocalState) { m.ObservedAt = noon.Add(-time.Second) })},
		{func(o *Observed) { o.SecretTaken = true }},
		{func(o *Observed) { o.OtherKey = true }},
		{func(o *Observed) { o.Unproved = true }},
		{func(o *Observed) { o.Unclaimed = true }},
		{func(o *Observed) { o.Signing.Outdated = true }},
		{func(o *Observed) { o.Object.Finalizers = nil }},
		{func(o *Observed) { o.OlderClaimant = "chat/old" }},
		{match(other, noon.Add(-time.Minute), "chat/old")},
	}
}

// anything is an observation with about n circumstances.
func anything(r *rand.Rand, n int) *Observed {
	o := observed()
	lines := circumstances()
	for _, line := range lines {
		if r.IntN(len(lines)) < n {
			line[r.IntN(len(line))](o)
		}
	}
	return o
}

// everywhere checks something in all scenes and in many circumstances put together at random.
func everywhere(t *testing.T, check func(t *testing.T, o *Observed)) {
	t.Helper()
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) { check(t, s.o) })
	}
	t.Run("put together at random", func(t *testing.T) {
		for seed := range uint64(1000) {
			check(t, anything(rand.New(rand.NewPCG(seed, 0)), 1+int(seed%6)))
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
	})
}

func TestNothingIsChangedOnTheHubOfWhatIsSuspendedRefusedDownOrStalled(t *testing.T) {
	everywhere(t, func(t *testing.T, o *Observed) {
		p := Decide(o)
		if !slices.Contains(mutations, p.Action) {
			return
		}
		alive := o.Object.DeletionTimestamp.IsZero()
		switch {
		case o.Hub.Refused, o.Hub.Down, o.Key.Problem != nil:
			t.Errorf("%s without access to the Hub", p.Action)
		case alive && o.Object.Spec.Suspend:
			t.Errorf("%s although it is suspended", p.Action)
		case p.Problem != nil && p.Problem.Stalled:
			t.Errorf("%s although it is stalled: %s", p.Action, p.Problem.Reason)
		case o.ID != "" && o.Owner != "":
			t.Errorf("%s of a webhook that belongs to another", p.Action)
		case alive && o.ID != "" && o.Remote.Presence != Present:
			t.Errorf("%s of a webhook that nobody sees", p.Action)
		}
	})
}

func TestWhatIsBeingDeletedIsLookedAtAndDeletedOnly(t *testing.T) {
	everywhere(t, func(t *testing.T, o *Observed) {
		if o.Object.DeletionTimestamp.IsZero() {
			return
		}
		if p := Decide(o); !slices.Contains([]Action{Rest, AwaitListing, Observe, Delete, DeleteDuplicate, Release, Orphan}, p.Action) {
			t.Errorf("%s, as %q says", p.Action, p.Rule)
		}
	})
}

func TestNothingIsRegisteredWhileAnEarlierRegistrationMayComeOut(t *testing.T) {
	everywhere(t, func(t *testing.T, o *Observed) {
		if Decide(o).Action != Create {
			return
		}
		if o.intentOpen() && o.Hub.ListedAt.Before(o.settled()) {
			t.Error("created before a listing that would show it")
		}
		if o.ID != "" || o.Hub.ListedAt.IsZero() || len(o.ownMatches(0)) > 0 && o.intentOpen() {
			t.Error("created although there is one")
		}
	})
}

func TestOnlyAnExactMatchOfNobodyIsDeletedAsADuplicate(t *testing.T) {
	everywhere(t, func(t *testing.T, o *Observed) {
		p := Decide(o)
		if p.Action != DeleteDuplicate {
			return
		}
		first, _ := o.intent()
		last, _ := o.retried()
		for _, m := range o.Matches {
			inTime := m.Webhook.CreatedDate.Sub(first) <= lateCommit || m.Webhook.CreatedDate.Sub(last).Abs() <= lateCommit
			if m.Webhook.ID == p.WebhookID && m.Owner == "" && p.WebhookID != o.ID && inTime &&
				(o.ID == "" || m.Webhook.Label.Known) {
				return
			}
		}
		t.Errorf("%s is deleted", p.WebhookID)
	})
}

func TestNoPlanMakesTheResourceSpin(t *testing.T) {
	everywhere(t, func(t *testing.T, o *Observed) {
		p := Decide(o)
		if (p.Action == Rest || p.Action == AwaitListing) && p.Recheck != 0 && p.Recheck < time.Second {
			t.Errorf("%q looks again in %v", p.Rule, p.Recheck)
		}
	})
}

func TestDecideDependsOnTheObservationOnlyAndLeavesItAlone(t *testing.T) {
	options := cmp.Options{cmp.AllowUnexported(Observed{})}
	everywhere(t, func(t *testing.T, o *Observed) {
		before := *o
		before.Object = o.Object.DeepCopy()
		before.Applied = *o.Applied.DeepCopy()
		before.Matches = slices.Clone(o.Matches)
		first := Decide(o)
		Status(o, first)
		if diff := cmp.Diff(first, Decide(o)); diff != "" {
			t.Errorf("the second plan differs (-first +second):\n%s", diff)
		}
		if diff := cmp.Diff(&before, o, options); diff != "" {
			t.Errorf("the observation was changed (-before +after):\n%s", diff)
		}
	})
}

func TestWhatIsReadyIsRightAtTheLastLook(t *testing.T) {
	everywhere(t, func(t *testing.T, o *Observed) {
		p := Decide(o)
		s := Status(o, p)
		if !meta.IsStatusConditionTrue(s.Conditions, v1alpha1.ConditionReady) {
			return
		}
		if o.Object.Spec.RequiresSignature && (!o.secretGood() || o.Local.Held) {
			t.Error("ready although the Secret does not hold what the Hub signs with")
		}
		if o.Remote.Presence == Present && o.Object.Spec.ReadyWhen == "" && !o.Remote.Webhook.IsVerified {
			t.Error("ready although it is not verified")
		}
		if alive := o.Object.DeletionTimestamp.IsZero(); alive && (o.ID == "" || o.Remote.Presence == Absent) || p.Action == Update || p.Action == Create {
			t.Errorf("ready although %s is to be done", p.Action)
		}
	})
}

func TestMessagesShowNoTimes(t *testing.T) {
	everywhere(t, func(t *testing.T, o *Observed) {
		for _, c := range Status(o, Decide(o)).Conditions {
			if strings.Contains(c.Message, "2026") || strings.Contains(c.Message, ":00") {
				t.Errorf("%s says %q", c.Type, c.Message)
			}
			if c.Message == "" || c.Reason == "" {
				t.Errorf("%s says nothing", c.Type)
			}
		}
	})
}

func TestAFailedCallLeadsSomewhere(t *testing.T) {
	invalid := &hub.Error{Kind: hub.Invalid, Outcome: hub.NotApplied, Message: "endpoint is odd"}
	conflict := &hub.Error{Kind: hub.Invalid, Outcome: hub.NotApplied, StatusCode: http.StatusConflict}
	unknown := &hub.Error{Kind: hub.Unavailable, Outcome: hub.Unknown}
	notApplied := &hub.Error{Kind: hub.Unavailable, Outcome: hub.NotApplied}
	throttled := &hub.Error{Kind: hub.Throttled, Outcome: hub.NotApplied}
	refused := &hub.Error{Kind: hub.Refused, Outcome: hub.NotApplied}
	notFound := &hub.Error{Kind: hub.NotFound, Outcome: hub.NotApplied}
	tests := []struct {
		name        string
		action      Action
		err         error
		disposition Disposition
		condition   string
		reason      string
	}{
		{"an update that the Hub refuses", Update, invalid, Stall, v1alpha1.ConditionSynced, v1alpha1.ReasonRejected},
		{"an update that conflicts", Update, conflict, Retry, v1alpha1.ConditionSynced, v1alpha1.ReasonForbidden},
		{"a redefinition that the Hub refuses", Redefine, invalid, Retry, v1alpha1.ConditionSigningSecretReady, v1alpha1.ReasonForbidden},
		{"a registration whose answer was lost", Create, unknown, Settle, v1alpha1.ConditionSynced, v1alpha1.ReasonCreateUnconfirmed},
		{"an update whose answer was lost", Update, unknown, Settle, v1alpha1.ConditionSynced, v1alpha1.ReasonHubUnavailable},
		{"a registration that ended in an error of somebody else", Create, errTest, Settle, v1alpha1.ConditionSynced, v1alpha1.ReasonCreateUnconfirmed},
		{"a delete whose answer was lost", Delete, unknown, Retry, v1alpha1.ConditionSynced, v1alpha1.ReasonHubUnavailable},
		{"a delete of a duplicate whose answer was lost", DeleteDuplicate, unknown, Retry, v1alpha1.ConditionSynced, v1alpha1.ReasonHubUnavailable},
		{"an update that did not leave", Update, notApplied, Retry, v1alpha1.ConditionSynced, v1alpha1.ReasonHubUnavailable},
		{"a call that came too soon", Update, throttled, Retry, v1alpha1.ConditionSynced, v1alpha1.ReasonThrottled},
		{"a registration that was not found", Create, notFound, Retry, v1alpha1.ConditionSynced, v1alpha1.ReasonHubUnavailable},
		{"an update of what is gone", Update, notFound, Reobserve, "", ""},
		{"a call with a refused key", Update, refused, AwaitProbe, v1alpha1.ConditionSynced, v1alpha1.ReasonForbidden},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			disposition, problem := FailedCall(test.action, test.err)
			if disposition != test.disposition || (problem == nil) != (test.reason == "") {
				t.Fatalf("it leads to %v with %+v", disposition, problem)
			}
			if problem == nil {
				return
			}
			if problem.Condition != test.condition || problem.Reason != test.reason || problem.Stalled != (disposition == Stall) {
				t.Errorf("it leads to %+v", problem)
			}
			if disposition == Stall && !strings.Contains(problem.Message, invalid.Message) {
				t.Errorf("the message is %q", problem.Message)
			}
		})
	}
}
