package main

import (
	"os/exec"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// aggregateRoles runs the controller that puts roles together. It ends with the test.
func (s *site) aggregateRoles() {
	s.Helper()
	cmd := exec.Command(shared.Binary("kube-controller-manager"), "--kubeconfig="+s.kubeconfig,
		"--controllers=clusterrole-aggregation-controller", "--leader-elect=false", "--secure-port=0")
	s.Expect(cmd.Start()).To(Succeed())
	s.Cleanup(func() {
		_ = cmd.Process.Kill() // nothing depends on how it ends
		_ = cmd.Wait()
	})
}

// TestTheRolesOfANamespaceIncludeWebhooks looks at what users may do who have a role that every cluster has.
func TestTheRolesOfANamespaceIncludeWebhooks(t *testing.T) {
	needTools(t)
	s := newSite(t, "helm")
	s.helm("install", release, chartFolder())
	s.aggregateRoles()
	look, change := []string{"get", "list", "watch"}, []string{"create", "update", "patch", "delete", "deletecollection"}
	for role, may := range map[string]struct{ change bool }{"admin": {true}, "edit": {true}, "view": {false}} {
		t.Run(role, func(t *testing.T) {
			s := s.neighbour(t)
			user := role + "-of-" + s.namespace
			s.Expect(s.Create(s.Context(), &rbacv1.RoleBinding{
				ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: role},
				RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
				Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: user}},
			})).To(Succeed())
			for _, verb := range look {
				s.Eventually(s.may).WithArguments(user, verb, "").WithTimeout(2*time.Minute).Should(BeTrue(), verb)
			}
			for _, verb := range change {
				s.Expect(s.may(user, verb, "")).To(Equal(may.change), verb)
				s.Expect(s.may(user, verb, "status")).To(BeFalse(), "%s status", verb)
			}
			s.Expect(s.may(user, "get", "status")).To(BeTrue())
		})
	}
	s.helm("uninstall", release)
}

// may tells what a user may do with webhooks in the namespace.
func (s *site) may(user, verb, subresource string) (bool, error) {
	review := &authorizationv1.SubjectAccessReview{}
	review.Spec.User = user
	review.Spec.ResourceAttributes = &authorizationv1.ResourceAttributes{
		Namespace: s.namespace, Group: "hub.chatt2.me", Resource: "chatt2webhooks", Subresource: subresource, Verb: verb,
	}
	err := s.Create(s.Context(), review)
	return review.Status.Allowed, err
}
