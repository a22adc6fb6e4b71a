package gitops_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// reasons are the reasons of a block of constants, which begins with a comment.
func reasons(t *testing.T, begins string) []string {
	t.Helper()
	path := filepath.Join("..", "..", "api", "v1alpha1", "conditions.go")
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, declaration := range file.Decls {
		block, ok := declaration.(*ast.GenDecl)
		if !ok || !strings.HasPrefix(block.Doc.Text(), begins) {
			continue
		}
		ast.Inspect(block, func(node ast.Node) bool {
			if literal, ok := node.(*ast.BasicLit); ok {
				value, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				found = append(found, value)
			}
			return true
		})
	}
	if len(found) == 0 {
		t.Fatalf("no block of constants begins with %q", begins)
	}
	return found
}

// TestEveryReasonHasItsHealth writes the status by hand that the operator would write for each reason: states.go has
// those that it can be brought to quickly.
func TestEveryReasonHasItsHealth(t *testing.T) {
	for _, group := range []struct {
		begins, condition, health, flux string
	}{
		{"Reasons that pass by themselves", v1alpha1.ConditionReconciling, progressing, "InProgress"},
		{"Reasons that last until somebody acts", v1alpha1.ConditionStalled, degraded, "Failed"},
	} {
		for _, reason := range reasons(t, group.begins) {
			t.Run(reason, func(t *testing.T) {
				w := newWorld(t)
				for _, ready := range []metav1.ConditionStatus{metav1.ConditionFalse, metav1.ConditionUnknown} {
					w.showsHealth(w.told(reason, ready, group.condition), state{health: group.health, flux: group.flux})
				}
			})
		}
	}
}

// TestAReadyResourceIsNotHealthyWhileItIsChanged holds the script to the order of kstatus.
func TestAReadyResourceIsNotHealthyWhileItIsChanged(t *testing.T) {
	w := newWorld(t)
	c := w.told(v1alpha1.ReasonUpdating, metav1.ConditionTrue, v1alpha1.ConditionReconciling)
	w.showsHealth(c, state{health: progressing, flux: "InProgress"})
}

// told makes a resource whose status says why it is not ready.
func (w *world) told(reason string, ready metav1.ConditionStatus, more string) *v1alpha1.Chatt2Webhook {
	w.Helper()
	c := w.webhook("received-messages-" + strings.ToLower(string(ready)))
	before := c.DeepCopy()
	c.Status.ObservedGeneration = c.Generation
	c.Status.Conditions = nil
	for kind, status := range map[string]metav1.ConditionStatus{
		v1alpha1.ConditionReady: ready, more: metav1.ConditionTrue,
	} {
		c.Status.Conditions = append(c.Status.Conditions, metav1.Condition{
			Type: kind, Status: status, Reason: reason, Message: fmt.Sprintf("this is %s", reason),
			ObservedGeneration: c.Generation, LastTransitionTime: metav1.Now(),
		})
	}
	w.Expect(w.Client.Status().Patch(w.Context(), c, client.MergeFrom(before))).To(Succeed())
	return c
}

// showsHealth asserts what Argo CD, Flux and kstatus make of a resource.
func (w *world) showsHealth(c *v1alpha1.Chatt2Webhook, want state) {
	w.Helper()
	object := w.live(c)
	for _, with := range []libraries{open, closed} {
		if diff := cmp.Diff(want.wanted(object), builtIn(w.T).assess(w.T, with, object)); diff != "" {
			w.Errorf("health with %s libraries: want (-), got (+)\n%s", with, diff)
		}
	}
	if got := fluxStatus(w.T, object); got != want.flux {
		w.Errorf("Flux: want %s, got %s", want.flux, got)
	}
	if got := kstatusOf(w.T, object); got != want.flux {
		w.Errorf("kstatus: want %s, got %s", want.flux, got)
	}
}
