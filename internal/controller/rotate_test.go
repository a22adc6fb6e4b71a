package controller_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// rotated waits until a request to rotate was answered.
func (w *world) rotated(c *v1alpha1.Chatt2Webhook, request string) *v1alpha1.Chatt2Webhook {
	w.Helper()
	return w.eventually(c, "rotated", func(now *v1alpha1.Chatt2Webhook) bool {
		return now.Status.LastHandledRotateAt == request && now.IsReady()
	})
}

func TestARequestedRotationKeepsThePreviousSecretForTheOverlap(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders", signed, func(c *v1alpha1.Chatt2Webhook) {
		c.Spec.SigningSecret = &v1alpha1.SigningSecret{Rotation: v1alpha1.Rotation{Overlap: "6s"}}
	})
	id := w.ready(c).Status.WebhookID
	first := w.hub.SecretOf(id)
	w.endpoint.mount(t, w.secret("orders-signing"))
	w.sendEvent()
	w.Expect(w.endpoint.Stats().Accepted).To(BeEquivalentTo(1))

	w.annotate(c, v1alpha1.AnnotationRotateRequestedAt, "one")
	now := w.rotated(c, "one")
	w.holdsLiveSecret(now)
	s := w.secret("orders-signing")
	w.Expect(string(s.Data["previousSecret"])).To(Equal(first))
	w.Expect(s.Annotations).To(HaveKey(v1alpha1.AnnotationPreviousExpiresAt))
	w.sendEvent()
	w.Expect(w.endpoint.Stats().Accepted).To(BeEquivalentTo(1), "signed with a secret that the endpoint has not yet")
	w.endpoint.mount(t, s)
	w.sendEvent()
	w.Expect(w.endpoint.Stats().Accepted).To(BeEquivalentTo(2))

	// A second request waits for the end of the overlap.
	w.annotate(c, v1alpha1.AnnotationRotateRequestedAt, "two")
	w.eventually(c, "known to be due at the end of the overlap", func(now *v1alpha1.Chatt2Webhook) bool {
		due := now.Status.SigningSecret.NextRotationAt
		return due != nil && due.Equal(new(metav1.NewTime(mustTime(t, s.Annotations[v1alpha1.AnnotationPreviousExpiresAt]))))
	})
	w.Expect(w.hub.Count("redefineSignature")).To(Equal(1))
	w.rotated(c, "two")
	w.Expect(time.Now()).To(BeTemporally(">=", mustTime(t, s.Annotations[v1alpha1.AnnotationPreviousExpiresAt])))
	w.Expect(w.hub.Count("redefineSignature")).To(Equal(2))
	w.Eventually(func() map[string][]byte { return w.secret("orders-signing").Data }).ShouldNot(HaveKey("previousSecret"))
	w.Eventually(func() []string { return w.events(c) }).Should(ContainElement(v1alpha1.EventSecretRotated))
}

func mustTime(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// sendEvent has the Hub deliver a message to every webhook.
func (w *world) sendEvent() {
	w.Helper()
	_, err := w.hub.SendEvent(w.app.ID, []byte(`{"eventType":"Message","messageId":"m1"}`))
	w.Expect1(err)
}

func TestARotationIsDueByTheAgeOfTheSecret(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders", signed, func(c *v1alpha1.Chatt2Webhook) {
		c.Spec.SigningSecret = &v1alpha1.SigningSecret{Rotation: v1alpha1.Rotation{Interval: "1h"}}
	})
	now := w.ready(c)
	w.Expect(now.Status.SigningSecret.NextRotationAt.Sub(now.Status.SigningSecret.RotatedAt.Time)).To(Equal(time.Hour))
	// The facts about rotation are those of the Secret: one that says it is old is rotated.
	s := w.secret("orders-signing")
	s.Annotations[v1alpha1.AnnotationRotatedAt] = time.Now().Add(-2 * time.Hour).UTC().Format(time.RFC3339)
	w.Expect(w.Update(w.Context(), s)).To(Succeed())
	w.Eventually(func() int { return w.hub.Count("redefineSignature") }).Should(Equal(1))
	w.holdsLiveSecret(w.ready(c))
}

