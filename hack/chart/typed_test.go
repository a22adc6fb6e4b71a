package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
)

// published is where a release of the chart is, as .github/workflows/release.yml pushes it.
const published = "oci://ghcr.io/chatt2me/charts/" + release

// readmes are the pages that tell how to install the operator.
var readmes = []string{"README.md", filepath.Join(chart, "README.md")}

func readFile(t *testing.T, path ...string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(append([]string{root}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// helmCommands are the commands of a page, in blocks, that begin with helm.
func helmCommands(page string) []string {
	var commands []string
	block := regexp.MustCompile(`(?m)^ {4,}(helm (?:.*\\\n)*.*)$`)
	for _, match := range block.FindAllStringSubmatch(page, -1) {
		commands = append(commands, match[1])
	}
	return commands
}

// rendered makes of an installation or an upgrade a command that renders the chart of this tree with the same values.
func rendered(t *testing.T, command string) string {
	t.Helper()
	folder, err := filepath.Abs(chartFolder())
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("helm upgrade --install ", "helm template ", "helm upgrade ", "helm template ",
		" --reset-then-reuse-values", "", " "+published+" ", " "+folder+" ", " "+chart+" ", " "+folder+" ").Replace(command)
}

// TestTheHelmCommandsCanBeTyped as the READMEs say, with Helm 4 and 3.
func TestTheHelmCommandsCanBeTyped(t *testing.T) {
	needTools(t)
	for _, page := range readmes {
		installs := 0
		for _, command := range helmCommands(readFile(t, page)) {
			if strings.HasPrefix(command, "helm uninstall ") {
				continue // of what another command has installed
			}
			installs++
			for _, version := range versions {
				out, err := typed(t, version, rendered(t, command))
				if err != nil {
					t.Errorf("%s: %s with %s: %v\n%s", page, command, version, err, out)
				}
			}
		}
		if installs < 3 {
			t.Errorf("%s has only %d commands", page, installs)
		}
	}
}

// typed runs a command of a Helm in a shell.
func typed(t *testing.T, version, command string) (string, error) {
	t.Helper()
	bin, err := filepath.Abs(filepath.Join(tools, version))
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	if err := os.Symlink(bin, filepath.Join(home, "helm")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-euc", command)
	cmd.Env = []string{"HOME=" + home, "PATH=" + home + ":/usr/bin:/bin", "KUBECONFIG=" + filepath.Join(home, "none")}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestTheReadmesSayHowToUpgrade so that values which the new chart has are there.
func TestTheReadmesSayHowToUpgrade(t *testing.T) {
	for _, page := range readmes {
		text := readFile(t, page)
		for _, want := range []string{"helm upgrade --install " + release + " " + published, "--reset-then-reuse-values"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q", page, want)
			}
		}
	}
}

// TestTheKustomizationOfTheReadmeCanBePulled: no image is of a name that no registry has.
func TestTheKustomizationOfTheReadmeCanBePulled(t *testing.T) {
	needTools(t)
	s := newSite(t, "helm")
	readme := readFile(t, "README.md")
	s.Expect(readme).NotTo(ContainSubstring("-k config/default"), "its image is in no registry")
	block := regexp.MustCompile("(?s)```yaml\n(apiVersion: kustomize.*?)```").FindStringSubmatch(readme)
	s.Expect(block).NotTo(BeNil())
	folder := t.TempDir()
	mine := filepath.Join(folder, "mine")
	s.Expect(os.CopyFS(filepath.Join(folder, "webhook-operator", "config"), os.DirFS(filepath.Join(root, "config")))).
		To(Succeed())
	s.Expect(os.Mkdir(mine, 0o755)).To(Succeed())
	all := strings.Replace(block[1], "# - ", "- ", 1) // with what is a comment in it
	s.Expect(os.WriteFile(filepath.Join(mine, "kustomization.yaml"), []byte(all), 0o600)).To(Succeed())

	deployments := s.kustomize(mine).kind("Deployment")

	s.Expect(deployments).To(HaveLen(3))
	for _, object := range deployments {
		var deployment appsv1.Deployment
		convert(t, object, &deployment)
		s.Expect(deployment.Spec.Template.Spec.Containers[0].Image).To(Equal("registry.example/chatt2-webhook-operator:1"))
	}
}
