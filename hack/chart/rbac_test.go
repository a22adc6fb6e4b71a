package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

// configRules are the rules of a role of config/rbac, in order.
func configRules(t *testing.T, file string) []rbacv1.PolicyRule {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "config", "rbac", file+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var role rbacv1.ClusterRole
	if err := yaml.Unmarshal(content, &role); err != nil || len(role.Rules) == 0 {
		t.Fatalf("%s: %v", file, err)
	}
	return inOrder(role.Rules)
}

// inOrder puts rules into an order that means nothing.
func inOrder(rules []rbacv1.PolicyRule) []rbacv1.PolicyRule {
	key := func(r rbacv1.PolicyRule) string {
		return strings.Join(append(slices.Clone(r.APIGroups), r.Resources...), "/")
	}
	for i := range rules {
		slices.Sort(rules[i].Verbs)
	}
	slices.SortFunc(rules, func(a, b rbacv1.PolicyRule) int { return strings.Compare(key(a), key(b)) })
	return rules
}

func clusterRules(t *testing.T, rendered objects, suffix string) []rbacv1.PolicyRule {
	t.Helper()
	var role rbacv1.ClusterRole
	rendered.get(t, "ClusterRole", namespace+":"+release+":"+suffix, &role)
	return inOrder(role.Rules)
}

func same(t *testing.T, what string, want, got []rbacv1.PolicyRule) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: config (-) and the chart (+) differ:\n%s", what, diff)
	}
}

func TestTheRolesAreThoseOfConfig(t *testing.T) {
	rendered := render(t)
	for suffix, file := range map[string]string{
		"manager": "role", "metrics-auth": "metrics_auth_role", "metrics-reader": "metrics_reader_role",
		"admin": "chatt2webhook_admin_role", "edit": "chatt2webhook_editor_role", "view": "chatt2webhook_viewer_role",
	} {
		same(t, suffix, configRules(t, file), clusterRules(t, rendered, suffix))
	}
	var leases rbacv1.Role
	rendered.get(t, "Role", namespace+":"+release+":leader-election", &leases)
	same(t, "leader election", configRules(t, "leader_election_role"), inOrder(leases.Rules))
	if n := len(rendered.kind("ClusterRole")) + len(rendered.kind("Role")); n != 7 {
		t.Errorf("there are %d roles, want the 7 of config", n)
	}
}

// withoutListing takes away what --watch-secrets=false does without.
func withoutListing(rules []rbacv1.PolicyRule) []rbacv1.PolicyRule {
	for i := range rules {
		if rules[i].Resources[0] == "secrets" {
			rules[i].Verbs = slices.DeleteFunc(rules[i].Verbs, func(verb string) bool {
				return verb == "list" || verb == "watch" || verb == "patch"
			})
		}
	}
	return rules
}

func TestWithoutTheWatchTheOperatorMayNotListSecrets(t *testing.T) {
	rendered := render(t, "--set", "secrets.watch=false")
	same(t, "manager", withoutListing(configRules(t, "role")), clusterRules(t, rendered, "manager"))
}

func TestInSomeNamespacesTheOperatorHasNoRightElsewhere(t *testing.T) {
	rendered := render(t, "--values", ciFile("namespaced"), "--set", "namespaces={one,two}", "--set", "secrets.watch=true")
	for _, kind := range []string{"ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition"} {
		if n := len(rendered.kind(kind)); n > 0 {
			t.Errorf("there are %d objects of kind %s", n, kind)
		}
	}
	var in []string
	for _, object := range rendered.kind("Role") {
		if object.GetName() != namespace+":"+release+":manager" {
			continue
		}
		var role rbacv1.Role
		convert(t, object, &role)
		in = append(in, role.Namespace)
		same(t, role.Namespace, configRules(t, "role"), inOrder(role.Rules))
	}
	if diff := cmp.Diff([]string{"one", "two"}, in); diff != "" {
		t.Errorf("the namespaces with a role differ:\n%s", diff)
	}
}

// TestEachRoleIsBoundToTheOperator but for those that are for others.
func TestEachRoleIsBoundToTheOperator(t *testing.T) {
	forOthers := []string{"metrics-reader", "admin", "edit", "view"}
	for _, values := range ciValues(t) {
		t.Run(filepath.Base(values), func(t *testing.T) {
			rendered := render(t, "--values", values)
			bound := bindings(t, rendered)
			for _, object := range append(rendered.kind("Role"), rendered.kind("ClusterRole")...) {
				name := object.GetName()
				if slices.Contains(forOthers, name[strings.LastIndexByte(name, ':')+1:]) {
					continue
				}
				if key := object.GetKind() + "/" + object.GetNamespace() + "/" + name; !bound[key] {
					t.Errorf("%s is not bound; bound are %v", key, bound)
				}
			}
		})
	}
}

// bindings are the roles that are bound to the ServiceAccount of the Deployment.
func bindings(t *testing.T, rendered objects) map[string]bool {
	t.Helper()
	accounts := rendered.kind("ServiceAccount")
	if len(accounts) != 1 {
		t.Fatalf("there are %d ServiceAccounts", len(accounts))
	}
	operator := rbacv1.Subject{Kind: "ServiceAccount", Name: accounts[0].GetName(), Namespace: namespace}
	bound := map[string]bool{}
	for _, object := range rendered.kind("ClusterRoleBinding") {
		var binding rbacv1.ClusterRoleBinding
		convert(t, object, &binding)
		bound[binding.RoleRef.Kind+"//"+binding.RoleRef.Name] = slices.Equal(binding.Subjects, []rbacv1.Subject{operator})
	}
	for _, object := range rendered.kind("RoleBinding") {
		var binding rbacv1.RoleBinding
		convert(t, object, &binding)
		if binding.Namespace == "" {
			t.Errorf("RoleBinding %s has no namespace", binding.Name)
		}
		key := binding.RoleRef.Kind + "/" + binding.Namespace + "/" + binding.RoleRef.Name
		bound[key] = slices.Equal(binding.Subjects, []rbacv1.Subject{operator})
	}
	return bound
}
