// Package gitops_test holds what config says of Chatt2Webhooks to Argo CD and to Flux against resources that the real
// operator has brought into every state, on a real API server.
package gitops_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/cluster"
)

var (
	shared *cluster.Cluster
	scheme = func() *runtime.Scheme {
		s := runtime.NewScheme()
		for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
			if err := add(s); err != nil {
				panic(err)
			}
		}
		return s
	}()
)

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
	os.Exit(cluster.Main(m, cluster.Options{ControllerManager: true}, func(c *cluster.Cluster) { shared = c }))
}

func config(elements ...string) string {
	return filepath.Join(append([]string{"..", "..", "config"}, elements...)...)
}

// customization is a file of what Argo CD has to know, in the layout of its own repository.
func customization(elements ...string) string {
	return config(append([]string{"argocd", "resource_customizations", "hub.chatt2.me", "Chatt2Webhook"}, elements...)...)
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
