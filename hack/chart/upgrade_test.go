package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/cluster"
)

const aStatus = `{"status":{"observedGeneration":1,"webhookID":"a1b2c3d4-e5f6-7890-abcd-ef1234567890","active":true,` +
	`"isVerified":true,"numberOfErrors":3,"conditions":[{"type":"Ready","status":"True","reason":"Ready","message":"",` +
	`"lastTransitionTime":"2026-01-01T00:00:00Z","observedGeneration":1}]}}`

// TestAnUpgradeOfTheCRDLeavesWhatIsStored as it is, to the last byte, and it can be changed as before.
func TestAnUpgradeOfTheCRDLeavesWhatIsStored(t *testing.T) {
	needTools(t)
	s := newSite(t, "helm")
	s.apply(earlierCRD(t))
	s.established()
	fresh, told := s.stored("fresh", "Fresh"), s.stored("told", "Told")
	for _, object := range []*unstructured.Unstructured{fresh, told} {
		s.Eventually(func() error { return s.Create(s.Context(), object.DeepCopy()) }, "2m").Should(Succeed())
	}
	s.Expect(s.patch(told, aStatus, "status")).To(Succeed())
	before := []*unstructured.Unstructured{s.read(fresh), s.read(told)}

	s.upgrade(presentCRD(t), func(map[string]any) {})

	for i, object := range []*unstructured.Unstructured{fresh, told} {
		after := s.read(object)
		if object == fresh {
			// It has no status yet: what is shown as one is not stored, but the default of the CRD in force.
			delete(before[i].Object, "status")
			delete(after.Object, "status")
		}
		if diff := cmp.Diff(before[i].Object, after.Object); diff != "" {
			t.Errorf("%s was (-), and is after the upgrade (+)\n%s", object.GetName(), diff)
		}
		s.Expect(s.patch(object, `{"metadata":{"labels":{"changed":"yes"}}}`)).To(Succeed())
		s.Expect(s.patch(object, `{"spec":{"suspend":false}}`)).To(Succeed())
		s.Expect(s.patch(object, aStatus, "status")).To(Succeed())
	}
	crd, err := s.crd()
	s.Expect(err).NotTo(HaveOccurred())
	versions, _, err := unstructured.NestedStringSlice(crd.Object, "status", "storedVersions")
	s.Expect(err).NotTo(HaveOccurred())
	s.Expect(versions).To(Equal([]string{v1alpha1.GroupVersion.Version}))
}

// TestRulesMayBeTightened: what is stored and breaks the new rules can be changed elsewhere, by users and by the
// operator, and only what breaks them is refused.
func TestRulesMayBeTightened(t *testing.T) {
	needTools(t)
	s := newSite(t, "helm")
	s.apply(presentCRD(t))
	s.established()
	object := s.stored("stored", "A label of some length")
	s.Eventually(func() error { return s.Create(s.Context(), object.DeepCopy()) }, "2m").Should(Succeed())

	s.upgrade(presentCRD(t), func(spec map[string]any) {
		for path, value := range map[string]any{
			"label/maxLength": int64(5), "eventType/enum": []any{"Message"},
			"endpoint/x-kubernetes-validations": []any{map[string]any{
				"rule": "self.startsWith('https://allowed.example/')", "message": "must be allowed",
			}},
		} {
			fields := append([]string{"properties"}, strings.Split(path, "/")...)
			s.Expect(unstructured.SetNestedField(spec, value, fields...)).To(Succeed())
		}
	})

	s.Expect(s.patch(object, `{"metadata":{"finalizers":["hub.chatt2.me/webhook"]}}`)).To(Succeed())
	s.Expect(s.patch(object, `{"spec":{"suspend":false}}`)).To(Succeed())
	s.Expect(s.patch(object, aStatus, "status")).To(Succeed())
	for _, fields := range []string{
		`{"spec":{"label":"Another label of some length"}}`, `{"spec":{"endpoint":"https://other.example/"}}`,
	} {
		s.Expect(s.patch(object, fields)).To(MatchError(ContainSubstring("is invalid")), fields)
	}
	s.Expect(s.patch(object, `{"spec":{"label":"Short"}}`)).To(Succeed())
}

