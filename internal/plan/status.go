package plan

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// Status is the status that a resource is to have: o is the world after the last act, and next what is to be done
// then. It is a function from facts; nothing in it rests on the conditions that were there before.
func Status(o *Observed, next Plan) v1alpha1.Chatt2WebhookStatus {
	s := *o.Object.Status.DeepCopy()
	s.ObservedGeneration = o.Object.Generation
	recordWebhook(&s, o)
	recordSecret(&s, o)
	recordRequests(&s, o)
	s.Applied = recordApplied(o)
	setConditions(&s, o, next)
	return s
}

func recordWebhook(s *v1alpha1.Chatt2WebhookStatus, o *Observed) {
	if o.ID == "" {
		s.WebhookID, s.ApplicationID, s.APIKeyHash = "", "", ""
		s.Active, s.IsVerified, s.VerifiedAt, s.CreatedAt, s.NumberOfErrors = nil, false, nil, nil, 0
		return
	}
	if s.WebhookID != o.ID {
		s.CreatedAt = nil // which was that of another webhook
	}
	s.WebhookID = o.ID
	if o.Remote.Presence != Present {
		s.ApplicationID, s.APIKeyHash = o.Application() // which a user may have wiped
		if u := o.Unwritten; u != nil && u.WebhookID == o.ID {
			s.Active, s.NumberOfErrors = u.Active, u.NumberOfErrors
			s.IsVerified, s.VerifiedAt = u.IsVerified, u.VerifiedAt
		}
		return
	}
	w := &o.Remote.Webhook
	application, _ := o.Application()
	s.ApplicationID, s.APIKeyHash = cmp.Or(w.ApplicationID, application), o.Key.Hash
	s.Active = nil
	if w.Active.Known {
		s.Active = &w.Active.Value
	}
	s.IsVerified, s.NumberOfErrors = w.IsVerified, w.NumberOfErrors
	s.VerifiedAt = timestamp(w.VerifiedAt)
	s.CreatedAt = timestamp(&w.CreatedDate)
}

func recordSecret(s *v1alpha1.Chatt2WebhookStatus, o *Observed) {
	if !o.Object.Spec.RequiresSignature {
		if (!o.Signing.Exists || o.Signing.Foreign) && o.FormerSecret == nil && !o.maySign() {
			s.SigningSecret = nil
		}
		return
	}
	if !o.secretGood() || o.ID == "" {
		return
	}
	if o.FormerSecret == nil {
		s.SigningSecret = &v1alpha1.SigningSecretStatus{
			Name: o.Signing.Name, RotatedAt: timestamp(&o.Signing.RotatedAt), Fingerprint: o.Signing.Fingerprint,
		}
	}
	due := o.rotationDue()
	if o.rotationRequest() != "" && o.Signing.HasPrevious {
		// It waits for the end of the overlap.
		due = o.Signing.PreviousExpiresAt
	}
	if s.SigningSecret != nil {
		s.SigningSecret.NextRotationAt = timestamp(&due)
	}
}

// maySign reports whether the Hub may sign although spec does not say so.
func (o *Observed) maySign() bool {
	return o.ID != "" && (o.Remote.Presence != Present || o.plainDifferences().Has(FieldRequiresSignature))
}

func recordRequests(s *v1alpha1.Chatt2WebhookStatus, o *Observed) {
	if request := o.ReconcileRequest(); request != "" && request == o.Local.Answered {
		s.LastHandledReconcileAt = request
	}
	asked := Request(o.Object.Annotations[v1alpha1.AnnotationRotateRequestedAt])
	if asked != "" && (asked == o.Signing.Request && o.secretGood() || !o.Object.Spec.RequiresSignature) {
		s.LastHandledRotateAt = asked
	}
}

func recordApplied(o *Observed) *v1alpha1.AppliedStatus {
	if o.ID == "" {
		return nil
	}
	a := *o.Applied.DeepCopy()
	if o.Remote.Presence == Present {
		a.Ignored = nil
		for _, field := range o.ignoredNow() {
			a.Ignored = append(a.Ignored, o.ignoredEntry(field))
		}
	}
	if a.HeadersHash == "" && a.Label == "" && a.Scope == "" && len(a.Ignored) == 0 {
		return nil
	}
	return &a
}

// Problems are what keeps conditions from being true, in the order in which Ready names them.
func Problems(o *Observed, next Plan) []*Problem {
	all := []*Problem{syncedProblem(o, next), nil, verifiedProblem(o)}
	if o.Object.Spec.RequiresSignature {
		all[1] = signingProblem(o)
		if t := next.Problem; t != nil && t.Condition == v1alpha1.ConditionSigningSecretReady {
			all[1] = t
		}
	}
	return slices.DeleteFunc(all, func(t *Problem) bool { return t == nil })
}

func setConditions(s *v1alpha1.Chatt2WebhookStatus, o *Observed, next Plan) {
	of := map[string]*Problem{}
	var gating []*Problem
	for _, t := range Problems(o, next) {
		of[t.Condition] = t
		if t.Condition != v1alpha1.ConditionVerified || o.Object.Spec.ReadyWhen != v1alpha1.ReadyWhenRegistered {
			gating = append(gating, t)
		}
	}
	set(s, o, v1alpha1.ConditionSynced, of[v1alpha1.ConditionSynced],
		v1alpha1.ReasonSynced, "the webhook on the Hub matches spec"+keyNote(o))
	set(s, o, v1alpha1.ConditionVerified, of[v1alpha1.ConditionVerified],
		v1alpha1.ReasonVerified, "the Hub has verified the endpoint")
	if o.Object.Spec.RequiresSignature {
		set(s, o, v1alpha1.ConditionSigningSecretReady, of[v1alpha1.ConditionSigningSecretReady],
			v1alpha1.ReasonStored, storedMessage(o))
	} else {
		meta.RemoveStatusCondition(&s.Conditions, v1alpha1.ConditionSigningSecretReady)
	}
	setReady(s, o, gating)
}

