package main

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// right is the least that a rule can give.
type right struct{ role, group, resource, verb string }

// String is as kubectl writes it, with the end of the role's name.
func (r right) String() string {
	resource, subresource, _ := strings.Cut(r.resource, "/")
	text := r.verb + " " + resource
	if r.group != "" {
		text += "." + r.group
	}
	if subresource != "" {
		text += "/" + subresource
	}
	return text + " of " + r.role
}

// rights are what the chart makes for its operator, with nothing else: ServiceAccount, roles and bindings.
type rights struct {
	objects objects
	flags   []string
}

// In what is rendered, to be replaced by what a test has.
const theirs = "chatt2-theirs"

// rightsOf renders the rights of a release with some values.
func rightsOf(t *testing.T, set string) rights {
	t.Helper()
	rendered := render(t, "--set", "crds.enabled=false,rbac.aggregate=false,metrics.readers[0].name=scraper,"+
		"metrics.readers[0].namespace="+namespace+","+set)
	var r rights
	for _, kind := range []string{"ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"} {
		r.objects = append(r.objects, rendered.kind(kind)...)
	}
	var deployment appsv1.Deployment
	rendered.get(t, "Deployment", release, &deployment)
	r.flags = deployment.Spec.Template.Spec.Containers[0].Args
	return r
}

// all are the single rights, but for that of the one who scrapes.
func (r rights) all(t *testing.T) []right {
	t.Helper()
	var all []right
	for _, object := range r.objects {
		if rules := rulesOf(t, object); !strings.HasSuffix(object.GetName(), "metrics-reader") {
			for _, rule := range single(rules) {
				all = append(all, right{suffix(object), rule.APIGroups[0], rule.Resources[0], rule.Verbs[0]})
			}
		}
	}
	return all
}

// suffix is the end of a role's name, which tells what it is for.
func suffix(object *unstructured.Unstructured) string {
	name := object.GetName()
	return name[strings.LastIndexByte(name, ':')+1:]
}

func rulesOf(t *testing.T, object *unstructured.Unstructured) []rbacv1.PolicyRule {
	t.Helper()
	if !strings.HasSuffix(object.GetKind(), "Role") {
		return nil
	}
	var role rbacv1.ClusterRole
	object = object.DeepCopy()
	object.SetKind("ClusterRole") // a Role has the same fields
	convert(t, object, &role)
	return role.Rules
}

// single takes rules apart into rules of one right.
func single(rules []rbacv1.PolicyRule) []rbacv1.PolicyRule {
	var all []rbacv1.PolicyRule
	for _, rule := range rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					all = append(all, rbacv1.PolicyRule{
						APIGroups: []string{group}, Resources: []string{resource}, Verbs: []string{verb},
					})
				}
			}
		}
	}
	return all
}

// without is the same without one right.
func (r rights) without(t *testing.T, taken right) rights {
	t.Helper()
	less := rights{flags: r.flags}
	for _, object := range r.objects {
		object = object.DeepCopy()
		if suffix(object) == taken.role && strings.HasSuffix(object.GetKind(), "Role") {
			rules := slices.DeleteFunc(single(rulesOf(t, object)), func(rule rbacv1.PolicyRule) bool {
				return right{taken.role, rule.APIGroups[0], rule.Resources[0], rule.Verbs[0]} == taken
			})
			role, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&rbacv1.ClusterRole{Rules: rules})
			if err != nil {
				t.Fatal(err)
			}
			object.Object["rules"] = role["rules"]
		}
		less.objects = append(less.objects, object)
	}
	return less
}
