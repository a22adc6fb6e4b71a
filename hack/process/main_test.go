// Package process_test holds the operator, as a process of its own with the rights that config gives it, to what only
// shows there: permissions, logs, signals, crashes, replicas, probes and metrics.
package process_test

import (
	"fmt"
	"io"
	stdlog "log"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/cluster"

	// What the binary is built of, so that tests are run anew when it changes.
	_ "github.com/chatt2me/webhook-operator/internal/cli"
)

// patience is how long a test waits for what is to come, longer than any machine needs.
const patience = 2 * time.Minute

var (
	shared *cluster.Cluster
	// binary is the operator, built with the race detector.
	binary string
	// auditLog is where the API server writes who asked for what.
	auditLog string

	scheme = func() *runtime.Scheme {
		s := runtime.NewScheme()
		for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
			if err := add(s); err != nil {
				panic(err)
			}
		}
		return s
	}()
	codecs = serializer.NewCodecFactory(scheme)

	// discard is for servers whose clients break off, on purpose.
	discard = stdlog.New(io.Discard, "", 0)
)

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	log.SetLogger(logr.Discard()) // that of the tests' own clients
	dir, err := os.MkdirTemp("", "process-test-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	binary, auditLog = filepath.Join(dir, "chatt2-webhook-operator"), filepath.Join(dir, "audit.log")
	build := exec.Command("go", "build", "-race", "-o", binary, "github.com/chatt2me/webhook-operator")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the operator: %v\n%s", err, out)
		return 1
	}
	return cluster.Main(m, controlPlane(dir, auditLog), func(c *cluster.Cluster) { shared = c })
}

// controlPlane returns the options of a control plane that writes an audit log and may write into a folder.
func controlPlane(dir, auditLog string) cluster.Options {
	policy := filepath.Join(dir, "policy.yaml")
	rules := "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{level: Metadata}]\n"
	if err := os.WriteFile(policy, []byte(rules), 0o600); err != nil {
		panic(err)
	}
	return cluster.Options{
		ControllerManager: true,
		APIServerFlags: map[string]string{
			"audit-policy-file": policy, "audit-log-path": auditLog,
			// Whoever owns what blocks the owner's deletion must be allowed to hold that up.
			"enable-admission-plugins": "OwnerReferencesPermissionEnforcement",
		},
	}
}
