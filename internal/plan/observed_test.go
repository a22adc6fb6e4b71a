package plan

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
)

var noon = time.Date(2026, 2, 9, 12, 0, 0, 0, time.UTC)

const (
	mine    = "11111111-1111-4111-8111-111111111111"
	other   = "22222222-2222-4222-8222-222222222222"
	another = "33333333-3333-4333-8333-333333333333"
)

type with = func(*Observed)

// observed is a resource at rest whose webhook is registered, verified and as spec says, changed by what a test states.
func observed(changes ...with) *Observed {
	o := &Observed{
		Now: noon,
		Settings: Settings{
			SettleTime: 30 * time.Second, OrphanAfter: 15 * time.Minute, PollInterval: time.Minute, ActingSince: noon.Add(-time.Hour),
		},
		Object:  resource(),
		Key:     Key{Hash: "key"},
		Hub:     Hub{ListedAt: noon.Add(-10 * time.Second), ApplicationID: "app"},
		ID:      mine,
		Remote:  Remote{Presence: Present, Webhook: webhook(mine), SeenAt: noon.Add(-10 * time.Second)},
		Applied: v1alpha1.AppliedStatus{HeadersHash: "headers", Label: "L"},
		Headers: Headers{Hash: "headers"},
		Signing: SigningSecret{Name: "hook-signing"},
	}
	for _, change := range changes {
		change(o)
	}
	return o
}

func resource() *v1alpha1.Chatt2Webhook {
	return &v1alpha1.Chatt2Webhook{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "chat", Name: "hook", Generation: 2, CreationTimestamp: metav1.NewTime(noon.Add(-24 * time.Hour)),
			Finalizers:  []string{v1alpha1.WebhookFinalizer},
			Annotations: map[string]string{v1alpha1.AnnotationCreateStartedAt: stamp(noon.Add(-24 * time.Hour))},
		},
		Spec: v1alpha1.Chatt2WebhookSpec{
			Label: "L", Endpoint: "https://hooks.example/e", EventType: v1alpha1.EventTypeMessage,
			APIKeySecretRef: v1alpha1.APIKeySecretReference{Name: "api-key", Key: "apiKey"},
		},
		Status: v1alpha1.Chatt2WebhookStatus{
			ObservedGeneration: 2, WebhookID: mine, ApplicationID: "app", APIKeyHash: "key", IsVerified: true,
		},
	}
}

func known[T any](v T) hub.Field[T] { return hub.Field[T]{Known: true, Value: v} }