func TestALostSecretIsMadeAnewOnce(t *testing.T) {
	for name, lose := range map[string]func(*world, *corev1.Secret) error{
		"deleted": func(w *world, s *corev1.Secret) error { return w.Delete(w.Context(), s) },
		"emptied": func(w *world, s *corev1.Secret) error { s.Data = nil; return w.Update(w.Context(), s) },
		"edited": func(w *world, s *corev1.Secret) error {
			s.Data["secret"] = []byte("mine")
			return w.Update(w.Context(), s)
		},
		"of another webhook": func(w *world, s *corev1.Secret) error {
			s.Annotations[v1alpha1.AnnotationWebhookID] = "00000000-1111-2222-3333-444444444444"
			return w.Update(w.Context(), s)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.run()
			c := w.webhook("orders", signed)
			id := w.ready(c).Status.WebhookID
			w.Expect(lose(w, w.secret("orders-signing"))).To(Succeed())
			w.Eventually(func() bool {
				s := w.secret("orders-signing")
				return s != nil && string(s.Data["secret"]) == w.hub.SecretOf(id) && w.hub.Count("redefineSignature") > 0
			}).Should(BeTrue())
			w.holdsLiveSecret(w.ready(c))
			w.quiet(quietTime)
			w.Expect(w.hub.Count("redefineSignature")).To(Equal(1))
			w.Expect(string(w.secret("orders-signing").Data["previousSecret"])).NotTo(Equal("mine"),
				"a value that the Hub never signed with is kept for receivers to accept")
		})
	}
}

func TestASecretThatIsNotOursIsNeverTouched(t *testing.T) {
	w := newWorld(t)
	foreign := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "orders-signing"}, Data: map[string][]byte{"secret": []byte("theirs")}}
	w.create(foreign)
	w.run()
	c := w.webhook("orders", signed)
	w.Expect(w.reason(c, v1alpha1.ConditionSigningSecretReady, v1alpha1.ReasonSecretConflict)).To(ContainSubstring("orders-signing"))
	w.Expect(w.hub.Mutations()).To(BeEmpty(), "a secret was made that could not be stored")
	w.Expect(w.secret("orders-signing").ResourceVersion).To(Equal(foreign.ResourceVersion))

	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.SigningSecret = &v1alpha1.SigningSecret{Name: "mine"} })
	w.holdsLiveSecret(w.ready(c))
}

func TestASecretIsStoredAsSoonAsTheOneInItsWayIsDeleted(t *testing.T) {
	for name, isRegistered := range map[string]bool{"before the registration": false, "after it": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.run()
			foreign := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "orders-signing"}}
			w.create(foreign)
			c := w.webhook("orders", func(c *v1alpha1.Chatt2Webhook) { c.Spec.RequiresSignature = !isRegistered })
			if isRegistered {
				w.ready(c)
				w.change(c, signed)
			}
			w.reason(c, v1alpha1.ConditionStalled, v1alpha1.ReasonSecretConflict)
			w.Expect(w.Delete(w.Context(), foreign)).To(Succeed())
			w.holdsLiveSecret(w.ready(c))
		})
	}
}

func TestASecretThatLostItsOwnerIsTakenOverWithoutARotation(t *testing.T) {
	disown := func(w *world) {
		s := w.secret("orders-signing")
		s.OwnerReferences = nil
		w.Expect(w.Update(w.Context(), s)).To(Succeed())
	}
	retained := func(c *v1alpha1.Chatt2Webhook) { c.Spec.DeletionPolicy = v1alpha1.DeletionRetain }
	applied := func(w *world) *v1alpha1.Chatt2Webhook { return w.webhook("orders", signed, retained) }
	for name, lose := range map[string]func(*world, *v1alpha1.Chatt2Webhook) *v1alpha1.Chatt2Webhook{
		"while the resource lives": func(w *world, c *v1alpha1.Chatt2Webhook) *v1alpha1.Chatt2Webhook {
			disown(w)
			return c
		},
		"by a deletion that orphans it": func(w *world, c *v1alpha1.Chatt2Webhook) *v1alpha1.Chatt2Webhook {
			w.Expect(w.Delete(w.Context(), c, client.PropagationPolicy(metav1.DeletePropagationOrphan))).To(Succeed())
			w.gone(c)
			return applied(w)
		},
		"by a deletion that retains the webhook": func(w *world, c *v1alpha1.Chatt2Webhook) *v1alpha1.Chatt2Webhook {
			w.Expect(w.Delete(w.Context(), c)).To(Succeed())
			w.gone(c)
			return applied(w)
		},
		"by a restore from a backup": func(w *world, c *v1alpha1.Chatt2Webhook) *v1alpha1.Chatt2Webhook {
			w.stop()
			disown(w)
			w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Finalizers = nil })
			w.Expect(w.Delete(w.Context(), c)).To(Succeed())
			w.gone(c)
			again := applied(w)
			w.run()
			return again
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.run()
			c := applied(w)
			id := w.ready(c).Status.WebhookID
			live := w.hub.SecretOf(id)
			again := lose(w, c)
			now := w.eventually(again, "ready, its Secret taken over", func(now *v1alpha1.Chatt2Webhook) bool {
				s := w.secret("orders-signing")
				return now.IsReady() && s != nil && metav1.IsControlledBy(s, now)
			})
			w.Expect(now.Status.WebhookID).To(Equal(id))
			w.holdsLiveSecret(now)
			w.Expect(w.hub.SecretOf(id)).To(Equal(live))
			w.Expect(w.hub.Count("redefineSignature")).To(BeZero())
		})
	}
}

