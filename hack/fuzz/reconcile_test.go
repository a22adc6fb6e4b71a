package fuzz_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/hub/connection"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// The flags of a corrupt state.
const (
	isSigned = 1 << iota
	isDeleting
	hasSecret
	secretIsOurs
	hasOlderClaimant
	hasMatch
	hasFinalizer
	isSuspended
	isRetained
	rotates
	statusKnowsSecret
	isObserved
	keyIsKnown
	isOfOtherApplication
	isVerified
	isRespelled
)

// The ids that a status may name.
const (
	noID = iota
	idOfOlder
	idOfBystander
	idOfOtherApplication
	idOfMatch
	idOfNobody
	anyText
)

// corrupt is what somebody's hand, a backup or a bug has made of a resource, its status and its Secret.
type corrupt struct {
	flags                                     uint16
	id                                        uint8
	text                                      string
	started, retried, orphan, rotate, request string
	secret, previous, secretOf                string
	rotatedAt, expires, rotation              string
	fingerprint, attempts                     string
	// recordedAt is when status says that the secret was stored, in seconds from now.
	recordedAt int64
}

func (c corrupt) has(flag uint16) bool { return c.flags&flag != 0 }

// FuzzReconcile starts an operator on a resource that is in any state, hand-edited ids, times of the future and broken
// annotations among them. It looks at the world before it acts, changes nothing that belongs to others, tells no
// secret, and comes to rest: ready and right, or with a reason.
func FuzzReconcile(f *testing.F) {
	const noon, never, past = "2026-02-09T12:00:00Z", "2126-01-01T00:00:00Z", "2025-01-01T00:00:00Z"
	add := func(c corrupt) {
		f.Add(c.flags, c.id, c.text, c.started, c.retried, c.orphan, c.rotate, c.request, c.secret, c.previous,
			c.secretOf, c.rotatedAt, c.expires, c.rotation, c.fingerprint, c.attempts,
			c.recordedAt)
	}
	add(corrupt{})
	for id := range uint8(anyText + 1) {
		for _, flags := range []uint16{
			0, hasOlderClaimant | hasFinalizer, isDeleting | hasFinalizer | hasOlderClaimant, isSigned | hasMatch | isObserved | keyIsKnown,
			isOfOtherApplication | isObserved | hasFinalizer, isDeleting | isRetained | hasFinalizer,
			hasOlderClaimant | isRespelled | hasFinalizer, isDeleting | hasOlderClaimant | isRespelled,
		} {
			add(corrupt{flags: flags, id: id, text: "../../v1/other?x=1#"})
			add(corrupt{flags: flags, id: id, text: "A1B2C3D4-E5F6-7890-ABCD-EF1234567890", started: past})
		}
	}
	for _, spelling := range []string{
		"a1b2c3d4e5f67890abcdef1234567890", "{a1b2c3d4-e5f6-7890-abcd-ef1234567890}",
		"urn:uuid:a1b2c3d4-e5f6-7890-abcd-ef1234567890", " a1b2c3d4-e5f6-7890-abcd-ef1234567890",
	} {
		add(corrupt{flags: isObserved | hasFinalizer, id: anyText, text: spelling})
		add(corrupt{flags: isDeleting | hasFinalizer, id: anyText, text: spelling, started: past})
	}
	for _, started := range []string{noon, never, past, "yesterday", "", "\x00", "0000-00-00"} {
		add(corrupt{flags: hasFinalizer, started: started})
		add(corrupt{flags: hasFinalizer | hasMatch, started: started, retried: started})
		add(corrupt{flags: hasFinalizer | hasMatch | isDeleting, started: started, retried: never})
		add(corrupt{flags: isSigned | hasSecret | secretIsOurs, secret: "CNRY-old", secretOf: "other", rotation: started})
		add(corrupt{
			flags: isSigned | hasSecret | secretIsOurs | statusKnowsSecret | hasFinalizer, id: idOfMatch,
			secret: "CNRY-old", previous: "CNRY-older", rotatedAt: started, expires: started, recordedAt: 1 << 40,
		})
	}
	add(corrupt{flags: isSigned | hasSecret, secret: "CNRY-somebody's", rotatedAt: noon})
	add(corrupt{flags: isSigned | hasSecret | secretIsOurs, secret: "\xff\xfe", rotate: strings.Repeat("x", 5000)})
	add(corrupt{flags: hasFinalizer | isDeleting, orphan: "unknown", started: past})
	add(corrupt{flags: hasFinalizer, id: idOfBystander, orphan: "unknown", request: "now", rotate: "now"})
	add(corrupt{flags: isSuspended | hasFinalizer, id: idOfMatch, started: never})
	for _, attempts := range []string{
		`[{"label":"somebody else's","endpoint":"https://elsewhere.example/hook","eventType":"Message"}]`,
		`[{"label":"orders","endpoint":"https://shop.example/orders","eventType":"Message"}]`, "[{}]", "[", "null",
	} {
		for _, flags := range []uint16{0, hasFinalizer, hasFinalizer | hasMatch, hasFinalizer | isDeleting} {
			for _, started := range []string{noon, past, never} {
				add(corrupt{flags: flags, started: started, attempts: attempts})
				add(corrupt{flags: flags, started: started, retried: started, attempts: attempts})
			}
		}
	}
	f.Fuzz(func(
		t *testing.T, flags uint16, id uint8, text, started, retried, orphan, rotate, request, secret, previous, secretOf,
		rotatedAt, expires, rotation, fingerprint, attempts string, recordedAt int64,
	) {
		play(t, corrupt{
			flags, id, text, started, retried, orphan, rotate, request, secret, previous, secretOf, rotatedAt, expires,
			rotation, fingerprint, attempts, recordedAt,
		})
	})
}

