package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/chatt2me/webhook-operator/hack/cluster"
)

// root is the top of the repository.
const root = "../.."

var (
	// tools is the folder of Helm 4, Helm 3 and helm-docs, which `make helm-test` builds. Building them takes so long
	// that nobody should have to for the other tests.
	tools = os.Getenv("CHART_TOOLS")
	// What follows is there only where the tools are. shared knows no CRD.
	shared *cluster.Cluster
	// binary is the operator.
	binary string
)

func TestMain(m *testing.M) {
	if tools == "" {
		os.Exit(m.Run())
	}
	os.Exit(withTools(m))
}

// auditLog is where the API server writes what ServiceAccounts ask of it, and how that ended.
var auditLog string

const auditPolicy = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: Metadata, userGroups: ["system:serviceaccounts"]}
- {level: None}
`

// withTools runs the tests with a control plane and the operator's binary.
func withTools(m *testing.M) int {
	log.SetLogger(logr.Discard()) // that of the tests' own clients
	folder, err := os.MkdirTemp("", "chart-test-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	binary = filepath.Join(folder, "chatt2-webhook-operator")
	out, err := exec.Command("go", "build", "-o", binary, "github.com/chatt2me/webhook-operator").CombinedOutput()
	if err != nil {
		fmt.Fprintf(os.Stderr, "build the operator: %v\n%s", err, out)
		return 1
	}
	auditLog = filepath.Join(folder, "audit.log")
	if err := os.WriteFile(filepath.Join(folder, "audit.yaml"), []byte(auditPolicy), 0o600); err != nil {
		panic(err)
	}
	options := cluster.Options{ControllerManager: true, CRDs: []string{}, APIServerFlags: map[string]string{
		// As strict as any API server is that the operator may meet: one with the admission of OpenShift, that asks for
		// rights on finalizers, and that does not stream lists.
		"enable-admission-plugins": "OwnerReferencesPermissionEnforcement", "feature-gates": "WatchList=false",
		"audit-policy-file": filepath.Join(folder, "audit.yaml"), "audit-log-path": auditLog,
	}}
	return cluster.Main(m, options, func(c *cluster.Cluster) { shared = c })
}

// needTools skips a test where there is no Helm.
func needTools(t *testing.T) {
	t.Helper()
	if tools == "" {
		t.Skip("`make helm-test` runs this")
	}
	if err := readChart(); err != nil {
		t.Fatal(err)
	}
}

// readChart reads the chart and looks at the tools, for a test is run anew when what it has read itself has changed,
// and Helm does not count.
var readChart = sync.OnceValue(func() error {
	for _, version := range versions {
		if _, err := os.Stat(filepath.Join(tools, version)); err != nil {
			return err
		}
	}
	return filepath.WalkDir(filepath.Join(root, chart), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		_, err = os.ReadFile(path)
		return err
	})
})

func TestTheChartHoldsWhatIsTakenOver(t *testing.T) {
	files, err := takenOver(root)
	if err != nil || len(files) == 0 {
		t.Fatalf("found %d files, %v", len(files), err)
	}
	for path, want := range files {
		got, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s is not up to date, run `make helm-generate`:\n%s", path, diff)
		}
	}
	err = filepath.WalkDir(filepath.Join(root, chart, "files"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, path)
		if _, known := files[name]; !known {
			t.Errorf("nobody is the source of %s", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsTakenOverIsWritten(t *testing.T) {
	dir := t.TempDir()
	source := filepath.Join(root, "config")
	if err := os.CopyFS(filepath.Join(dir, "config"), os.DirFS(source)); err != nil {
		t.Fatal(err)
	}

	if err := run(dir); err != nil {
		t.Fatal(err)
	}

	files, err := takenOver(root)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range files {
		got, err := os.ReadFile(filepath.Join(dir, path))
		if err != nil || string(got) != string(want) {
			t.Errorf("%s is not written: %v", path, err)
		}
	}
}

func TestWhatIsGoneIsMissed(t *testing.T) {
	if err := run(t.TempDir()); err == nil {
		t.Error("an empty repository is taken for one")
	}
}
