package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator/simulatortest"
)

// webhookChart is a chart of somebody who declares a webhook, with its API key.
func webhookChart(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for path, content := range map[string]string{
		"Chart.yaml": "apiVersion: v2\nname: webhook\nversion: 0.1.0\n",
		"templates/webhook.yaml": `apiVersion: v1
kind: Secret
metadata:
  name: {{ .Release.Name }}
stringData:
  apiKey: {{ .Values.apiKey }}
---
apiVersion: hub.chatt2.me/v1alpha1
kind: Chatt2Webhook
metadata:
  name: {{ .Release.Name }}
spec:
  label: {{ .Release.Name }}
  endpoint: {{ .Values.endpoint }}
  eventType: Message
  apiKeySecretRef:
    name: {{ .Release.Name }}
`,
	} {
		path = filepath.Join(folder, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// result is how a Helm ended.
type result struct {
	complaints string
	err        error
}

// inTheBackground runs a Helm that waits for something.
func (s *site) inTheBackground(args ...string) <-chan result {
	ended := make(chan result, 1)
	go func() {
		_, complaints, err := s.try(args...)
		ended <- result{complaints, err}
	}()
	return ended
}

// stillWaits asserts that a Helm has not ended after it has looked many times.
func (s *site) stillWaits(ended <-chan result) {
	s.Helper()
	select {
	case early := <-ended:
		s.Fatalf("Helm does not wait: %v %s", early.err, early.complaints)
	case <-time.After(time.Second):
	}
}

// TestWaitEndsAsTheWebhookDoes holds what the operator reports to what Helm 4 makes of it; Helm 3 does not look at such
// resources.
func TestWaitEndsAsTheWebhookDoes(t *testing.T) {
	needTools(t)
	s := newSite(t, "helm")
	s.helm("install", release, chartFolder())
	s.established()
	hub := simulatortest.Start(t, simulator.Options{})
	hub.AddApplication("main", "good-key")
	folder, endpoint, waiting := webhookChart(t), s.endpoint(), map[string]<-chan result{}
	const patience = 2 * time.Minute
	for _, name := range []string{"good", "wrong"} {
		waiting[name] = s.inTheBackground("install", name, folder, "--wait", "--timeout", patience.String(),
			"--set", "apiKey="+name+"-key,endpoint="+endpoint)
		key := client.ObjectKey{Namespace: s.namespace, Name: name}
		s.Eventually(func() error { return s.Get(s.Context(), key, &v1alpha1.Chatt2Webhook{}) }, "2m").Should(Succeed())
	}
	for _, ended := range waiting {
		s.stillWaits(ended) // nobody has looked at the webhook
	}
	began := time.Now()

	s.startOperator(hub, s.args())

	good, wrong := <-waiting["good"], <-waiting["wrong"]
	s.Expect(good.err).NotTo(HaveOccurred(), good.complaints)
	s.Expect(wrong.err).To(HaveOccurred())
	s.Expect(wrong.complaints).To(ContainSubstring(`the Hub does not accept the API key in the Secret "wrong"`))
	s.Expect(time.Since(began)).To(BeNumerically("<", patience), "Helm fails once nothing is to be waited for")
	for name := range waiting {
		s.helm("uninstall", name, "--wait")
	}
	s.Expect(hub.Webhooks("main")).To(BeEmpty())
}

// TestWaitEndsWhenTheOperatorRuns plays the part of the nodes. Helm 3 would look for a ReplicaSet, too.
func TestWaitEndsWhenTheOperatorRuns(t *testing.T) {
	needTools(t)
	s := newSite(t, "helm")
	ended := s.inTheBackground("install", release, chartFolder(), "--wait", "--timeout", "2m")
	var deployment appsv1.Deployment
	key := client.ObjectKey{Namespace: s.namespace, Name: release}
	s.Eventually(func() error { return s.Get(s.Context(), key, &deployment) }, "2m").Should(Succeed())
	s.stillWaits(ended)

	deployment.Status = appsv1.DeploymentStatus{
		ObservedGeneration: deployment.Generation, Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1, AvailableReplicas: 1,
		Conditions: []appsv1.DeploymentCondition{
			{Type: appsv1.DeploymentAvailable, Status: corev1.ConditionTrue},
			{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue, Reason: "NewReplicaSetAvailable"},
		},
	}
	s.Expect(s.Status().Update(s.Context(), &deployment)).To(Succeed())

	end := <-ended
	s.Expect(end.err).NotTo(HaveOccurred(), end.complaints)
	s.helm("uninstall", release)
}