func TestASecretOfAWebhookThatTheResourceDoesNotHaveIsAConflict(t *testing.T) {
	w := newWorld(t)
	kept := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name: "orders-signing", Labels: map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy},
			Annotations: map[string]string{v1alpha1.AnnotationWebhookID: "00000000-1111-2222-3333-444444444444"},
		}, Data: map[string][]byte{"secret": []byte("kept")},
	}
	w.create(kept)
	w.run()
	c := w.webhook("orders", signed)
	w.Expect(w.reason(c, v1alpha1.ConditionStalled, v1alpha1.ReasonSecretConflict)).To(
		ContainSubstring("spec.adoption.webhookID"))
	w.Expect(w.secret("orders-signing").ResourceVersion).To(Equal(kept.ResourceVersion))
}

func TestASecretOfAnEarlierResourceIsWaitedFor(t *testing.T) {
	w := newWorld(t)
	w.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Name: "orders-signing", Finalizers: []string{"example.com/backup"}, OwnerReferences: []metav1.OwnerReference{{
			APIVersion: v1alpha1.GroupVersion.String(), Kind: "Chatt2Webhook", Name: "orders", UID: "former",
			Controller: new(true),
		}},
	}})
	w.run()
	c := w.webhook("orders", signed)
	w.eventually(c, "waiting", func(now *v1alpha1.Chatt2Webhook) bool {
		signing := findCondition(now, v1alpha1.ConditionSigningSecretReady)
		return signing != nil && strings.Contains(signing.Message, "earlier resource")
	})
	w.Expect(findCondition(w.get(c), v1alpha1.ConditionReconciling)).NotTo(BeNil())
	w.Expect(findCondition(w.get(c), v1alpha1.ConditionStalled)).To(BeNil())
	w.Expect(w.hub.Mutations()).To(BeEmpty())
	s := w.secret("orders-signing")
	s.Finalizers = nil
	w.Expect(w.Update(w.Context(), s)).To(Succeed())
	w.holdsLiveSecret(w.ready(c))
}

func TestANewNameTakesTheSecretAlongWithoutARotation(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders", signed)
	w.ready(c)
	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.SigningSecret = &v1alpha1.SigningSecret{Name: "moved"} })
	w.Eventually(func() *corev1.Secret { return w.secret("orders-signing") }).Should(BeNil())
	w.holdsLiveSecret(w.ready(c))
	w.Expect(w.hub.Count("redefineSignature")).To(BeZero())
}

func TestTheSecretOfAWebhookThatIsNoLongerSignedGoes(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders", signed)
	w.ready(c)
	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.RequiresSignature = false })
	w.Eventually(func() *corev1.Secret { return w.secret("orders-signing") }).Should(BeNil())
	w.Expect(w.onHub()[0].RequiresSignature).To(BeFalse())
	w.eventually(c, "ready without a secret", func(now *v1alpha1.Chatt2Webhook) bool {
		return now.IsReady() && now.Status.SigningSecret == nil
	})

	w.change(c, signed)
	w.holdsLiveSecret(w.eventually(c, "signed again", func(now *v1alpha1.Chatt2Webhook) bool {
		return now.IsReady() && w.secret("orders-signing") != nil
	}))
}

func TestTheSecretCarriesWhatTheTemplateSaysAndNothingOfTheResource(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders", signed, func(c *v1alpha1.Chatt2Webhook) {
		c.Labels = map[string]string{"app.kubernetes.io/instance": "argo"}
		c.Annotations = map[string]string{"argocd.argoproj.io/tracking-id": "x"}
		c.Spec.SigningSecret = &v1alpha1.SigningSecret{Template: &v1alpha1.SecretTemplate{
			Metadata: v1alpha1.SecretTemplateMetadata{Annotations: map[string]v1alpha1.AnnotationValue{"reloader": "yes"}},
		}}
	})
	w.ready(c)
	s := w.secret("orders-signing")
	w.Expect(s.Labels).To(Equal(map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}))
	w.Expect(s.Annotations).To(And(HaveKeyWithValue("reloader", "yes"), Not(HaveKey("argocd.argoproj.io/tracking-id"))))
	w.Expect(metav1.IsControlledBy(s, w.get(c))).To(BeTrue())
	w.change(c, func(c *v1alpha1.Chatt2Webhook) {
		c.Spec.SigningSecret.Template.Metadata.Annotations["reloader"] = "no"
	})
	w.Eventually(func() string { return w.secret("orders-signing").Annotations["reloader"] }).Should(Equal("no"))
	w.Expect(w.hub.Count("redefineSignature")).To(BeZero())
}