func play(t *testing.T, c corrupt) {
	t.Helper()
	w := newWorld(t)
	w.create(&corev1.Secret{ObjectMeta: inHome("api-key"), Data: map[string][]byte{"apiKey": []byte(apiKey)}})
	s := w.scene(c)
	before := w.secret(name + "-signing")
	w.start()
	w.run(time.Hour)
	if others := w.othersOnHub(s); !slices.Equal(others, s.others) {
		t.Errorf("what belongs to others was %+v and is %+v", s.others, others)
	}
	if c.has(hasSecret) && !c.has(secretIsOurs) {
		if now := w.secret(name + "-signing"); now == nil || now.ResourceVersion != before.ResourceVersion {
			t.Errorf("a Secret that is not ours was changed: %v", now)
		}
	}
	w.checkRest()
	w.checkEnd(c)
	said := w.said.String()
	if at := strings.Index(said, "CNRY-"); at >= 0 && !strings.Contains(strings.Join(c.texts(), ""), "CNRY") {
		t.Errorf("a secret is said: %.300s", said[max(at-100, 0):])
	}
}

// texts are what may be repeated: no secret has a place there.
func (c corrupt) texts() []string {
	return []string{c.text, c.started, c.retried, c.orphan, c.rotate, c.request, c.secretOf, c.attempts}
}

// scene is what there is beside the resource.
type scene struct {
	others []simulator.Webhook
	mine   map[string]bool // the ids that may be changed
}

// scene sets up the state, others on the Hub and beside the resource included.
func (w *world) scene(c corrupt) scene {
	w.Helper()
	other := w.hub.AddApplication("other", "CNRY-key-other")
	foreign := w.byHand(other.ID, name, "https://shop.example/"+name)
	bystander := w.byHand(w.app.ID, "somebody else's", "https://elsewhere.example/hook")
	ids := []string{idOfBystander: bystander.ID, idOfOtherApplication: foreign.ID, anyText: ""}
	ids[idOfNobody] = "99999999-9999-4999-8999-999999999999"
	w.way.never = map[string]bool{}
	if c.has(hasOlderClaimant) {
		w.create(resource("claimant"))
		w.start()
		w.run(10 * time.Second)
		ids[idOfOlder] = w.get("claimant").Status.WebhookID
		w.way.never[ids[idOfOlder]] = true
		w.way = &way{world: w, handler: w.way.handler, shown: map[string]bool{}, never: w.way.never}
		clear(w.due)
	}
	if c.has(hasMatch) {
		ids[idOfMatch] = w.byHand(w.app.ID, name, "https://shop.example/"+name).ID
	}
	w.now = w.now.Add(time.Hour)
	s := scene{mine: map[string]bool{ids[idOfMatch]: true}}
	given := c.text
	if c.id%(anyText+1) != anyText {
		given = ids[c.id%(anyText+1)]
	}
	if c.has(isRespelled) {
		given = strings.ToUpper(given)
	}
	if given == bystander.ID && !c.has(isObserved) {
		// Whoever may write status may give a resource any webhook that nobody has, unless it is of another age.
		s.mine[given] = true
	} else {
		w.way.never[bystander.ID] = true
	}
	w.resource(c, given)
	s.others = w.othersOnHub(s)
	return s
}

