package main

import (
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// crdFile reads a CRD.
func crdFile(t *testing.T, path ...string) *unstructured.Unstructured {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	crd := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(content, &crd.Object); err != nil {
		t.Fatal(err)
	}
	return crd
}

// earlierCRD is the CRD that clusters may have; with each release it becomes that of the release before. presentCRD is
// the one of this tree.
func earlierCRD(t *testing.T) *unstructured.Unstructured {
	t.Helper()
	return crdFile(t, "testdata", "earlier-crd.yaml")
}

func presentCRD(t *testing.T) *unstructured.Unstructured {
	t.Helper()
	return crdFile(t, root, "config", "crd", "bases", "hub.chatt2.me_chatt2webhooks.yaml")
}

// marker is a field that an upgraded CRD has besides its own, so that a test can tell when the API server goes by it.
const marker = "marker"

// schemaOf is the schema of the first version's spec.
func schemaOf(t *testing.T, crd *unstructured.Unstructured) map[string]any {
	t.Helper()
	versions, _, err := unstructured.NestedSlice(crd.Object, "spec", "versions")
	if err != nil || len(versions) != 1 {
		t.Fatalf("there are %d versions, %v", len(versions), err)
	}
	version, _ := versions[0].(map[string]any)
	spec, found, err := unstructured.NestedMap(version, "schema", "openAPIV3Schema", "properties", "spec")
	if err != nil || !found {
		t.Fatalf("there is no spec: %v", err)
	}
	return spec
}

// upgrade installs a CRD over the one that is there, after a change of the schema of spec, and waits until it is in
// force.
func (s *site) upgrade(crd *unstructured.Unstructured, change func(spec map[string]any)) {
	s.Helper()
	spec := schemaOf(s.T, crd)
	s.Expect(unstructured.SetNestedField(spec, "string", "properties", marker, "type")).To(Succeed())
	change(spec)
	versions, _, err := unstructured.NestedSlice(crd.Object, "spec", "versions")
	s.Expect(err).NotTo(HaveOccurred())
	version, _ := versions[0].(map[string]any)
	s.Expect(unstructured.SetNestedMap(version, spec, "schema", "openAPIV3Schema", "properties", "spec")).To(Succeed())
	s.Expect(unstructured.SetNestedSlice(crd.Object, versions, "spec", "versions")).To(Succeed())
	s.apply(crd)
	marked := s.stored("marked", "X")
	for field, value := range map[string]string{
		marker: "is there", "eventType": "Message", "endpoint": "https://allowed.example/", // which all rules here allow
	} {
		s.Expect(unstructured.SetNestedField(marked.Object, value, "spec", field)).To(Succeed())
	}
	s.Eventually(func() error {
		return s.Create(s.Context(), marked.DeepCopy(), client.DryRunAll, client.FieldValidation("Strict"))
	}, "2m").Should(Succeed(), "the CRD is in force")
}

func (s *site) apply(object *unstructured.Unstructured) {
	s.Helper()
	s.Expect(s.Apply(s.Context(), client.ApplyConfigurationFromUnstructured(object.DeepCopy()),
		client.FieldOwner("upgrade"), client.ForceOwnership)).To(Succeed())
}

// stored is a webhook with as many fields as there are.
func (s *site) stored(name, label string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": "Chatt2Webhook",
		"metadata": map[string]any{"name": name, "namespace": s.namespace},
		"spec": map[string]any{
			"label": label, "endpoint": "https://your-server.example/" + name, "eventType": "MessageStatus",
			"authenticationProtocol": "JWT", "scope": "all",
			"headers": []any{
				map[string]any{"key": "X-Tenant", "value": "chat"},
				map[string]any{"key": "X-Token", "valueFrom": map[string]any{
					"secretKeyRef": map[string]any{"name": "token", "key": "value"},
				}},
			},
			"apiKeySecretRef": map[string]any{"name": "key", "key": "apiKey"}, "requiresSignature": true,
			"signingSecret": map[string]any{
				"name": name + "-secret", "rotation": map[string]any{"interval": "43200m", "overlap": "600s"},
				"template": map[string]any{"metadata": map[string]any{"labels": map[string]any{"a": "b"}}},
			},
			"adoption": map[string]any{"policy": "Never"}, "deletionPolicy": "Retain", "readyWhen": "Registered",
			"suspend": true,
		},
	}}
}

// patch changes a stored webhook as a user, or with a subresource as the operator, does.
func (s *site) patch(object *unstructured.Unstructured, fields string, subresource ...string) error {
	patch := client.RawPatch(types.MergePatchType, []byte(fields))
	if len(subresource) > 0 {
		return s.SubResource(subresource[0]).Patch(s.Context(), object.DeepCopy(), patch)
	}
	return s.Patch(s.Context(), object.DeepCopy(), patch)
}

func (s *site) read(object *unstructured.Unstructured) *unstructured.Unstructured {
	s.Helper()
	now := object.DeepCopy()
	s.Expect(s.Get(s.Context(), client.ObjectKeyFromObject(object), now)).To(Succeed())
	return now
}