// storedMessage says besides what does not take effect, or not yet.
func storedMessage(o *Observed) string {
	message := "the Secret holds the value that the Hub signs with"
	if o.metadataLost() {
		message += "; the API server does not keep the labels, annotations or owner that the operator writes to it: " +
			"an admission policy or another controller may change them (exempt the Secret, then set the annotation " +
			v1alpha1.AnnotationReconcileRequestedAt + ")"
	}
	if o.rotationRequest() != "" && o.Signing.HasPrevious {
		message += "; the rotation that was requested begins when the overlap of the last one ends, see " +
			"status.signingSecret.nextRotationAt"
	}
	return message
}

// setReady computes Ready from what it waits for, and with it Reconciling and Stalled, of which kstatus wants at most
// one, and that only while it is true.
func setReady(s *v1alpha1.Chatt2WebhookStatus, o *Observed, problems []*Problem) {
	var first, stalled *Problem
	for _, t := range problems {
		if first == nil {
			first = t
		}
		if t.Stalled && stalled == nil {
			stalled = t
		}
	}
	if first != nil && first.Reason == v1alpha1.ReasonSuspended {
		stalled = nil // the suspension explains everything else
	}
	if stalled != nil {
		first = stalled
	}
	meta.RemoveStatusCondition(&s.Conditions, v1alpha1.ConditionReconciling)
	meta.RemoveStatusCondition(&s.Conditions, v1alpha1.ConditionStalled)
	if first == nil {
		set(s, o, v1alpha1.ConditionReady, nil, v1alpha1.ReasonReady, readyMessage(o)+keyNote(o))
		return
	}
	ready := *first
	ready.Unknown = first.Unknown && first.Reason == v1alpha1.ReasonHubUnavailable
	set(s, o, v1alpha1.ConditionReady, &ready, "", "")
	switch {
	case stalled != nil:
		restore(s, o, v1alpha1.ConditionStalled, stalled)
	case first.Reason != v1alpha1.ReasonSuspended:
		restore(s, o, v1alpha1.ConditionReconciling, first)
	}
}

// keyNote is what is added to the message of a condition that is true while the Secret of the API key is being deleted.
func keyNote(o *Observed) string {
	if !o.Key.Terminating || !o.Object.DeletionTimestamp.IsZero() {
		return ""
	}
	return fmt.Sprintf("; but the Secret %q with the API key is being deleted: create it again once it is gone, or "+
		"name another one in spec.apiKeySecretRef", o.Object.Spec.APIKeySecretRef.Name)
}

func readyMessage(o *Observed) string {
	if o.Object.Spec.ReadyWhen == v1alpha1.ReadyWhenRegistered {
		return "the webhook is registered"
	}
	return "the webhook is registered and its endpoint is verified"
}

// syncedProblem is why the Hub does not hold what spec says, or may not, nil when it does.
func syncedProblem(o *Observed, next Plan) *Problem {
	if p := next.Problem; p != nil && p.Condition == v1alpha1.ConditionSynced {
		return p
	}
	if o.ID == "" {
		return registering()
	}
	if !o.Local.UnkeptUntil.IsZero() && !o.held() && o.Object.DeletionTimestamp.IsZero() {
		return unkeptProblem()
	}
	if o.Remote.Presence == Absent && o.Object.DeletionTimestamp.IsZero() {
		return deletedProblem()
	}
	if o.headersDiffer() && o.Headers.Problem != nil {
		return o.Headers.Problem
	}
	if o.Remote.Presence != Present {
		return nil
	}
	if ignored := o.ignoredNow(); len(ignored) > 0 {
		return o.ignoredProblem(ignored)
	}
	if len(o.differences()) > 0 {
		return updating()
	}
	return nil
}

// set sets one condition: true without problem, else as the problem says.
func set(s *v1alpha1.Chatt2WebhookStatus, o *Observed, condition string, t *Problem, reason, message string) {
	c := metav1.Condition{
		Type: condition, Status: metav1.ConditionTrue, Reason: reason, Message: message,
		ObservedGeneration: o.Object.Generation, LastTransitionTime: metav1.NewTime(o.Now.Truncate(time.Second)),
	}
	if t != nil {
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, t.Reason, t.Message
		if t.Unknown {
			c.Status = metav1.ConditionUnknown
		}
	}
	meta.SetStatusCondition(&s.Conditions, c)
}

// restore sets a condition that is present only while it is true, keeping the time of its turn.
func restore(s *v1alpha1.Chatt2WebhookStatus, o *Observed, condition string, t *Problem) {
	if was := meta.FindStatusCondition(o.Object.Status.Conditions, condition); was != nil {
		s.Conditions = append(s.Conditions, *was)
	}
	set(s, o, condition, nil, t.Reason, t.Message)
}

func timestamp(t *time.Time) *metav1.Time {
	if t == nil || t.IsZero() {
		return nil
	}
	at := metav1.NewTime(t.UTC().Truncate(time.Second))
	return &at
}