// resource makes the resource with its status and its Secret.
func (w *world) resource(c corrupt, id string) {
	w.Helper()
	r := resource(name)
	r.Annotations = map[string]string{}
	for key, value := range map[string]string{
		v1alpha1.AnnotationCreateStartedAt: c.started, v1alpha1.AnnotationCreateRetriedAt: c.retried,
		v1alpha1.AnnotationForceOrphan: c.orphan, v1alpha1.AnnotationRotateRequestedAt: c.rotate,
		v1alpha1.AnnotationReconcileRequestedAt: c.request, v1alpha1.AnnotationCreateAttempts: c.attempts,
	} {
		if value != "" {
			r.Annotations[key] = strings.ToValidUTF8(value, "?")
		}
	}
	if c.has(hasFinalizer) || c.has(isDeleting) {
		r.Finalizers = []string{v1alpha1.WebhookFinalizer}
	}
	r.Spec.RequiresSignature, r.Spec.Suspend = c.has(isSigned), c.has(isSuspended)
	if c.has(isRetained) {
		r.Spec.DeletionPolicy = v1alpha1.DeletionRetain
	}
	if c.has(rotates) && c.has(isSigned) {
		r.Spec.SigningSecret = &v1alpha1.SigningSecret{Rotation: v1alpha1.Rotation{Interval: "20m", Overlap: "1m"}}
	}
	if err := w.user.Create(w.ctx, r); err != nil {
		w.Skip(err)
	}
	w.signingSecret(c)
	w.status(c, id)
	if c.has(isDeleting) {
		w.must(w.user.Delete(w.ctx, w.get(name)))
	}
}

func (w *world) signingSecret(c corrupt) {
	w.Helper()
	if !c.has(hasSecret) {
		return
	}
	s := &corev1.Secret{ObjectMeta: inHome(name + "-signing"), Data: map[string][]byte{
		v1alpha1.SecretKeyCurrent: []byte(c.secret), v1alpha1.SecretKeyPrevious: []byte(c.previous),
	}}
	s.Annotations = map[string]string{}
	for key, value := range map[string]string{
		v1alpha1.AnnotationWebhookID: c.secretOf, v1alpha1.AnnotationRotatedAt: c.rotatedAt,
		v1alpha1.AnnotationPreviousExpiresAt: c.expires, v1alpha1.AnnotationRotationStartedAt: c.rotation,
	} {
		if value != "" {
			s.Annotations[key] = strings.ToValidUTF8(value, "?")
		}
	}
	if c.has(secretIsOurs) {
		s.OwnerReferences = []metav1.OwnerReference{
			*metav1.NewControllerRef(w.get(name), v1alpha1.GroupVersion.WithKind("Chatt2Webhook")),
		}
	}
	if err := w.user.Create(w.ctx, s); err != nil {
		w.Skip(err)
	}
}

