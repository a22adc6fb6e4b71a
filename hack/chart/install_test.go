package main

import (
	"maps"
	"slices"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

func TestTheChartIsInstalledUpgradedAndUninstalled(t *testing.T) {
	eachHelm(t, func(s *site) {
		s.helm("install", release, chartFolder(), "--set", "simulator.enabled=true")
		crd, err := s.crd()
		s.Expect(err).NotTo(HaveOccurred())
		s.Expect(crd.GetAnnotations()).To(HaveKeyWithValue("helm.sh/resource-policy", "keep"))
		s.Expect(s.args()).To(ContainElement("--hub-url=https://" + release + "-simulator." + s.namespace + ".svc"))
		before := s.secrets()

		s.helm("upgrade", release, chartFolder(), "--reuse-values", "--set", "hub.pollInterval=5m")

		s.Expect(s.args()).To(ContainElement("--hub-poll-interval=5m"))
		s.Expect(s.secrets()).To(Equal(before), "certificates and the API key are kept over an upgrade")

		s.helm("uninstall", release)

		s.Eventually(s.left, "2m").Should(BeEmpty())
		_, err = s.crd()
		s.Expect(err).NotTo(HaveOccurred(), "the CRD is kept")
		s.helm("install", release, chartFolder())
		s.helm("uninstall", release)
	})
}

// secrets are the content of those that the simulator needs.
func (s *site) secrets() map[string]map[string][]byte {
	s.Helper()
	content := map[string]map[string][]byte{}
	for _, suffix := range []string{"tls", "api-key", "applications"} {
		var secret corev1.Secret
		name := release + "-simulator-" + suffix
		s.Expect(s.Get(s.Context(), client.ObjectKey{Namespace: s.namespace, Name: name}, &secret)).To(Succeed())
		content[suffix] = secret.Data
	}
	s.Expect(slices.Sorted(maps.Keys(content["tls"]))).To(Equal(
		[]string{"ca.crt", "receiver.crt", "receiver.key", "simulator.crt", "simulator.key"}))
	return content
}

func TestWithoutKeepTheCRDGoesWithTheRelease(t *testing.T) {
	eachHelm(t, func(s *site) {
		s.helm("install", release, chartFolder(), "--set", "crds.keep=false")
		_, err := s.crd()
		s.Expect(err).NotTo(HaveOccurred())

		s.helm("uninstall", release)

		s.Eventually(func() bool { _, err := s.crd(); return apierrors.IsNotFound(err) }, "2m").Should(BeTrue())
	})
}

func TestAnUpgradeUpgradesTheCRDAndKeepsWebhooks(t *testing.T) {
	eachHelm(t, func(s *site) {
		s.helm("install", release, chartFolder())
		s.established()
		webhook := &v1alpha1.Chatt2Webhook{}
		webhook.Namespace, webhook.Name = s.namespace, "kept"
		webhook.Spec = v1alpha1.Chatt2WebhookSpec{
			Label: "Kept", Endpoint: "https://your-server.example/hook", EventType: "Message",
			APIKeySecretRef: v1alpha1.APIKeySecretReference{Name: "key"},
		}
		s.Eventually(func() error { return s.Create(s.Context(), webhook) }, "2m").Should(Succeed())

		s.helm("upgrade", release, chartFolder(), "--set", "crds.annotations.note=new")

		crd, err := s.crd()
		s.Expect(err).NotTo(HaveOccurred())
		s.Expect(crd.GetAnnotations()).To(HaveKeyWithValue("note", "new"))
		version := webhook.ResourceVersion
		s.helm("uninstall", release)
		s.Expect(s.Get(s.Context(), client.ObjectKeyFromObject(webhook), webhook)).To(Succeed())
		s.Expect(webhook.ResourceVersion).To(Equal(version), "the webhook is not touched")
	})
}

// TestWaitTellsThatTheOperatorDoesNotRun as there is no node for it.
func TestWaitTellsThatTheOperatorDoesNotRun(t *testing.T) {
	eachHelm(t, func(s *site) {
		_, complaints, err := s.try("install", release, chartFolder(), "--wait", "--timeout", "3s")
		s.Expect(err).To(HaveOccurred())
		s.Expect(complaints).To(SatisfyAny(ContainSubstring("Deployment"), ContainSubstring("deadline exceeded")))
	})
}
