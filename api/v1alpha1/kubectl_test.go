package v1alpha1_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/cluster"
)

const webhookID = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"

// verified is a namespace with one webhook that is all that it should be.
func verified(t *testing.T) string {
	t.Helper()
	c := typedClient(t)
	namespace := cluster.Namespace(t, c)
	u := manifest(t, "")
	u.SetNamespace(namespace)
	if err := c.Create(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	w := &v1alpha1.Chatt2Webhook{}
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(u), w); err != nil {
		t.Fatal(err)
	}
	hourAgo := metav1.NewTime(time.Now().Add(-time.Hour))
	w.Status = v1alpha1.Chatt2WebhookStatus{
		ObservedGeneration: 1, WebhookID: webhookID, IsVerified: true, NumberOfErrors: 3,
		SigningSecret: &v1alpha1.SigningSecretStatus{RotatedAt: &hourAgo},
		Conditions: []metav1.Condition{{
			Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady,
			Message: "All is well", LastTransitionTime: hourAgo, ObservedGeneration: 1,
		}},
	}
	if err := c.Status().Update(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	return namespace
}

// kubectl runs the command as a user would, who sees standard error too.
func kubectl(t *testing.T, args ...string) (string, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, shared.Kubeconfig(), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), shared.Binary("kubectl"), append([]string{"--kubeconfig", file}, args...)...)
	out, err := command.CombinedOutput()
	return string(out), err
}

func mustKubectl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := kubectl(t, args...)
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// cells splits a table of kubectl at its columns.
func cells(table string) [][]string {
	var rows [][]string
	for line := range strings.Lines(table) {
		rows = append(rows, regexp.MustCompile(` {2,}`).Split(strings.TrimSpace(line), -1))
	}
	return rows
}

func TestKubectlGetPrintsTheTable(t *testing.T) {
	namespace := verified(t)

	got := cells(mustKubectl(t, "-n", namespace, "get", "c2w"))

	const endpoint = "https://your-server.example/webhooks/chatt2me"
	if len(got) != 2 || len(got[1]) != 7 {
		t.Fatalf("want a heading and one row of seven cells, got %q", got)
	}
	got[1][6] = "age"
	want := [][]string{
		{"NAME", "READY", "VERIFIED", "EVENT", "ENDPOINT", "REASON", "AGE"},
		{"received-messages", "True", "true", "Message", endpoint, "Ready", "age"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestKubectlGetWidePrintsMore(t *testing.T) {
	namespace := verified(t)

	got := cells(mustKubectl(t, "-n", namespace, "get", "c2w", "-o", "wide"))

	if len(got) != 2 || len(got[1]) != 12 {
		t.Fatalf("want a heading and one row of twelve cells, got %q", got)
	}
	want := [][]string{
		{"LABEL", "WEBHOOK-ID", "ERRORS", "ROTATED", "MESSAGE"},
		{"ReceivedMessages", webhookID, "3", "60m", "All is well"},
	}
	if diff := cmp.Diff(want, [][]string{got[0][7:], got[1][7:]}); diff != "" {
		t.Errorf("the wide columns (-want +got):\n%s", diff)
	}
}

func TestKubectlGetTellsThatNobodyHasLookedYet(t *testing.T) {
	c := adminClient(t)
	u := manifest(t, "")
	u.SetNamespace(cluster.Namespace(t, c))
	if err := c.Create(t.Context(), u); err != nil {
		t.Fatal(err)
	}

	got := cells(mustKubectl(t, "-n", u.GetNamespace(), "get", "c2w", "--no-headers"))

	if len(got) != 1 || got[0][1] != "Unknown" || got[0][2] != "false" || got[0][5] != "Pending" {
		t.Errorf("want Unknown, false and Pending, got %q", got)
	}
}

func TestEveryNameOfTheKindIsKnown(t *testing.T) {
	namespace := verified(t)
	for _, name := range []string{"c2w", "chatt2webhook", "chatt2webhooks", "chatt2webhooks.hub.chatt2.me", "chatt2"} {
		t.Run(name, func(t *testing.T) {
			want := "chatt2webhook.hub.chatt2.me/received-messages\n"
			if got := mustKubectl(t, "-n", namespace, "get", name, "-o", "name"); got != want {
				t.Errorf("want %q, got %q", want, got)
			}
		})
	}
}

func TestAFieldSelectorFindsAWebhook(t *testing.T) {
	namespace := verified(t)
	for field, value := range map[string]string{
		"spec.eventType":   "Message",
		"spec.endpoint":    "https://your-server.example/webhooks/chatt2me",
		"status.webhookID": webhookID,
	} {
		t.Run(field, func(t *testing.T) {
			found := mustKubectl(t, "-n", namespace, "get", "c2w", "-o", "name", "--field-selector", field+"="+value)
			if found == "" {
				t.Error("found nothing")
			}
			if other := mustKubectl(t, "-n", namespace, "get", "c2w", "-o", "name", "--field-selector", field+"=x"); other != "" {
				t.Errorf("another value finds it too: %q", other)
			}
		})
	}
}

func TestKubectlApplySaysWhatToWriteInstead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "webhook.yaml")
	text := fmt.Sprintf("apiVersion: hub.chatt2.me/v1alpha1\nkind: Chatt2Webhook\nmetadata: {name: x}\nspec: {%s}\n",
		"label: x, endpoint: 'http://a.example', eventType: Message, apiKeySecretRef: {name: a}")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}

	out, err := kubectl(t, "apply", "--dry-run=server", "-f", file)

	want := `The Chatt2Webhook "x" is invalid: spec.endpoint: Invalid value: "http://a.example": ` + httpsURL + "\n"
	if err == nil || out != want {
		t.Errorf("want\n%s\ngot (%v)\n%s", want, err, out)
	}
}
