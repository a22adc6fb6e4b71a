package controller

import (
	"errors"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/hub/connection"
	"github.com/chatt2me/webhook-operator/internal/plan"
)

// localState is what this process remembers of a resource. Only the one worker that has the resource touches it.
type localState struct {
	plan.LocalState
	uid types.UID
	// released: this process removes its finalizer. retains: the webhook is to stay when the resource is gone.
	released, retains bool
	// unproved is the id that status named when nothing else was known, until the webhook is seen to be as old as
	// status says.
	unproved string
	// contested is another id that status named, when the Hub had ours all the same.
	contested string
	// conn is the connection that the resource is subscribed to, nil for none.
	conn *connection.Connection
	// seenAt is when the connection before that saw the webhook last: what another one saw earlier is the past.
	seenAt time.Time
	// intentWritten is what the annotations said when this process last recorded a registration.
	intentWritten string
	// registeredAt is when this process last registered a webhook.
	registeredAt time.Time
	// sole is the webhook of which it is known that no resource of another shard has it, too; adopted the one that this
	// process has adopted.
	sole, adopted string
	// held is a signing secret that the Hub has made and that is not stored yet. There is no other copy.
	held *heldSecret
	// secretName is the Secret that a signing secret was last written to, which neither status nor the cache may show
	// yet.
	secretName string
	// made is about the last secret that the Hub has shown to this process.
	made madeSecret
	// restored is how often the metadata of the signing Secret was written for the generation restoredOf.
	restored   int
	restoredOf int64
	// trigger is why the rotation under way began.
	trigger string
	// unwritten is the status that could not be written when that was last tried, nil when it was written.
	unwritten *v1alpha1.Chatt2WebhookStatus
	// secretFailures is how often in a row the signing Secret could not be written, secretUID the one that was there.
	secretFailures int
	secretUID      types.UID
	// failures is how many calls in a row have failed.
	failures int
	// problemSince is since when they have failed with the problem of the last.
	problemSince time.Time
	// conflicts is how many steps in a row have ended in a conflict at the API server.
	conflicts int
	// steps is how many steps were taken in a row.
	steps int
	// attempted is what spec and header sources were when a call last failed.
	attempted attempt
	// request is the value of reconcile-requested-at that Requested is about.
	request string
	// written are the versions of the resource that our own writes have replaced, since the cache last showed another.
	written []string
}

type heldSecret struct {
	webhookID string
	value     hub.Secret
	request   string
	// begun is when the rotation began that made it, as the Secret says; zero when there was no secret before.
	begun time.Time
}

// madeSecret is the fingerprint of a secret, and the user's request that it answers.
type madeSecret struct{ fingerprint, request string }

// mostRestored is how often the metadata of the signing Secret is restored for one generation. More often another
// controller removes it.
const mostRestored = 3

// restoredOften counts that the metadata of the signing Secret was written for a generation, and reports whether it was
// written too often.
func (m *localState) restoredOften(generation int64) bool {
	if m.restoredOf != generation {
		m.restored, m.restoredOf = 0, generation
	}
	m.restored++
	return m.restored > mostRestored
}

// attempt is what a refusal is about: when any of it changes, it is worth another try.
type attempt struct {
	generation  int64
	headersHash string
	keyHash     string
}

// replaced records that a write of ours has replaced this version of the resource.
func (m *localState) replaced(object *v1alpha1.Chatt2Webhook) {
	m.written = append(m.written, object.ResourceVersion)
}

// supersedes reports whether the cache still shows the resource as it was before a write of ours.
func (m *localState) supersedes(object *v1alpha1.Chatt2Webhook) bool {
	if slices.Contains(m.written, object.ResourceVersion) {
		return true
	}
	m.written = nil
	return false
}

// failed records a call that is worth repeating later.
func (m *localState) failed(now time.Time, what attempt, t *plan.Problem) {
	m.failures++
	m.attempted = what
	if t == nil || m.Problem == nil || m.Problem.Reason != t.Reason {
		m.problemSince = now
	}
	m.ProblemTime = now.Sub(m.problemSince)
	m.RetryAt, m.Problem = now.Add(jitter(plan.BackOff(m.failures))), t
}

// succeeded forgets what failed before.
func (m *localState) succeeded() {
	m.failures, m.RetryAt, m.Problem, m.Rejected = 0, time.Time{}, nil, nil
}

// secretFailed records that the signing Secret could not be written, and that it is tried again after a while.
func (o *observation) secretFailed(now time.Time, t *plan.Problem, err error) {
	m := o.local
	m.secretFailures++
	m.attempted, m.secretUID = o.attempt(), secretUID(o.secret)
	wait := plan.BackOff(m.secretFailures)
	if errors.Is(err, errNotKept) {
		wait = plan.RejectedTime // it was written, and will not be otherwise for being written again
	}
	m.SecretProblem, m.SecretRetryAt = t, now.Add(jitter(wait))
}

// secretWritten forgets that the signing Secret could not be written before.
func (m *localState) secretWritten() {
	m.secretFailures, m.SecretProblem, m.SecretRetryAt = 0, nil, time.Time{}
}

func secretUID(secret *corev1.Secret) types.UID {
	if secret == nil {
		return ""
	}
	return secret.UID
}

// reconsider forgets failures that were about something else than what there is now.
func (m *localState) reconsider(what attempt, secret types.UID) {
	if m.attempted != what && (m.Rejected != nil || m.failures > 0) {
		m.succeeded()
	}
	if m.secretFailures > 0 && (m.attempted != what || m.secretUID != secret) {
		m.secretWritten()
	}
}

// localStates are the local states of all resources.
type localStates struct {
	mu sync.Mutex
	m  map[types.NamespacedName]*localState
}

func (m *localStates) of(name types.NamespacedName) *localState {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.m == nil {
		m.m = map[types.NamespacedName]*localState{}
	}
	if m.m[name] == nil {
		m.m[name] = &localState{}
	}
	return m.m[name]
}

func (m *localStates) drop(name types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.m, name)
}

// forget ends everything that this process has for a resource that is gone.
func (r *Reconciler) forget(name types.NamespacedName) {
	local := r.localStates.of(name)
	if local.conn != nil {
		local.conn.Unsubscribe(subject(name))
	}
	r.claims.release(name)
	r.localStates.drop(name)
	r.resources.forget(name)
}

// subject is what a resource is called on a connection.
func subject(name types.NamespacedName) connection.Subject { return connection.Subject(name.String()) }
