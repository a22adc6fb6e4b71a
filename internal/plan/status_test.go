package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
)

// conditions are the status and reason of each condition.
func conditions(s v1alpha1.Chatt2WebhookStatus) map[string]string {
	all := map[string]string{}
	for _, c := range s.Conditions {
		all[c.Type] = string(c.Status) + " " + c.Reason
	}
	return all
}

func TestConditions(t *testing.T) {
	signed := signedSince(noon.Add(-time.Hour))
	type want = map[string]string
	tests := []struct {
		name string
		o    *Observed
		want want
	}{
		{"all is well", observed(), want{"Ready": "True Ready", "Synced": "True Synced", "Verified": "True Verified"}},
		{"all is well and signed", observed(signed), want{"Ready": "True Ready", "Synced": "True Synced", "Verified": "True Verified", "SigningSecretReady": "True Stored"}},
		{"new", observed(unregistered), want{"Ready": "False Registering", "Synced": "False Registering", "Verified": "Unknown Pending", "Reconciling": "True Registering"}},
		{"new and to be signed", observed(unregistered, spec(signing)), want{"Ready": "False Registering", "Synced": "False Registering", "Verified": "Unknown Pending", "SigningSecretReady": "False Pending", "Reconciling": "True Registering"}},
		{"not verified yet", observed(attempts(time.Second, nil)), want{"Ready": "False AwaitingVerification", "Synced": "True Synced", "Verified": "False AwaitingVerification", "Reconciling": "True AwaitingVerification"}},
		{"not verified after a second try", observed(attempts(time.Hour, triggered(1))), want{"Ready": "False VerificationFailed", "Synced": "True Synced", "Verified": "False VerificationFailed", "Reconciling": "True VerificationFailed"}},
		{
			"not verified and not waited for", observed(attempts(time.Second, nil), spec(func(s *v1alpha1.Chatt2WebhookSpec) { s.ReadyWhen = v1alpha1.ReadyWhenRegistered })),
			want{"Ready": "True Ready", "Synced": "True Synced", "Verified": "False AwaitingVerification"},
		},
		{"suspended", observed(spec(suspend), unseenYet), want{"Ready": "False Suspended", "Synced": "Unknown Suspended", "Verified": "True Verified"}},
		{"suspended with a Secret in the way", observed(spec(suspend), signed, secret(foreign), unseenYet), want{"Ready": "False Suspended", "Synced": "Unknown Suspended", "Verified": "True Verified", "SigningSecretReady": "False SecretConflict"}},
		{"without a key", observed(keyless, unseenYet), want{"Ready": "False APIKeyNotFound", "Synced": "False APIKeyNotFound", "Verified": "True Verified", "Reconciling": "True APIKeyNotFound"}},
		{"refused", observed(onHub(refuses)), want{"Ready": "False APIKeyRefused", "Synced": "False APIKeyRefused", "Verified": "True Verified", "Stalled": "True APIKeyRefused"}},
		{"down", observed(onHub(isDown)), want{"Ready": "Unknown HubUnavailable", "Synced": "Unknown HubUnavailable", "Verified": "True Verified", "Reconciling": "True HubUnavailable"}},
		{"throttled", observed(retryIn(time.Second)), want{"Ready": "False Throttled", "Synced": "False Throttled", "Verified": "True Verified", "Reconciling": "True Throttled"}},
		{"in conflict", observed(unregistered, func(o *Observed) { o.OlderClaimant = "chat/old" }), want{"Ready": "False Conflict", "Synced": "False Conflict", "Verified": "Unknown Pending", "Stalled": "True Conflict"}},
		{"updating", observed(remote(drifted)), want{"Ready": "False Updating", "Synced": "False Updating", "Verified": "True Verified", "Reconciling": "True Updating"}},
		{"ignored by the Hub", observed(remote(drifted), ignoring(FieldEndpoint)), want{"Ready": "False NotApplied", "Synced": "False NotApplied", "Verified": "True Verified", "Stalled": "True NotApplied"}},
		{"a header's source is missing", observed(headerless), want{"Ready": "False HeaderSourceNotFound", "Synced": "False HeaderSourceNotFound", "Verified": "True Verified", "Reconciling": "True HeaderSourceNotFound"}},
		{"the Secret is another's", observed(signed, secret(foreign)), want{"Ready": "False SecretConflict", "Synced": "True Synced", "Verified": "True Verified", "SigningSecretReady": "False SecretConflict", "Stalled": "True SecretConflict"}},
		{"the Secret is another's and nothing is verified", observed(signed, secret(foreign), attempts(time.Second, nil)), want{"Ready": "False SecretConflict", "Synced": "True Synced", "Verified": "False AwaitingVerification", "SigningSecretReady": "False SecretConflict", "Stalled": "True SecretConflict"}},
		{"the Secret is lost", observed(signed, secret(missing)), want{"Ready": "False Rotating", "Synced": "True Synced", "Verified": "True Verified", "SigningSecretReady": "False Rotating", "Reconciling": "True Rotating"}},
		{
			"a secret is held", observed(signed, remembered(func(m *LocalState) {
				m.Held, m.SecretProblem = true, problem(v1alpha1.ConditionSigningSecretReady, v1alpha1.ReasonSecretNotStored)
			})),
			want{"Ready": "False SecretNotStored", "Synced": "True Synced", "Verified": "True Verified", "SigningSecretReady": "False SecretNotStored", "Reconciling": "True SecretNotStored"},
		},
		{"deletion is blocked", observed(deletedFor(time.Second), keyless), want{"Ready": "False DeletionBlocked", "Synced": "False DeletionBlocked", "Verified": "True Verified", "Reconciling": "True DeletionBlocked"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, conditions(Status(test.o, Decide(test.o)))); diff != "" {
				t.Errorf("conditions (-want +got):\n%s", diff)
			}
		})
	}
}

