package main

import (
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// earlierChart is the chart that clusters may have; with each release it becomes that of the release before.
var earlierChart = filepath.Join("testdata", "earlier-chart.tgz")

// TestTheChartOfTheReleaseBeforeIsUpgraded as the README says, with what its users have set, and back.
func TestTheChartOfTheReleaseBeforeIsUpgraded(t *testing.T) {
	eachHelm(t, func(s *site) {
		s.stubs("monitoring.coreos.com", "ServiceMonitor", "PrometheusRule")
		s.helm("install", release, earlierChart, "--set", "simulator.enabled=true,networkPolicy.enabled=true,replicas=2",
			"--set", "metrics.serviceMonitor.enabled=true,metrics.prometheusRule.enabled=true,hub.pollInterval=2m")
		s.established()
		webhook := s.stored("kept", "Kept")
		s.Eventually(func() error { return s.Create(s.Context(), webhook.DeepCopy()) }, "2m").Should(Succeed())
		secrets, before := s.secrets(), s.read(webhook)

		s.helm("upgrade", release, chartFolder(), "--reset-then-reuse-values")

		s.Expect(s.args()).To(ContainElement("--hub-poll-interval=2m"))
		s.Expect(s.chartOfTheCRD()).To(Equal(release + "-" + version(t)))
		s.Expect(s.secrets()).To(Equal(secrets), "certificates and the API key are kept")
		s.Expect(s.read(webhook).Object["spec"]).To(Equal(before.Object["spec"]))

		s.helm("rollback", release, "1")

		s.Expect(s.chartOfTheCRD()).NotTo(Equal(release + "-" + version(t)))
		s.helm("upgrade", release, chartFolder(), "--reset-then-reuse-values")
		s.helm("uninstall", release)
		s.Eventually(s.left, "2m").Should(BeEmpty())
	})
}

// chartOfTheCRD is the chart that the installed CRD is from.
func (s *site) chartOfTheCRD() string {
	s.Helper()
	crd, err := s.crd()
	s.Expect(err).NotTo(HaveOccurred())
	from, _, err := unstructured.NestedString(crd.Object, "metadata", "labels", "helm.sh/chart")
	s.Expect(err).NotTo(HaveOccurred())
	return from
}
