package controller

import (
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/connection"
	"github.com/chatt2me/webhook-operator/internal/plan"
)

// errForeignSecret: the Secret is not one that the resource controls.
var errForeignSecret = errors.New("the Secret is controlled by somebody else")

// errImmutableSecret: the data of the Secret can never be changed.
var errImmutableSecret = errors.New("the Secret is immutable")

// errNotKept: the API server has stored something else than what was written to the Secret.
var errNotKept = errors.New("the Secret was not stored as it was written")

// errRemoved: another controller has removed from the Secret what the API server had stored.
var errRemoved = errors.New("the Secret was changed after it was written")

// secretProblem is why the API server does not take the signing Secret, nil when that may pass by itself.
func secretProblem(o *observation, err error) *plan.Problem {
	t := &plan.Problem{Condition: v1alpha1.ConditionSigningSecretReady, Stalled: true, Event: true}
	switch {
	case errors.Is(err, errForeignSecret):
		return plan.ForeignSecretProblem(&o.Observed)
	case errors.Is(err, errImmutableSecret), apierrors.IsInvalid(err), apierrors.IsBadRequest(err),
		apierrors.IsRequestEntityTooLargeError(err):
		t.Reason = v1alpha1.ReasonSecretRejected
		t.Message = fmt.Sprintf("the API server refuses the Secret %q; look at its fields and at spec.signingSecret "+
			"(an immutable Secret must be deleted) and at the admission policies; %s", o.Signing.Name, plan.TriedAgain)
	case errors.Is(err, errNotKept), errors.Is(err, errRemoved):
		t.Reason = v1alpha1.ReasonSecretRejected
		t.Message = fmt.Sprintf("what the operator writes to the Secret %q is not kept: an admission policy or "+
			"another controller changes its data, or its annotations of hub.chatt2.me, without which no secret is "+
			"exchanged (exempt the Secret, then set the annotation %s)", o.Signing.Name,
			v1alpha1.AnnotationReconcileRequestedAt)
	case apierrors.IsForbidden(err):
		t.Reason, t.Stalled = v1alpha1.ReasonSecretRejected, false
		t.Message = fmt.Sprintf("the operator may not write the Secret %q: look at its permissions, the quota of the "+
			"namespace, and whether that is being deleted; %s", o.Signing.Name, plan.TriedAgain)
	default:
		return nil
	}
	return t
}

func isWaiting(err error) bool { return errors.Is(err, connection.ErrWait) }