func TestANewSecretIsHeldUntilItIsStoredAndNoOtherIsMade(t *testing.T) {
	w := newWorld(t)
	var failing atomic.Bool
	w.intercept(func(r *http.Request) *http.Response {
		if failing.Load() && r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/secrets/orders-signing") {
			if w.hub.Count("redefineSignature") > 0 {
				return failure(http.StatusInternalServerError)
			}
		}
		return nil
	})
	w.run()
	c := w.webhook("orders", signed)
	w.ready(c)
	failing.Store(true)
	w.annotate(c, v1alpha1.AnnotationRotateRequestedAt, "one")
	w.reason(c, v1alpha1.ConditionSigningSecretReady, v1alpha1.ReasonSecretNotStored)
	w.Expect(w.get(c).IsReady()).To(BeFalse())
	<-time.After(3 * time.Second)
	w.Expect(w.hub.Count("redefineSignature")).To(Equal(1))
	failing.Store(false)
	w.holdsLiveSecret(w.rotated(c, "one"))
	w.Expect(w.hub.Count("redefineSignature")).To(Equal(1))
}

func TestARotationDoesNotBeginWhenTheSecretCannotBeWritten(t *testing.T) {
	w := newWorld(t)
	var failing atomic.Bool
	var refused atomic.Int32
	w.intercept(func(r *http.Request) *http.Response {
		if failing.Load() && r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/secrets/") {
			refused.Add(1)
			return failure(http.StatusForbidden)
		}
		return nil
	})
	w.run()
	c := w.webhook("orders", signed)
	w.ready(c)
	failing.Store(true)
	w.annotate(c, v1alpha1.AnnotationRotateRequestedAt, "one")
	w.Eventually(refused.Load).Should(BeNumerically(">", 1))
	w.reason(c, v1alpha1.ConditionSigningSecretReady, v1alpha1.ReasonSecretRejected)
	w.Expect(w.hub.Count("redefineSignature")).To(BeZero())
	w.holdsLiveSecret(w.get(c))
	failing.Store(false)
	w.holdsLiveSecret(w.rotated(c, "one"))
}

// failure is an answer of the API server.
func failure(code int) *http.Response {
	reason := map[int]string{
		http.StatusForbidden: "Forbidden", http.StatusConflict: "Conflict", http.StatusUnprocessableEntity: "Invalid",
	}[code]
	return &http.Response{
		StatusCode: code, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(
			`{"kind":"Status","apiVersion":"v1","status":"Failure","message":"injected","code":` + strconv.Itoa(code) +
				`,"reason":"` + reason + `"}`)),
	}
}

func TestAnOperatorThatDiesInARotationIsFollowedByOneThatEndsIt(t *testing.T) {
	w := newWorld(t)
	var dying atomic.Bool
	w.intercept(func(r *http.Request) *http.Response {
		if dying.Load() && r.Method != http.MethodGet {
			return failure(http.StatusInternalServerError)
		}
		return nil
	})
	w.run()
	c := w.webhook("orders", signed)
	w.ready(c)
	before := w.transport
	w.transport = func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			answer, err := before(next).RoundTrip(r)
			if strings.HasSuffix(r.URL.Path, "/redefine-signature") {
				dying.Store(true)
			}
			return answer, err
		})
	}
	w.restart()
	w.annotate(c, v1alpha1.AnnotationRotateRequestedAt, "one")
	w.Eventually(func() int { return w.hub.Count("redefineSignature") }).Should(Equal(1))
	w.stop()
	w.Expect(w.secret("orders-signing").Annotations).To(HaveKey(v1alpha1.AnnotationRotationStartedAt),
		"the stored secret is dead, and nothing says so")
	w.Expect(w.get(c).IsReady()).To(BeFalse())

	dying.Store(false)
	w.transport = before
	w.run()
	w.holdsLiveSecret(w.rotated(c, "one"))
	w.Expect(w.hub.Count("redefineSignature")).To(Equal(2), "no more than crashes plus one")
}

func TestTheVariantsOfTheSecretInAnAnswerAreTaken(t *testing.T) {
	for name, v := range map[string]simulator.Variants{
		"left out": {OmitSecret: true}, "under another name": {SecretField: "signingSecret"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.hub.SetVariants(v)
			w.run()
			c := w.webhook("orders", signed)
			w.holdsLiveSecret(w.ready(c))
			late := w.webhook("later")
			w.ready(late)
			w.change(late, signed)
			w.holdsLiveSecret(w.ready(late))
		})
	}
}
