package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// webhookChart is a chart of somebody who declares a webhook in it.
func webhookChart(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for path, content := range map[string]string{
		"Chart.yaml": "apiVersion: v2\nname: webhook\nversion: 0.1.0\n",
		"templates/webhook.yaml": `apiVersion: hub.chatt2.me/v1alpha1
kind: Chatt2Webhook
metadata:
  name: {{ .Release.Name }}
spec:
  label: Label
  endpoint: https://your-server.example/hook
  eventType: Message
  apiKeySecretRef:
    name: key
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

// TestWaitEndsAsTheWebhookDoes holds our status to what Helm 4 makes of it; Helm 3 does not look at such resources.
func TestWaitEndsAsTheWebhookDoes(t *testing.T) {
	needTools(t)
	s := newSite(t, "helm")
	s.helm("install", release, chartFolder())
	s.established()
	folder := webhookChart(t)
	for name, conditions := range map[string][]metav1.Condition{
		"ready": {{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady}},
		"stalled": {
			{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonRejected},
			{
				Type: v1alpha1.ConditionStalled, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonRejected,
				Message: "correct the endpoint",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			type result struct {
				complaints string
				err        error
			}
			ended := make(chan result, 1)
			go func() {
				_, complaints, err := s.try("install", name, folder, "--wait", "--timeout", "60s")
				ended <- result{complaints, err}
			}()
			webhook := &v1alpha1.Chatt2Webhook{}
			key := client.ObjectKey{Namespace: s.namespace, Name: name}
			NewWithT(t).Eventually(func() error { return s.Get(t.Context(), key, webhook) }, "30s").Should(Succeed())
			select {
			case early := <-ended:
				t.Fatalf("Helm does not wait for what nobody has looked at: %v %s", early.err, early.complaints)
			case <-time.After(time.Second): // Helm looks many times in this time.
			}
			s.report(webhook, conditions)

			end := <-ended

			if name == "ready" && end.err != nil {
				t.Errorf("Helm fails: %s", end.complaints)
			}
			if name == "stalled" {
				NewWithT(t).Expect(end.complaints).To(ContainSubstring("correct the endpoint"))
			}
		})
	}
}

// report writes the status that the operator would.
func (s *site) report(webhook *v1alpha1.Chatt2Webhook, conditions []metav1.Condition) {
	s.Helper()
	old := webhook.DeepCopy()
	webhook.Status.ObservedGeneration = webhook.Generation
	for _, condition := range conditions {
		condition.ObservedGeneration = webhook.Generation
		meta.SetStatusCondition(&webhook.Status.Conditions, condition)
	}
	s.Expect(s.Status().Patch(s.Context(), webhook, client.MergeFrom(old))).To(Succeed())
}