// lasting are the reasons that last until somebody acts.
var lasting = map[string]bool{
	v1alpha1.ReasonAPIKeyInvalid: true, v1alpha1.ReasonAPIKeyRefused: true, v1alpha1.ReasonRejected: true,
	v1alpha1.ReasonNotApplied: true, v1alpha1.ReasonAlreadyRegistered: true, v1alpha1.ReasonAlreadyExists: true, v1alpha1.ReasonAmbiguousMatch: true,
	v1alpha1.ReasonConflict: true, v1alpha1.ReasonWebhookNotFound: true, v1alpha1.ReasonApplicationChanged: true,
	v1alpha1.ReasonSecretConflict: true, v1alpha1.ReasonSecretRejected: true,
	v1alpha1.ReasonMetadataRejected: true,
}

// mayPass reports whether a conflict is expected to end without anybody acting.
func mayPass(o *Observed, reason string) bool {
	age := o.Now.Sub(o.Object.CreationTimestamp.Time)
	return reason == v1alpha1.ReasonConflict && (len(o.Leaving) > 0 || -clockSkew <= age && age < conflictGrace)
}

func TestToolsThatReadKstatusTellDoneFromUnderWayAndFailed(t *testing.T) {
	everywhere(t, func(t *testing.T, o *Observed) {
		object := o.Object.DeepCopy()
		object.Status = Status(o, Decide(o))
		raw, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
		if err != nil {
			t.Fatal(err)
		}
		got, err := status.Compute(&unstructured.Unstructured{Object: raw})
		if err != nil {
			t.Fatal(err)
		}
		ready := meta.FindStatusCondition(object.Status.Conditions, v1alpha1.ConditionReady)
		want := status.InProgressStatus
		switch {
		case !object.DeletionTimestamp.IsZero():
			want = status.TerminatingStatus
		case ready.Status == metav1.ConditionTrue:
			want = status.CurrentStatus
		case lasting[ready.Reason] && !mayPass(o, ready.Reason):
			want = status.FailedStatus
		}
		if got.Status != want {
			t.Errorf("with %v it counts as %s, want %s", conditions(object.Status), got.Status, want)
		}
		reconciling := meta.FindStatusCondition(object.Status.Conditions, v1alpha1.ConditionReconciling)
		stalled := meta.FindStatusCondition(object.Status.Conditions, v1alpha1.ConditionStalled)
		if reconciling != nil && stalled != nil || ready.Status == metav1.ConditionTrue && (reconciling != nil || stalled != nil) {
			t.Errorf("the conditions are %v", conditions(object.Status))
		}
		for _, c := range object.Status.Conditions {
			if c.ObservedGeneration != object.Generation {
				t.Errorf("%s is about generation %d", c.Type, c.ObservedGeneration)
			}
		}
	})
}

