package gitops_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// pressAndApply presses a button as a user of Argo CD does: the object that the action returns is compared with the one
// it was given, and the difference is sent as a merge patch. It returns what was sent.
func (w *world) pressAndApply(c *v1alpha1.Chatt2Webhook, name string) string {
	w.Helper()
	ours := builtIn(w.T)
	before := w.live(c)
	if ours.discover(w.T, closed, before)[name].Disabled {
		w.Fatalf("%s is disabled", name)
	}
	after := ours.press(w.T, name, closed, before)
	patch := client.MergeFrom(before)
	sent, err := patch.Data(after)
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(w.Patch(w.Context(), after, patch)).To(Succeed(), "the API server refuses %s", sent)
	return string(sent)
}

// takesEveryButton asserts that the API server accepts what each button makes of a resource that is offered for it, and
// changes nothing by that.
func (w *world) takesEveryButton(object *unstructured.Unstructured) {
	w.Helper()
	ours := builtIn(w.T)
	for name, button := range ours.discover(w.T, closed, object) {
		if button.Disabled {
			continue
		}
		patch := client.MergeFrom(object)
		after := ours.press(w.T, name, closed, object)
		sent, err := patch.Data(after)
		w.Expect(err).NotTo(HaveOccurred())
		w.Expect(sent).NotTo(MatchJSON("{}"), name)
		w.Expect(w.Patch(w.Context(), after, patch, client.DryRunAll)).To(Succeed(), "%s: %s", name, sent)
	}
}

// annotated is what a patch says that sets one annotation, and the value that it sets.
func (w *world) annotated(patch, name string) string {
	w.Helper()
	var fields struct {
		Metadata struct {
			Annotations map[string]string `json:"annotations"`
		} `json:"metadata"`
	}
	w.Expect(json.Unmarshal([]byte(patch), &fields)).To(Succeed())
	value := fields.Metadata.Annotations[name]
	want := `{"metadata":{"annotations":{"` + name + `":"` + value + `"}}}`
	w.Expect(patch).To(Equal(want), "nothing but the annotation is changed")
	w.Expect(value).NotTo(BeEmpty())
	return value
}

func TestTheButtonSyncMakesTheOperatorLook(t *testing.T) {
	w := newWorld(t)
	w.run()
	// Labels that are empty, and lists of maps: what a script cannot tell from something else must come back unharmed.
	c := w.webhook("received-messages", signed, func(c *v1alpha1.Chatt2Webhook) {
		c.Spec.Headers = []v1alpha1.Header{{Key: "X-Tenant", Value: new("chat")}}
		c.Spec.SigningSecret = &v1alpha1.SigningSecret{Template: &v1alpha1.SecretTemplate{}}
	})
	w.until(c, v1alpha1.ReasonReady)

	value := w.annotated(w.pressAndApply(c, "sync"), v1alpha1.AnnotationReconcileRequestedAt)

	w.Eventually(func() string { return w.status(c, "lastHandledReconcileAt") }).Should(Equal(value))
}

func TestTheButtonRotateSecretRotates(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("received-messages", signed)
	w.until(c, v1alpha1.ReasonReady)
	before := w.signingSecret(c)

	value := w.annotated(w.pressAndApply(c, "rotate-secret"), v1alpha1.AnnotationRotateRequestedAt)

	w.Eventually(func() string { return w.status(c, "lastHandledRotateAt") }).Should(Equal(value))
	w.Expect(w.signingSecret(c)).NotTo(Equal(before))
}

func TestTheButtonsSuspendAndResume(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("received-messages")
	w.until(c, v1alpha1.ReasonReady)

	w.Expect(w.pressAndApply(c, "suspend")).To(Equal(`{"spec":{"suspend":true}}`))
	w.until(c, v1alpha1.ReasonSuspended)
	w.Expect(w.pressAndApply(c, "resume")).To(Equal(`{"spec":{"suspend":false}}`))
	w.until(c, v1alpha1.ReasonReady)
}

// TestAFieldThatIsNullMayGo says what is lost: Lua cannot hold a null in a table. Nothing but the null itself goes,
// and it means the same as no field.
func TestAFieldThatIsNullMayGo(t *testing.T) {
	w := newWorld(t)
	c := w.webhook("received-messages")
	null := client.RawPatch("application/apply-patch+yaml", []byte(`{"apiVersion":"hub.chatt2.me/v1alpha1",
		"kind":"Chatt2Webhook","spec":{"scope":null}}`))
	w.Expect(w.Patch(w.Context(), c, null, client.FieldOwner("git"))).To(Succeed())
	if _, ok, _ := unstructured.NestedFieldNoCopy(w.live(c).Object, "spec", "scope"); !ok {
		t.Fatal("the API server does not keep the null")
	}
	w.Expect(w.pressAndApply(c, "suspend")).To(Equal(`{"spec":{"scope":null,"suspend":true}}`))
}

// TestButtonsAreThereWhenTheyMakeSense looks at every state.
func TestButtonsAreThereWhenTheyMakeSense(t *testing.T) {
	ours := builtIn(t)
	for _, s := range states {
		object := readObject(t, customization("testdata", s.name+".yaml"))
		want := []string{"suspend", "sync"}
		switch {
		case object.GetDeletionTimestamp() != nil:
			want = nil
		case s.health == suspended:
			want = []string{"resume"}
		case s.name == "degraded_secret_conflict" || s.name == "healthy_signed":
			want = []string{"rotate-secret", "suspend", "sync"}
		}
		for _, with := range []libraries{open, closed} {
			var got []string
			all := ours.discover(t, with, object)
			for _, name := range actionNames {
				if a, ok := all[name]; !ok {
					t.Errorf("%s: there is no %s", s.name, name)
				} else if !a.Disabled {
					got = append(got, name)
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s with %s libraries: want (-), got (+)\n%s", s.name, with, diff)
			}
			if len(all) != len(actionNames) {
				t.Errorf("%s: there are %d buttons", s.name, len(all))
			}
		}
	}
}

// TestNothingIsOfferedOnWhatGoes, suspended or not.
func TestNothingIsOfferedOnWhatGoes(t *testing.T) {
	for _, is := range []bool{true, false} {
		object := &unstructured.Unstructured{Object: map[string]any{
			"metadata": map[string]any{"deletionTimestamp": someTime},
			"spec":     map[string]any{"suspend": is, "requiresSignature": true},
		}}
		for name, a := range builtIn(t).discover(t, closed, object) {
			if !a.Disabled {
				t.Errorf("suspended %t: %s is offered", is, name)
			}
		}
	}
}

// status is a text of a resource's status.
func (w *world) status(c *v1alpha1.Chatt2Webhook, field string) string {
	w.Helper()
	value, _, err := unstructured.NestedString(w.live(c).Object, "status", field)
	w.Expect(err).NotTo(HaveOccurred())
	return value
}

// signingSecret is the signing secret that is stored for a resource.
func (w *world) signingSecret(c *v1alpha1.Chatt2Webhook) string {
	w.Helper()
	s := &corev1.Secret{}
	w.Expect(w.Get(w.Context(), client.ObjectKey{Namespace: w.namespace, Name: c.SigningSecretName()}, s)).To(Succeed())
	return string(s.Data[v1alpha1.SecretKeyCurrent])
}
