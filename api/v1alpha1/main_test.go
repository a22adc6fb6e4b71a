package v1alpha1_test

import (
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/cluster"
)

// shared is the control plane of all tests here; each test that keeps objects has a namespace of its own.
var shared *cluster.Cluster

func TestMain(m *testing.M) {
	os.Exit(cluster.Main(m, cluster.Options{}, func(c *cluster.Cluster) { shared = c }))
}

// adminClient refuses unknown fields, as kubectl does.
func adminClient(t *testing.T) client.Client {
	t.Helper()
	c, err := client.New(shared.Config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return client.WithFieldValidation(c, metav1.FieldValidationStrict)
}

// minimal is the spec with nothing but what is required.
const minimal = `
label: ReceivedMessages
endpoint: https://your-server.example/webhooks/chatt2me
eventType: Message
apiKeySecretRef: {name: chatt2-api-key}
`

// manifest is the minimal resource with the fields of the given YAML in place of its own, null included. It goes to
// the API server as written, not through our types, which could not even express most of what is refused here.
func manifest(t *testing.T, spec string) *unstructured.Unstructured {
	t.Helper()
	fields := parse(t, minimal)
	maps.Copy(fields, parse(t, spec))
	u := &unstructured.Unstructured{Object: map[string]any{"spec": fields}}
	u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Chatt2Webhook"))
	u.SetNamespace(metav1.NamespaceDefault)
	u.SetName("received-messages")
	return u
}

func without(t *testing.T, field string) *unstructured.Unstructured {
	t.Helper()
	u := manifest(t, "")
	unstructured.RemoveNestedField(u.Object, "spec", field)
	return u
}

func named(name string, u *unstructured.Unstructured) *unstructured.Unstructured {
	u.SetName(name)
	return u
}

func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	fields := map[string]any{}
	if err := yaml.UnmarshalStrict([]byte(text), &fields); err != nil {
		t.Fatalf("the test's YAML: %v\n%s", err, text)
	}
	return fields
}

func dryRun(t *testing.T, u *unstructured.Unstructured) error {
	t.Helper()
	return adminClient(t).Create(t.Context(), u, client.DryRunAll)
}

// complaints are what the API server found wrong, field by field.
func complaints(t *testing.T, err error) []metav1.StatusCause {
	t.Helper()
	status := apierrors.APIStatus(nil)
	if !errors.As(err, &status) {
		t.Fatalf("not an answer of the API server: %v", err)
	}
	if status.Status().Details == nil {
		return nil
	}
	causes := slices.DeleteFunc(slices.Clone(status.Status().Details.Causes), func(c metav1.StatusCause) bool {
		return strings.HasSuffix(c.Message, "some validation rules were not checked because the object was invalid; "+
			"correct the existing errors to complete validation")
	})
	// Of an empty value it is said that it is empty, and then by a rule of ours what to write instead.
	if len(causes) == 2 && causes[0].Field == causes[1].Field && strings.HasSuffix(causes[0].Message, tooShort) {
		causes = causes[1:]
	}
	return causes
}