func TestTheSameFactsGiveTheSameStatusAgain(t *testing.T) {
	everywhere(t, func(t *testing.T, o *Observed) {
		p := Decide(o)
		first := Status(o, p)
		again := *o
		again.Object = o.Object.DeepCopy()
		again.Object.Status = *first.DeepCopy()
		again.Applied.Ignored = Value(first.Applied).Ignored // which is read from status
		again.Now = o.Now.Add(time.Minute)
		// Time may have moved a decision or an attempt on; then the status may differ, too.
		if diff := cmp.Diff(first, Status(&again, p)); diff != "" && again.Verification() == o.Verification() {
			t.Errorf("after %q a minute later (-first +second):\n%s", p.Rule, diff)
		}
	})
}

func TestATurnOfAConditionHasATimeAndAChangeOfReasonHasNot(t *testing.T) {
	before := observed(keyless)
	object := before.Object.DeepCopy()
	object.Status = Status(before, Decide(before))
	later := observed(onHub(refuses), now(time.Hour))
	later.Object = object
	s := Status(later, Decide(later))
	since := func(condition string) time.Time {
		return meta.FindStatusCondition(s.Conditions, condition).LastTransitionTime.Time
	}
	if !since(v1alpha1.ConditionReady).Equal(noon) {
		t.Errorf("Ready is false since %v although only the reason changed", since(v1alpha1.ConditionReady))
	}
	if !since(v1alpha1.ConditionStalled).Equal(noon.Add(time.Hour)) {
		t.Errorf("Stalled is true since %v", since(v1alpha1.ConditionStalled))
	}
}

func TestWhatStatusRecords(t *testing.T) {
	hourAgo := noon.Add(-time.Hour)
	verified := noon.Add(-time.Minute)
	recorded := func(o *Observed) v1alpha1.Chatt2WebhookStatus { return Status(o, Decide(o)) }

	s := recorded(observed(signedSince(hourAgo), rotatedEvery("24h", ""), remote(func(w *hub.Webhook) {
		w.VerifiedAt, w.NumberOfErrors = &verified, 3
	}), func(o *Observed) { o.Object.Status = v1alpha1.Chatt2WebhookStatus{}; o.Key.Hash = "new" }))
	if s.WebhookID != mine || s.ApplicationID != "app" || s.APIKeyHash != "new" || s.Active == nil || !*s.Active ||
		!s.VerifiedAt.Time.Equal(verified) || s.NumberOfErrors != 3 || !s.IsVerified || s.ObservedGeneration != 2 {
		t.Errorf("of the webhook it records %+v", s)
	}
	if sec := s.SigningSecret; sec == nil || sec.Name != "hook-signing" || sec.Fingerprint != "print" ||
		!sec.RotatedAt.Time.Equal(hourAgo) || !sec.NextRotationAt.Time.Equal(hourAgo.Add(24*time.Hour)) {
		t.Errorf("of the Secret it records %+v", s.SigningSecret)
	}

	s = recorded(observed(absent, foreignKey))
	if s.WebhookID != mine || s.ApplicationID != "app" || s.APIKeyHash != "key" {
		t.Errorf("of a webhook that is not there it records %+v", s)
	}
	edited := func(o *Observed) {
		o.Object.Status.WebhookID, o.Object.Status.CreatedAt = other, new(metav1.NewTime(noon))
	}
	if s = recorded(observed(absent, foreignKey, edited)); s.WebhookID != mine || s.CreatedAt != nil {
		t.Errorf("of a webhook that is not the one it named it records %+v", s)
	}
	s = recorded(observed(unregistered, func(o *Observed) { o.Object.Status = resource().Status }))
	if s.WebhookID != "" || s.ApplicationID != "" || s.APIKeyHash != "" || s.IsVerified || s.Applied != nil {
		t.Errorf("of a webhook that was forgotten it keeps %+v", s)
	}
	if s = recorded(observed(signedSince(hourAgo), former())); s.SigningSecret.Name != "former" {
		t.Errorf("before the former Secret is gone it records %+v", s.SigningSecret)
	}
	if s = recorded(observed(ownSecret, secret(foreign))); s.SigningSecret != nil {
		t.Errorf("of Secrets that are not ours it keeps %+v", s.SigningSecret)
	}
	for name, test := range map[string]struct {
		o    *Observed
		kept bool
	}{
		"signs":                  {observed(recordedSecret, remote(silent)), true},
		"cannot be seen":         {observed(recordedSecret, unseenYet), true},
		"was told not to":        {observed(recordedSecret, remote(silent), sentSignature(false)), false},
		"shows that it does not": {observed(recordedSecret), false},
		"has no webhook of ours": {observed(unregistered, recordedSecret), false},
	} {
		if s = recorded(test.o); (s.SigningSecret != nil) != test.kept {
			t.Errorf("of a Secret that is gone it keeps %+v while the Hub %s", s.SigningSecret, name)
		}
	}
	if s = recorded(observed(remote(drifted), ignoring(FieldEndpoint, FieldLabel))); len(s.Applied.Ignored) != 1 {
		t.Errorf("of what the Hub ignored it keeps %v", s.Applied.Ignored)
	}
}