// TestWhatAnEarlierCRDAcceptedMayStay: a label or an endpoint that only the present rules refuse can stay as it is
// while users and the operator change the rest, and can be corrected.
func TestWhatAnEarlierCRDAcceptedMayStay(t *testing.T) {
	needTools(t)
	s := newSite(t, "helm")
	s.apply(earlierCRD(t))
	s.established()
	object := s.stored("odd", " ")
	s.Expect(unstructured.SetNestedField(object.Object, `https://127.1/a\b`, "spec", "endpoint")).To(Succeed())
	s.Eventually(func() error { return s.Create(s.Context(), object.DeepCopy()) }, "2m").Should(Succeed())

	s.upgrade(presentCRD(t), func(map[string]any) {})

	s.Expect(s.patch(object, `{"metadata":{"finalizers":["hub.chatt2.me/webhook"]}}`)).To(Succeed())
	s.Expect(s.patch(object, `{"spec":{"suspend":false}}`)).To(Succeed())
	s.Expect(s.patch(object, aStatus, "status")).To(Succeed())
	for _, fields := range []string{`{"spec":{"label":"  "}}`, `{"spec":{"endpoint":"https://127.2/"}}`} {
		s.Expect(s.patch(object, fields)).To(MatchError(ContainSubstring("is invalid")), fields)
	}
	s.Expect(s.patch(object, `{"spec":{"label":"L"}}`)).To(Succeed())
	s.Expect(s.patch(object, `{"spec":{"endpoint":"https://127.0.0.1/a/b"}}`)).To(Succeed())
	s.Expect(s.patch(object, `{"metadata":{"finalizers":[]}}`)).To(Succeed())
}

// TestAnUpgradeRegistersNothingAnew exchanges CRD and operator below a registered, signed webhook.
func TestAnUpgradeRegistersNothingAnew(t *testing.T) {
	needTools(t)
	s := newSite(t, "helm")
	s.apply(earlierCRD(t))
	s.established()
	rights := rightsOf(t, "namespaces={"+theirs+"}")
	l := s.begin(rights, cluster.Namespace(t, s.Client))
	s.Expect(l.register()).To(Succeed())
	webhook, secrets := l.webhook.DeepCopy(), l.hub.SecretOf(l.webhook.Status.WebhookID)
	l.operator.kill()
	calls := len(l.hub.Webhooks(l.app.ID))
	written := l.changes()

	s.upgrade(presentCRD(t), func(map[string]any) {})
	listings := l.hub.Count("listWebhooks")
	l.operator = s.startOperator(l.hub, l.flags)
	s.Expect(l.until("it looks twice", func() (bool, error) {
		return l.hub.Count("listWebhooks") >= listings+2, nil
	})).To(Succeed())

	s.Expect(l.beReady()).To(Succeed())
	s.Expect(s.Get(s.Context(), client.ObjectKeyFromObject(webhook), l.webhook)).To(Succeed())
	if diff := cmp.Diff(webhook, l.webhook); diff != "" {
		t.Errorf("the webhook was (-), and is after the upgrade (+)\n%s", diff)
	}
	s.Expect(l.hub.Webhooks(l.app.ID)).To(HaveLen(calls))
	s.Expect(l.changes()).To(Equal(written), "calls that change something")
	s.Expect(l.hub.SecretOf(webhook.Status.WebhookID)).To(Equal(secrets))
	s.Expect(l.remove()).To(Succeed())
}

// changes is how often the Hub was asked to change something.
func (l *life) changes() int {
	return l.hub.Count("createWebhook") + l.hub.Count("updateWebhook") + l.hub.Count("redefineSignature") +
		l.hub.Count("deleteWebhook")
}
