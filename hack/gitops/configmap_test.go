package gitops_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// TestTheConfigMapHasTheSameScripts adds the snippet as its first lines say, to a ConfigMap with something in it.
func TestTheConfigMapHasTheSameScripts(t *testing.T) {
	w := newWorld(t)
	w.Expect(w.Create(w.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "argocd-cm", Labels: map[string]string{"kept": "yes"}},
		Data:       map[string]string{"url": "https://argocd.example"},
	})).To(Succeed())

	w.kubectl("-n", w.namespace, "patch", "configmap", "argocd-cm", "--patch-file", config("argocd", "argocd-cm.yaml"))

	cm := &corev1.ConfigMap{}
	w.Expect(w.Get(w.Context(), client.ObjectKey{Namespace: w.namespace, Name: "argocd-cm"}, cm)).To(Succeed())
	w.Expect(cm.Data).To(HaveLen(3))
	w.Expect(cm.Data).To(HaveKeyWithValue("url", "https://argocd.example"))
	w.Expect(cm.Labels).To(HaveKeyWithValue("kept", "yes"))
	allowed := cmp.AllowUnexported(scripts{})
	if diff := cmp.Diff(builtIn(t), pasted(t, cm.Data), allowed); diff != "" {
		t.Errorf("resource_customizations (-) and argocd-cm (+) differ:\n%s", diff)
	}
}

// kubectl runs a command that must succeed.
func (w *world) kubectl(args ...string) {
	w.Helper()
	out, err := w.tryKubectl(args...)
	w.Expect(err).NotTo(HaveOccurred(), "kubectl %v: %s", args, out)
}

// tryKubectl runs a command, and returns what it prints.
func (w *world) tryKubectl(args ...string) (string, error) {
	w.Helper()
	file := filepath.Join(w.TempDir(), "kubeconfig")
	w.Expect(os.WriteFile(file, shared.Kubeconfig(), 0o600)).To(Succeed())
	cmd := exec.CommandContext(w.Context(), shared.Binary("kubectl"), append([]string{"--kubeconfig", file}, args...)...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestEveryButtonMayBeAllowed holds the policy to the form that Argo CD reads, and to the names of the actions.
func TestEveryButtonMayBeAllowed(t *testing.T) {
	var cm corev1.ConfigMap
	if err := yaml.UnmarshalStrict(read(t, config("argocd", "argocd-rbac-cm.yaml")), &cm); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(cm.Data["policy.csv"]), "\n")
	if len(lines) == 0 {
		t.Fatal("there is no policy")
	}
	for _, line := range lines {
		fields := strings.Split(line, ", ")
		if len(fields) != 6 || fields[0] != "p" || fields[2] != "applications" || fields[4] != "proj/*" || fields[5] != "allow" {
			t.Errorf("cannot be read: %s", line)
			continue
		}
		name, ok := strings.CutPrefix(fields[3], "action/hub.chatt2.me/Chatt2Webhook/")
		if _, is := builtIn(t).actions[name]; !ok || !is && name != "*" {
			t.Errorf("there is no action %s", fields[3])
		}
	}
}
