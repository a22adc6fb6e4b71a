package main

import (
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestTheElectionCanBeTurnedOffAndOn in a release, whatever the API server has filled in before.
func TestTheElectionCanBeTurnedOffAndOn(t *testing.T) {
	eachHelm(t, func(s *site) {
		s.helm("install", release, chartFolder())
		s.Expect(s.strategy()).To(Equal(appsv1.RollingUpdateDeploymentStrategyType))

		for _, want := range []struct {
			elects   string
			strategy appsv1.DeploymentStrategyType
		}{
			{"false", appsv1.RecreateDeploymentStrategyType},
			{"true", appsv1.RollingUpdateDeploymentStrategyType},
			{"false", appsv1.RecreateDeploymentStrategyType},
		} {
			s.helm("upgrade", release, chartFolder(), "--set", "leaderElection.enabled="+want.elects)

			s.Expect(s.args()).To(ContainElement("--leader-elect=" + want.elects))
			s.Expect(s.strategy()).To(Equal(want.strategy))
		}
		s.helm("uninstall", release)
	})
}

// strategy is how the Deployment replaces Pods.
func (s *site) strategy() appsv1.DeploymentStrategyType {
	s.Helper()
	var deployment appsv1.Deployment
	s.Expect(s.Get(s.Context(), client.ObjectKey{Namespace: s.namespace, Name: release}, &deployment)).To(Succeed())
	return deployment.Spec.Strategy.Type
}
