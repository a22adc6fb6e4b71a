package manifests

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/cluster"
)

// webhookAndReceiver are what a team has in its kustomization, beside generators and a prefix.
const webhookAndReceiver = `
apiVersion: hub.chatt2.me/v1alpha1
kind: Chatt2Webhook
metadata: {name: orders}
spec:
  label: Orders
  endpoint: https://your-server.example/orders
  eventType: Message
  apiKeySecretRef: {name: chatt2-api-key}
  headers:
  - {key: X-Webhook-Secret, valueFrom: {secretKeyRef: {name: receiver-auth, key: token}}}
  - {key: X-Tenant, valueFrom: {configMapKeyRef: {name: tenant, key: name}}}
  requiresSignature: true
  signingSecret: {name: orders}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: receiver}
spec:
  selector: {matchLabels: {app: receiver}}
  template:
    metadata: {labels: {app: receiver}}
    spec:
      containers:
      - name: receiver
        image: receiver
        env:
        - {name: TOKEN, valueFrom: {secretKeyRef: {name: receiver-auth, key: token}}}
      volumes:
      - {name: signing, secret: {secretName: orders}}
`

func TestKustomizeRenamesWhatAChatt2WebhookRefersTo(t *testing.T) {
	folder := t.TempDir()
	component, err := filepath.Abs(config("components/name-references"))
	if err != nil {
		t.Fatal(err)
	}
	if component, err = filepath.Rel(folder, component); err != nil {
		t.Fatal(err)
	}
	kustomization := fmt.Sprintf(`apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namePrefix: dev-
resources: [app.yaml]
components: [%s]
secretGenerator:
- {name: chatt2-api-key, literals: [apiKey=trial]}
- {name: receiver-auth, literals: [token=trial]}
configMapGenerator:
- {name: tenant, literals: [name=chat]}
`, component)
	for name, content := range map[string]string{"app.yaml": webhookAndReceiver, "kustomization.yaml": kustomization} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	out, _ := kubectl(t, "kustomize", folder)

	names := map[string]string{} // the present name by the beginning of it
	var webhook v1alpha1.Chatt2Webhook
	var receiver appsv1.Deployment
	for document := range strings.SplitSeq(out, "\n---\n") {
		var object unstructured.Unstructured
		if err := yaml.Unmarshal([]byte(document), &object.Object); err != nil {
			t.Fatal(err)
		}
		name := object.GetName()
		into := map[string]any{"Chatt2Webhook": &webhook, "Deployment": &receiver}[object.GetKind()]
		if into == nil {
			names[name[:strings.LastIndex(name, "-")]] = name
			continue
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, into); err != nil {
			t.Fatal(err)
		}
	}
	pod := receiver.Spec.Template.Spec
	for what, pair := range map[string][2]string{
		"API key":                      {webhook.Spec.APIKeySecretRef.Name, names["dev-chatt2-api-key"]},
		"header from a Secret":         {webhook.Spec.Headers[0].ValueFrom.SecretKeyRef.Name, names["dev-receiver-auth"]},
		"header from a ConfigMap":      {webhook.Spec.Headers[1].ValueFrom.ConfigMapKeyRef.Name, names["dev-tenant"]},
		"variable of the receiver":     {pod.Containers[0].Env[0].ValueFrom.SecretKeyRef.Name, names["dev-receiver-auth"]},
		"signing Secret":               {webhook.SigningSecretName(), webhook.Name},
		"signing Secret of the volume": {pod.Volumes[0].Secret.SecretName, "dev-orders"},
	} {
		if pair[0] != pair[1] || pair[1] == "" {
			t.Errorf("the %s is %q, want %q", what, pair[0], pair[1])
		}
	}
	kubectl(t, "-n", cluster.Namespace(t, adminClient(t)), "apply", "--dry-run=server", "-k", folder)
}
