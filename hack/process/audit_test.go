package process_test

import (
	"encoding/json"
	"os"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// asked is what the audit log tells of a request.
type asked struct {
	Verb   string             `json:"verb"`
	URI    string             `json:"requestURI"`
	Status struct{ Code int } `json:"responseStatus"`
	Object struct {
		right
		Name, Namespace string
	} `json:"objectRef"`
}

// right is what a rule allows one to do, in any namespace.
type right struct {
	APIGroup, Resource, Subresource string
	Verb                            string `json:"-"`
}

// String is as kubectl writes it.
func (r right) String() string {
	s := r.Verb + " " + r.Resource
	if r.APIGroup != "" {
		s += "." + r.APIGroup
	}
	if r.Subresource != "" {
		s += "/" + r.Subresource
	}
	return s
}

// auditLines are what the audit log tells of a user so far.
func (w *world) auditLines(user string) []string {
	w.Helper()
	text, err := os.ReadFile(w.auditLog)
	w.must(err)
	var lines []string
	for line := range strings.Lines(string(text)) {
		// The last line may not be whole yet.
		if strings.Contains(line, `"username":"`+user+`"`) && strings.HasSuffix(line, "\n") {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		w.Fatalf("the audit log tells nothing of %s", user)
	}
	return lines
}

// audited are the requests of a user so far.
func (w *world) audited(user string) []asked {
	w.Helper()
	var all []asked
	for _, line := range w.auditLines(user) {
		var a asked
		w.must(json.Unmarshal([]byte(line), &a))
		a.Object.Verb = a.Verb
		all = append(all, a)
	}
	return all
}

// used are the rights that requests took.
func used(requests []asked) map[right]bool {
	rights := map[right]bool{}
	for i := range requests {
		rights[requests[i].Object.right] = true
	}
	return rights
}

// granted are the rights that bindings to the operator's ServiceAccount give.
func (i *installation) granted() map[right]bool {
	rights := map[right]bool{}
	for _, object := range i.objects {
		for _, rule := range i.rules(object.GetNamespace(), roleOf(object)) {
			for _, group := range rule.APIGroups {
				for _, name := range rule.Resources {
					resource, subresource, _ := strings.Cut(name, "/")
					for _, verb := range rule.Verbs {
						rights[right{APIGroup: group, Resource: resource, Subresource: subresource, Verb: verb}] = true
					}
				}
			}
		}
	}
	return rights
}

// roleOf is the role that a binding binds, empty for anything else.
func roleOf(object client.Object) string {
	switch binding := object.(type) {
	case *rbacv1.RoleBinding:
		return binding.RoleRef.Name
	case *rbacv1.ClusterRoleBinding:
		return binding.RoleRef.Name
	}
	return ""
}
