package main

import (
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// TestTheReadmeRemovesWhatAnOperatorLeavesThatDoesNotComeBack runs the commands of the README beside finalizers that
// nothing but they removes, and one that is somebody else's.
func TestTheReadmeRemovesWhatAnOperatorLeavesThatDoesNotComeBack(t *testing.T) {
	needTools(t)
	s := newSite(t, "helm")
	s.shell("kubectl apply --server-side -f ../../config/crd/bases -f ../../config/components/keep-finalizer/policy.yaml")
	defer s.shell("kubectl delete -f ../../config/components/keep-finalizer/policy.yaml")
	s.established()
	const id = "08b37e2a-933b-4f83-875f-99bd434c01f8"
	s.shell(`kubectl -n ` + s.namespace + ` apply -f - <<'END'
apiVersion: v1
kind: Secret
metadata: {name: chatt2-api-key, finalizers: [hub.chatt2.me/api-key-in-use]}
stringData: {apiKey: trial}
---
apiVersion: v1
kind: Secret
metadata: {name: another, finalizers: [example.com/keep]}
---
apiVersion: hub.chatt2.me/v1alpha1
kind: Chatt2Webhook
metadata: {name: orders, finalizers: [hub.chatt2.me/webhook]}
spec:
  label: Orders
  endpoint: https://your-server.example/orders
  eventType: Message
  apiKeySecretRef: {name: chatt2-api-key}
END
kubectl -n ` + s.namespace + ` patch c2w orders --subresource=status --type=merge -p '{"status":{"webhookID":"` + id + `"}}'`)
	_, section, _ := strings.Cut(readFile(t, "README.md"), "### Uninstall for good\n")
	commands := regexp.MustCompile(`(?m)(^    .*\n)+`).FindString(section)

	out := s.shell(commands)

	s.Expect(out).To(MatchRegexp(`orders +` + id))
	secret := &corev1.Secret{}
	for name, finalizers := range map[string]int{"chatt2-api-key": 0, "another": 1} {
		s.Expect(s.Get(s.Context(), types.NamespacedName{Namespace: s.namespace, Name: name}, secret)).To(Succeed())
		s.Expect(secret.Finalizers).To(HaveLen(finalizers), name)
	}
	s.Expect(s.shell("kubectl get crd -o name")).NotTo(ContainSubstring("chatt2webhooks"))
	s.shell("kubectl -n " + s.namespace + ` patch secret another --type=merge -p '{"metadata":{"finalizers":null}}'`)
}