func TestWhatTheHubDoesNotChangeIsShownWithoutCredentials(t *testing.T) {
	shows := func(endpoint string) with { return remote(func(w *hub.Webhook) { w.Endpoint = endpoint }) }
	for endpoint, shown := range map[string]string{
		"https://other.example/h?token=canary":                 `endpoint (it has "https://other.example/h?…")`,
		"https://me:canary@other.example/h#canary":             `endpoint (it has "https://other.example/h?…")`,
		"https://me:canary@canary@other.example":               `endpoint (it has "https://other.example")`,
		"https:canary":                                         `endpoint (it has "")`,
		"https://other.example/" + strings.Repeat("long/", 90): "…\")",
	} {
		o := observed(shows(endpoint), ignored(FieldEndpoint))
		s := Status(o, Decide(o))
		message := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionSynced).Message
		if !strings.Contains(message, shown) || strings.Contains(message, "canary") || len(message) > 600 {
			t.Errorf("of %s it says %s", endpoint, message)
		}
		if recorded := strings.Join(s.Applied.Ignored, ""); strings.Contains(recorded, "example") {
			t.Errorf("of %s it records %s", endpoint, recorded)
		}
	}
}

func TestRequestsAreRecordedOnceTheyAreAnswered(t *testing.T) {
	rotate := annotated(v1alpha1.AnnotationRotateRequestedAt, "today")
	answered := secret(func(s *SigningSecret) { s.Request = "today" })
	signed := signedSince(noon.Add(-time.Hour))
	for name, test := range map[string]struct {
		o               *Observed
		rotation, fresh string
	}{
		"a rotation that begins":          {o: observed(signed, rotate)},
		"a rotation that is done":         {o: observed(signed, rotate, answered), rotation: "today"},
		"a rotation of nothing":           {o: observed(rotate), rotation: "today"},
		"a rotation that is open":         {o: observed(signed, rotate, answered, secret(func(s *SigningSecret) { s.RotationOpen = true }))},
		"a look that is not taken":        {o: observed(asked)},
		"a look that was taken":           {o: observed(asked, remembered(func(m *LocalState) { m.Answered = "now" })), fresh: "now"},
		"a rotation of a Secret not ours": {o: observed(signed, rotate, answered, secret(foreign))},
	} {
		s := Status(test.o, Decide(test.o))
		if s.LastHandledRotateAt != test.rotation || s.LastHandledReconcileAt != test.fresh {
			t.Errorf("%s: recorded are %q and %q", name, s.LastHandledRotateAt, s.LastHandledReconcileAt)
		}
	}
}
