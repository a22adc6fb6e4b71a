package v1alpha1_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/cluster"
)

func TestSpecIsFilledWithItsDefaults(t *testing.T) {
	u := manifest(t, "")
	mustAccept(t, u)

	want := parse(t, `
label: ReceivedMessages
endpoint: https://your-server.example/webhooks/chatt2me
eventType: Message
apiKeySecretRef: {name: chatt2-api-key, key: apiKey}
authenticationProtocol: NoAuthentication
requiresSignature: false
adoption: {policy: IfMatching}
deletionPolicy: Delete
readyWhen: Verified
suspend: false
`)
	if diff := cmp.Diff(want, u.Object["spec"]); diff != "" {
		t.Errorf("spec (-want +got):\n%s", diff)
	}
}

func TestASigningSecretIsFilledWithItsDefaults(t *testing.T) {
	u := manifest(t, signing(""))
	mustAccept(t, u)

	got, _, err := unstructured.NestedMap(u.Object, "spec", "signingSecret")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(parse(t, `rotation: {overlap: 10m}`), got); diff != "" {
		t.Errorf("signingSecret (-want +got):\n%s", diff)
	}
}

func TestStatusIsPendingBeforeAnybodyHasLooked(t *testing.T) {
	c := adminClient(t)
	u := manifest(t, "")
	u.SetNamespace(cluster.Namespace(t, c))
	// A status that comes with the manifest does not count: it is a subresource.
	u.Object["status"] = map[string]any{"observedGeneration": int64(1), "isVerified": true}
	if err := c.Create(t.Context(), u); err != nil {
		t.Fatal(err)
	}

	want := parse(t, `
isVerified: false
conditions:
- type: Ready
  status: Unknown
  reason: Pending
  message: Waiting for the operator to look at this resource
  lastTransitionTime: "1970-01-01T00:00:00Z"
`)
	want["observedGeneration"], want["numberOfErrors"] = int64(-1), int64(0)
	if diff := cmp.Diff(want, u.Object["status"]); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}

func TestAFalseIsVerifiedIsWritten(t *testing.T) {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&v1alpha1.Chatt2Webhook{})
	if err != nil {
		t.Fatal(err)
	}
	if got, found, err := unstructured.NestedBool(fields, "status", "isVerified"); err == nil && found && got {
		t.Error("isVerified is true in an empty object")
	}
	withStatus := &v1alpha1.Chatt2Webhook{Status: v1alpha1.Chatt2WebhookStatus{WebhookID: "x"}}
	if fields, err = runtime.DefaultUnstructuredConverter.ToUnstructured(withStatus); err != nil {
		t.Fatal(err)
	}
	if _, found, err := unstructured.NestedBool(fields, "status", "isVerified"); !found || err != nil {
		t.Errorf("isVerified is left out of the status: found %t, %v", found, err)
	}
}

func TestTheTypesReadWhatTheAPIServerStores(t *testing.T) {
	c := adminClient(t)
	u := manifest(t, `
scope: null
adoption: {webhookID: null}
requiresSignature: true
signingSecret: {rotation: {interval: 720h}}
headers: [{key: X-Secret, valueFrom: {secretKeyRef: {name: receiver-auth, key: token}}}]
`)
	u.SetNamespace(cluster.Namespace(t, c))
	if err := c.Create(t.Context(), u); err != nil {
		t.Fatal(err)
	}

	got := &v1alpha1.Chatt2Webhook{}
	if err := typedClient(t).Get(t.Context(), client.ObjectKeyFromObject(u), got); err != nil {
		t.Fatal(err)
	}

	want := v1alpha1.Chatt2WebhookSpec{
		Label:                  "ReceivedMessages",
		Endpoint:               "https://your-server.example/webhooks/chatt2me",
		EventType:              v1alpha1.EventTypeMessage,
		AuthenticationProtocol: v1alpha1.NoAuthentication,
		Headers: []v1alpha1.Header{{
			Key:       "X-Secret",
			ValueFrom: &v1alpha1.HeaderSource{SecretKeyRef: &v1alpha1.KeyReference{Name: "receiver-auth", Key: "token"}},
		}},
		APIKeySecretRef:   v1alpha1.APIKeySecretReference{Name: "chatt2-api-key", Key: "apiKey"},
		RequiresSignature: true,
		SigningSecret:     &v1alpha1.SigningSecret{Rotation: v1alpha1.Rotation{Interval: "720h", Overlap: "10m"}},
		Adoption:          v1alpha1.Adoption{Policy: v1alpha1.AdoptIfMatching},
		DeletionPolicy:    v1alpha1.DeletionDelete,
		ReadyWhen:         v1alpha1.ReadyWhenVerified,
	}
	if diff := cmp.Diff(want, got.Spec); diff != "" {
		t.Errorf("spec (-want +got):\n%s", diff)
	}
}

func TestAnExplicitNullStaysOrGoesButIsNotRefused(t *testing.T) {
	u := manifest(t, "scope: null\nadoption: {webhookID: null}")
	mustAccept(t, u)
	for _, path := range [][]string{{"spec", "scope"}, {"spec", "adoption", "webhookID"}} {
		if value, found, _ := unstructured.NestedFieldNoCopy(u.Object, path...); found && value != nil {
			t.Errorf("%v became %v", path, value)
		}
	}
}

func typedClient(t *testing.T) client.Client {
	t.Helper()
	types := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(types); err != nil {
			t.Fatal(err)
		}
	}
	c, err := client.New(shared.Config, client.Options{Scheme: types})
	if err != nil {
		t.Fatal(err)
	}
	return client.WithFieldValidation(c, metav1.FieldValidationStrict)
}