func webhook(id string) hub.Webhook {
	return hub.Webhook{
		ID: id, ApplicationID: "app", Active: known(true), Label: known("L"), Endpoint: "https://hooks.example/e",
		EventType: "Message", AuthenticationProtocol: known("NoAuthentication"), Scope: hub.Scope{Known: true},
		RequiresSignature: known(false), IsVerified: true, CreatedDate: noon.Add(-24 * time.Hour),
	}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func now(d time.Duration) with { return func(o *Observed) { o.Now = noon.Add(d) } }

func annotated(key, value string) with {
	return func(o *Observed) { o.Object.Annotations[key] = value }
}

func spec(change func(*v1alpha1.Chatt2WebhookSpec)) with {
	return func(o *Observed) { change(&o.Object.Spec) }
}

func remote(change func(*hub.Webhook)) with {
	return func(o *Observed) { change(&o.Remote.Webhook) }
}

func remembered(change func(*LocalState)) with {
	return func(o *Observed) { change(&o.Local) }
}

func onHub(change func(*Hub)) with {
	return func(o *Observed) { change(&o.Hub) }
}

// unregistered is a new resource that has nothing yet.
func unregistered(o *Observed) {
	o.ID, o.Remote, o.Applied = "", Remote{}, v1alpha1.AppliedStatus{}
	o.Object.Status = v1alpha1.Chatt2WebhookStatus{ObservedGeneration: -1}
	o.Object.Finalizers, o.Object.Annotations = nil, map[string]string{}
}

// intent is that of a registration whose end this process does not know.
func intent(at time.Time) with {
	return func(o *Observed) {
		o.Object.Annotations[v1alpha1.AnnotationCreateStartedAt] = stamp(at)
		o.Object.Finalizers = []string{v1alpha1.WebhookFinalizer}
	}
}

// intentRemoved is the intent of a registration that is open and that somebody has removed from the resource.
func intentRemoved(at time.Time) with {
	return func(o *Observed) {
		delete(o.Object.Annotations, v1alpha1.AnnotationCreateStartedAt)
		o.Object.Finalizers = []string{v1alpha1.WebhookFinalizer}
		o.Local.Intent = map[string]string{v1alpha1.AnnotationCreateStartedAt: stamp(at)}
	}
}

func retried(at time.Time) with {
	return annotated(v1alpha1.AnnotationCreateRetriedAt, stamp(at))
}

// match is another webhook that looks like the one declared.
func match(id string, created time.Time, owner string, changes ...func(*hub.Webhook)) with {
	w := webhook(id)
	w.CreatedDate = created
	for _, change := range changes {
		change(&w)
	}
	return func(o *Observed) { o.Matches = append(o.Matches, Match{Webhook: w, Owner: owner}) }
}

func unlabelled(w *hub.Webhook) { w.Label = hub.Field[string]{} }

func deletedFor(since time.Duration) with {
	return func(o *Observed) {
		at := metav1.NewTime(noon.Add(-since))
		o.Object.DeletionTimestamp = &at
	}
}

func absent(o *Observed) { o.Remote = Remote{Presence: Absent, SeenAt: noon} }

func unseenYet(o *Observed) { o.Remote = Remote{} }

// signedSince is a webhook that is signed and whose Secret is right since then.
func signedSince(at time.Time) with {
	return func(o *Observed) {
		o.Object.Spec.RequiresSignature = true
		o.Remote.Webhook.RequiresSignature = known(true)
		o.Signing = SigningSecret{Name: "hook-signing", Exists: true, WebhookID: mine, Fingerprint: "print", RotatedAt: at}
		rotated := metav1.NewTime(at)
		o.Object.Status.SigningSecret = &v1alpha1.SigningSecretStatus{
			Name: "hook-signing", RotatedAt: &rotated, Fingerprint: "print",
		}
	}
}

func secret(change func(*SigningSecret)) with {
	return func(o *Observed) { change(&o.Signing) }
}

func rotatedEvery(interval, overlap string) with {
	return spec(func(s *v1alpha1.Chatt2WebhookSpec) {
		s.SigningSecret = &v1alpha1.SigningSecret{Rotation: v1alpha1.Rotation{Interval: interval, Overlap: overlap}}
	})
}

func problem(condition, reason string) *Problem {
	return &Problem{Condition: condition, Reason: reason, Message: reason + " in words"}
}

// scene is an observation, and what is to be decided.
type scene struct {
	name string
	o    *Observed
	// rule decides, or need is the precondition that a rule waits for.
	rule, need string
	action     Action
	// id is the webhook that the plan is about.
	id string
	// reason is that of the problem that the plan tells; empty for none.
	reason string
	// recheck, where it is not 0, is when to look again.
	recheck time.Duration
	// is the rest of the plan that matters here.
	is func(Plan) bool
}

// scenes are all that the tables hold.
func scenes() []scene {
	return slices.Concat(accessScenes(), registerScenes(), updateScenes(), signScenes(), rotateScenes(), verifyScenes(), deleteScenes())
}

func TestDecide(t *testing.T) {
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			p := Decide(s.o)
			got := scene{rule: p.Rule, need: p.Need, action: p.Action, id: p.WebhookID}
			if s.need != "" {
				got.rule = "" // several rules share the precondition
			}
			if p.Problem != nil {
				got.reason = p.Problem.Reason
			}
			if s.recheck != 0 {
				got.recheck = p.Recheck
			}
			want := scene{rule: s.rule, need: s.need, action: s.action, id: s.id, reason: s.reason, recheck: s.recheck}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(scene{})); diff != "" {
				t.Errorf("the plan (-want +got):\n%s", diff)
			}
			if s.is != nil && !s.is(p) {
				t.Errorf("the plan is %+v", p)
			}
		})
	}
}

func TestEachRuleDecidesSomewhere(t *testing.T) {
	decided, awaited := map[string]bool{}, map[string]bool{}
	for _, s := range scenes() {
		p := Decide(s.o)
		if p.Need == "" {
			decided[p.Rule] = true
		}
		awaited[p.Need] = true
	}
	for _, rule := range Rules() {
		if !decided[rule] {
			t.Errorf("no scenario is decided by %q", rule)
		}
	}
	for _, need := range []string{
		"API key usable", "Hub accepts calls", "presence of the webhook known", "observation fresh",
		"outcome of the registration known", "webhooks listed", "retry due", "spec accepted by the Hub",
		"rotation of another process settled", "calls not paused",
	} {
		if !awaited[need] {
			t.Errorf("no scenario waits for %q", need)
		}
	}
}
