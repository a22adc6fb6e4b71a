package process_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator/simulatortest"
)

var update = flag.Bool("update", false, "write into README.md what kubectl says")

// readme is the page, session what is typed on it, with what is said, manifest what is applied.
const readme = "../../README.md"

var (
	session  = regexp.MustCompile(`(?m)(^    \$ kubectl .*\n)((?:^    [^$\n].*\n|^ *\n    [^$\n].*\n)*)`)
	manifest = regexp.MustCompile("(?s)`webhook.yaml`.*?```yaml\n(.*?)```")
)

// changing is what is another time another one: ids, times and ages, and how wide columns are.
var changing = regexp.MustCompile(
	`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:]+Z|\b[0-9a-f]{12,64}\b|\b\d{10}\b|\b\d+m?s\b|[ \t]+`)

// answering is an endpoint that answers from some time on.
type answering struct{ up atomic.Bool }

// Post passes the handshake.
func (a *answering) Post(_ context.Context, call simulator.EndpointCall) (simulator.EndpointAnswer, error) {
	if !a.up.Load() {
		return simulator.EndpointAnswer{}, errors.New("nobody listens")
	}
	token := call.Header.Get("X-Validation-Token")
	return simulator.EndpointAnswer{StatusCode: http.StatusOK, ContentType: "text/plain", Body: []byte(token)}, nil
}

// TestKubectlSaysWhatTheREADMEShows types what the README types.
func TestKubectlSaysWhatTheREADMEShows(t *testing.T) {
	w := newWorld(t)
	endpoint, key := &answering{}, w.canary()
	w.hub = simulatortest.Start(t, simulator.Options{CoreOptions: simulator.CoreOptions{Endpoint: endpoint}})
	w.app = w.hub.AddApplication("main", key)
	w.start(w.install(), "--namespaces="+w.namespace)
	page, err := os.ReadFile(readme)
	w.must(err)
	folder := w.TempDir()
	yaml := bytes.ReplaceAll(manifest.FindSubmatch(page)[1], []byte("replace-me"), []byte(key))
	w.must(os.WriteFile(filepath.Join(folder, "webhook.yaml"), yaml, 0o600))
	config := w.kubeconfig(shared.Config)
	w.shell(folder, config, "kubectl config set-context --current --namespace="+w.namespace)

	resource := &v1alpha1.Chatt2Webhook{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "received-messages"}}
	before := map[string]func(){
		"kubectl get c2w": func() {
			w.Eventually(func() string { return w.get(resource).Status.WebhookID }).ShouldNot(BeEmpty())
		},
		"kubectl annotate": func() { endpoint.up.Store(true) },
		"kubectl describe": func() {
			w.Eventually(func() []string { return w.events(resource) }).Should(ContainElement(v1alpha1.ReasonVerified))
		},
	}
	said := session.ReplaceAllFunc(page, func(block []byte) []byte {
		typed, shown, _ := strings.Cut(string(block), "\n")
		command := strings.TrimPrefix(typed, "    $ ")
		for prefix, wait := range before {
			if strings.HasPrefix(command, prefix) {
				wait()
			}
		}
		got := w.shell(folder, config, command)
		if changing.ReplaceAllString(shown, " ") != changing.ReplaceAllString(got, " ") && !*update {
			t.Errorf("$ %s\n%s\nand in README.md\n%s", command, got, shown)
		}
		return []byte(typed + "\n" + got)
	})
	if *update {
		w.must(os.WriteFile(readme, said, 0o600))
	}
	// An operator of another test, one that sees the whole cluster, would find it.
	w.must(w.Delete(w.Context(), resource))
	w.gone(resource)
	w.Eventually(func() []string { return w.read(w.namespace, "chatt2-api-key").Finalizers }).Should(BeEmpty())
}

// shell runs one line of a shell and gives what it says, as a block of Markdown. That a line fails is part of the
// story.
func (w *world) shell(folder, config, line string) string {
	w.Helper()
	cmd := exec.CommandContext(w.Context(), "sh", "-c", line)
	cmd.Dir = folder
	cmd.Env = slices.Concat(environment(folder), []string{
		"KUBECONFIG=" + config, "PATH=" + filepath.Dir(shared.Binary("kubectl")) + ":" + os.Getenv("PATH"),
	})
	out, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() != 1) {
		w.Fatalf("%s: %v\n%s", line, err, out)
	}
	var block strings.Builder
	for text := range strings.Lines(string(out)) {
		block.WriteString(cmp.Or(strings.TrimRight("    "+text, " \n"), "") + "\n")
	}
	return block.String()
}