func (w *world) status(c corrupt, id string) {
	w.Helper()
	r := w.get(name)
	before := r.DeepCopy()
	r.Status.WebhookID = strings.ToValidUTF8(id, "?")
	r.Status.IsVerified = c.has(isVerified)
	if c.has(isObserved) {
		r.Status.ObservedGeneration = r.Generation
		// As old as the resource is, which nothing on the Hub is that status may name.
		r.Status.CreatedAt = &r.CreationTimestamp
	}
	if c.has(keyIsKnown) {
		r.Status.ApplicationID, r.Status.APIKeyHash = w.app.ID, connection.KeyHash(hubURL, hub.NewSecret(apiKey))
	}
	if c.has(isOfOtherApplication) {
		r.Status.ApplicationID, r.Status.APIKeyHash = "88888888-8888-4888-8888-888888888888", "0123"
	}
	if c.has(statusKnowsSecret) {
		at := metav1.NewTime(w.now.Add(time.Duration(c.recordedAt%1e9) * time.Second))
		r.Status.SigningSecret = &v1alpha1.SigningSecretStatus{
			Name: name + "-signing", RotatedAt: &at, Fingerprint: strings.ToValidUTF8(c.fingerprint, "?"),
		}
	}
	if err := w.user.Status().Patch(w.ctx, r, client.MergeFrom(before)); err != nil {
		w.Skip(err)
	}
	shown := slices.ContainsFunc(w.hub.Webhooks(w.app.ID), func(h simulator.Webhook) bool { return h.ID == id })
	w.way.settles = c.started != "" && (uuid.Validate(id) != nil || len(id) != 36 || shown && c.has(isObserved))
}

// othersOnHub are the webhooks of others, as far as they can be changed.
func (w *world) othersOnHub(s scene) []simulator.Webhook {
	w.Helper()
	var others []simulator.Webhook
	for _, a := range w.hub.Applications() {
		for _, h := range w.hub.Webhooks(a.ID) {
			if !s.mine[h.ID] && (h.Label != name || a.ID != w.app.ID) {
				others = append(others, simulator.Webhook{
					ID: h.ID, Label: h.Label, Endpoint: h.Endpoint, EventType: h.EventType, RequiresSignature: h.RequiresSignature,
				})
			}
		}
	}
	return others
}

// checkRest lets three polls pass in which nothing may be written or changed.
func (w *world) checkRest() {
	w.Helper()
	for range 3 { // what was still to be done, such as the end of an overlap, may come to be done
		revision, changed := w.store.Revision(), w.way.changed
		w.run(3*pollInterval + 10*time.Second)
		if w.store.Revision() == revision && w.way.changed == changed {
			return
		}
	}
	w.Errorf("it goes on writing or calling: %+v", w.get(name))
}

// checkEnd holds the end to what was to be.
func (w *world) checkEnd(c corrupt) {
	w.Helper()
	r := w.get(name)
	if w.way.made > 1 || w.way.redefined > 8 {
		w.Errorf("%d registrations and %d redefinitions", w.way.made, w.way.redefined)
	}
	if r == nil {
		if !c.has(isDeleting) {
			w.Errorf("the resource is gone")
		}
		return
	}
	if c.has(isDeleting) {
		w.Errorf("it is still there: %+v", r.Status.Conditions)
		return
	}
	ready := meta.FindStatusCondition(r.Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil || ready.Reason == v1alpha1.ReasonPending || r.Status.ObservedGeneration != r.Generation {
		w.Errorf("it is not ready and there is no reason: %+v", r.Status)
		return
	}
	if !r.IsReady() {
		if !c.has(isSuspended) && !meta.IsStatusConditionTrue(r.Status.Conditions, v1alpha1.ConditionStalled) {
			w.Errorf("it is not ready, and nobody is asked to do something: %+v", r.Status.Conditions)
		}
		return
	}
	i := slices.IndexFunc(w.hub.Webhooks(w.app.ID), func(h simulator.Webhook) bool { return h.ID == r.Status.WebhookID })
	if i < 0 {
		w.Errorf("it is ready, and the webhook %q is not there", r.Status.WebhookID)
		return
	}
	if h := w.hub.Webhooks(w.app.ID)[i]; h.Label != r.Spec.Label || h.Endpoint != r.Spec.Endpoint || !h.IsVerified ||
		h.RequiresSignature != r.Spec.RequiresSignature {
		w.Errorf("it is ready, and the Hub has %+v", h)
	}
	if s := w.secret(name + "-signing"); c.has(isSigned) && (s == nil ||
		string(s.Data[v1alpha1.SecretKeyCurrent]) != w.hub.SecretOf(r.Status.WebhookID)) {
		w.Errorf("it is ready, and its Secret does not hold what the Hub signs with")
	}
}
