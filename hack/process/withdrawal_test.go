package process_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// withdrawal is a right of the operator that is taken away while it lives, and what becomes of that.
type withdrawal struct {
	// right is what is taken away, such as "get secrets".
	right string
	// step is what goes wrong without it, and waits until that shows.
	step func(*world, *installation)
	// repaired waits until the step has succeeded, once the right is there again; nil when step says it all.
	repaired func(*world, *installation)
}

func TestEachRightIsTakenAwayOnce(t *testing.T) {
	w := newShard(t)
	tried := map[string]bool{}
	for _, all := range [][]withdrawal{atStart, inLife, inElection, inScraping} {
		for _, one := range all {
			tried[one.right] = true
		}
	}
	for r := range w.install().granted() {
		if !tried[r.String()] {
			t.Errorf("nobody has tried to live without the right to %s", r)
		}
		delete(tried, r.String())
	}
	for right := range tried {
		t.Errorf("the operator has no right to %s", right)
	}
}

// without takes each right away in its turn, and gives it back.
func (w *world) without(i *installation, all []withdrawal) {
	w.Helper()
	w.refused = true
	for _, one := range all {
		w.Logf("without the right to %s", one.right)
		w.setRight(i, one.right, false)
		one.step(w, i)
		w.setRight(i, one.right, true)
		if one.repaired != nil {
			one.repaired(w, i)
		}
	}
}

// setRight takes a right away from every role of an installation, or gives it back.
func (w *world) setRight(i *installation, name string, allowed bool) {
	w.Helper()
	var asked []authorizationv1.ResourceAttributes
	for _, object := range i.objects {
		switch role := object.DeepCopyObject().(type) {
		case *rbacv1.Role:
			asked = append(asked, w.setRules(role, &role.Rules, name, allowed)...)
		case *rbacv1.ClusterRole:
			asked = append(asked, w.setRules(role, &role.Rules, name, allowed)...)
		}
	}
	if len(asked) == 0 {
		w.Fatalf("no role has the right to %s", name)
	}
	for n := range asked {
		w.Eventually(func() (bool, error) {
			review := &authorizationv1.SubjectAccessReview{}
			review.Spec.User, review.Spec.ResourceAttributes = i.user(), &asked[n]
			err := w.Client.Create(w.Context(), review)
			return review.Status.Allowed, err
		}).Should(Equal(allowed), "the right to %s", name)
	}
}

// setRules writes a role with all its rules, or with all but one right, and gives what to ask the API server for to see
// whether it has taken note.
func (w *world) setRules(
	role client.Object, rules *[]rbacv1.PolicyRule, name string, allowed bool,
) []authorizationv1.ResourceAttributes {
	w.Helper()
	var asked []authorizationv1.ResourceAttributes
	var left []rbacv1.PolicyRule
	for _, rule := range *rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				verbs := slices.Clone(rule.Verbs)
				for _, verb := range rule.Verbs {
					r := right{APIGroup: group, Verb: verb}
					r.Resource, r.Subresource, _ = strings.Cut(resource, "/")
					if r.String() != name {
						continue
					}
					asked = append(asked, authorizationv1.ResourceAttributes{
						Namespace: role.GetNamespace(), Verb: verb, Group: group, Resource: r.Resource, Subresource: r.Subresource,
					})
					if !allowed {
						verbs = without(verbs, verb)
					}
				}
				if len(verbs) > 0 {
					left = append(left, rbacv1.PolicyRule{APIGroups: []string{group}, Resources: []string{resource}, Verbs: verbs})
				}
			}
		}
	}
	if len(asked) > 0 {
		*rules = left
		role.SetResourceVersion("")
		w.must(w.Update(w.Context(), role))
	}
	return asked
}

// wasRefused waits until the API server has refused the operator what it asked for by a right.
func (w *world) wasRefused(i *installation, name string) {
	w.Helper()
	w.Eventually(func() bool {
		text, err := os.ReadFile(w.auditLog)
		w.must(err)
		for line := range strings.Lines(string(text)) {
			if !strings.Contains(line, i.user()) || !strings.Contains(line, `"code":403`) || !strings.HasSuffix(line, "\n") {
				continue
			}
			var a asked
			w.must(json.Unmarshal([]byte(line), &a))
			if a.Object.Verb = a.Verb; a.Object.String() == name {
				return true
			}
		}
		return false
	}).WithPolling(250*time.Millisecond).Should(BeTrue(), "nobody was refused to %s: %s", name, w.logs())
}
