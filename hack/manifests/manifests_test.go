// Package manifests tests what config holds, on a real API server and as users apply it.
package manifests

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/hack/cluster"
)

var shared *cluster.Cluster

func TestMain(m *testing.M) {
	os.Exit(cluster.Main(m, cluster.Options{}, func(c *cluster.Cluster) { shared = c }))
}

func adminClient(t *testing.T) client.Client {
	t.Helper()
	c, err := client.New(shared.Config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// kubectl runs a command that must succeed, and returns what it prints on standard output and standard error.
func kubectl(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, shared.Kubeconfig(), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, complaints strings.Builder
	cmd := exec.CommandContext(t.Context(), shared.Binary("kubectl"), append([]string{"--kubeconfig", file}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, complaints.String())
	}
	return out.String(), complaints.String()
}

func config(folder string) string { return filepath.Join("..", "..", "config", folder) }

func TestTheSamplesAreAccepted(t *testing.T) {
	namespace := cluster.Namespace(t, adminClient(t))

	out, warnings := kubectl(t, "-n", namespace, "apply", "--dry-run=server", "-k", config("samples"))

	for _, name := range []string{"received-messages", "message-status", "adopted", "retained"} {
		if want := "chatt2webhook.hub.chatt2.me/" + name + " created (server dry run)"; !strings.Contains(out, want) {
			t.Errorf("want %q in\n%s", want, out)
		}
	}
	if warnings != "" {
		t.Errorf("the API server warns: %s", warnings)
	}
}

func TestTheSampleFilesAreAllInTheKustomization(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(config("samples"), "[0-9]*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("found %v, %v", files, err)
	}
	list, err := os.ReadFile(filepath.Join(config("samples"), "kustomization.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !strings.Contains(string(list), "- "+filepath.Base(file)+"\n") {
			t.Errorf("%s is not listed", file)
		}
	}
}

// TestTheOperatorIsInstalled applies what `make deploy` does.
func TestTheOperatorIsInstalled(t *testing.T) {
	out, warnings := kubectl(t, "apply", "--server-side", "--force-conflicts", "-k", config("default"))

	for _, want := range []string{
		"customresourcedefinition.apiextensions.k8s.io/chatt2webhooks.hub.chatt2.me serverside-applied",
		"deployment.apps/chatt2-webhook-operator-controller-manager serverside-applied",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("want %q in\n%s", want, out)
		}
	}
	if warnings != "" {
		t.Errorf("the API server warns, of Pod security perhaps: %s", warnings)
	}
	t.Run("and its role is enough and no more", theRoleIsEnough)
	t.Run("and users get their roles", usersGetRoles)
}

func theRoleIsEnough(t *testing.T) {
	const own = "chatt2-webhook-operator-system"
	const hub, coordination = "hub.chatt2.me", "coordination.k8s.io"
	for _, question := range []struct {
		verb, group, resource, subresource, namespace string
		want                                          bool
	}{
		{"watch", hub, "chatt2webhooks", "", "", true},
		{"patch", hub, "chatt2webhooks", "status", "default", true},
		{"update", hub, "chatt2webhooks", "finalizers", "default", true},
		{"create", "", "secrets", "", "default", true},
		{"get", "", "configmaps", "", "default", true},
		{"create", "events.k8s.io", "events", "", "default", true},
		{"create", "authentication.k8s.io", "tokenreviews", "", "", true},
		{"update", coordination, "leases", "", own, true},
		{"update", coordination, "leases", "", "default", false},
		{"delete", hub, "chatt2webhooks", "", "default", false},
		{"update", hub, "chatt2webhooks", "", "default", false},
		{"deletecollection", "", "secrets", "", "default", false},
		{"update", "", "configmaps", "", "default", false},
		{"create", "", "pods", "", "default", false},
		{"create", "rbac.authorization.k8s.io", "clusterrolebindings", "", "", false},
	} {
		review := &authorizationv1.SubjectAccessReview{}
		review.Spec.User = "system:serviceaccount:" + own + ":chatt2-webhook-operator-controller-manager"
		review.Spec.ResourceAttributes = &authorizationv1.ResourceAttributes{
			Verb: question.verb, Group: question.group, Resource: question.resource,
			Subresource: question.subresource, Namespace: question.namespace,
		}
		if err := adminClient(t).Create(t.Context(), review); err != nil {
			t.Fatal(err)
		}
		if review.Status.Allowed != question.want {
			t.Errorf("may the operator %s %s %s/%s in namespace %q? want %t", question.verb, question.group,
				question.resource, question.subresource, question.namespace, question.want)
		}
	}
}

// usersGetRoles looks at the labels: it takes the controller manager to act on them.
func usersGetRoles(t *testing.T) {
	for suffix, role := range map[string]string{"admin": "admin", "editor": "edit", "viewer": "view"} {
		out, _ := kubectl(t, "get", "clusterrole", "chatt2-webhook-operator-chatt2webhook-"+suffix+"-role",
			"-o", `jsonpath={.metadata.labels.rbac\.authorization\.k8s\.io/aggregate-to-`+role+`}`)
		if out != "true" {
			t.Errorf("the role for %s is not added to %s: %q", suffix, role, out)
		}
	}
}
