package process_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// restorable is a control plane whose etcd can be put back to what it was before.
type restorable struct {
	world  *world
	env    *envtest.Environment
	access *rest.Config
	data   string
	backup string
}

// startRestorable starts etcd and an API server of their own, which end with the test.
func startRestorable(t *testing.T) *restorable {
	t.Helper()
	dir := t.TempDir()
	r := &restorable{data: filepath.Join(dir, "etcd"), backup: filepath.Join(dir, "backup")}
	certs := filepath.Join(dir, "certs")
	if err := errors.Join(os.Mkdir(r.data, 0o700), os.Mkdir(certs, 0o700)); err != nil {
		t.Fatal(err)
	}
	r.env = &envtest.Environment{
		BinaryAssetsDirectory: filepath.Dir(shared.Binary("etcd")), ErrorIfCRDPathMissing: true,
		CRDDirectoryPaths:  []string{filepath.Join("..", "..", "config", "crd", "bases")},
		UseExistingCluster: new(bool),
	}
	r.env.ControlPlane.Etcd = &envtest.Etcd{DataDir: r.data}
	r.env.ControlPlane.GetAPIServer().CertDir = certs
	// It ends no sooner, as long as somebody watches.
	r.env.ControlPlane.GetAPIServer().Configure().Set("request-timeout", "8s")
	var err error
	if r.access, err = r.env.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.env.Stop(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// down stops API server and etcd, has something done with what etcd keeps, and starts them again where they were.
func (r *restorable) down(do func() error) {
	r.world.Helper()
	plane := &r.env.ControlPlane
	r.world.must(errors.Join(plane.GetAPIServer().Stop(), plane.Etcd.Stop()))
	r.world.must(do())
	r.world.must(plane.Etcd.Start())
	r.world.must(plane.GetAPIServer().Start())
}

func (r *restorable) takeBackup() {
	r.world.Helper()
	r.down(func() error { return os.CopyFS(r.backup, os.DirFS(r.data)) })
}

func (r *restorable) restore() {
	r.world.Helper()
	r.down(func() error { return errors.Join(os.RemoveAll(r.data), os.CopyFS(r.data, os.DirFS(r.backup))) })
}

// TestAnOlderStateOfTheClusterIsRestored puts etcd back and starts the operator anew, as is to be done with all that
// watches: versions go back, too, and a watch that goes on from a version to come tells nothing until that is reached.
func TestAnOlderStateOfTheClusterIsRestored(t *testing.T) {
	t.Parallel()
	r := startRestorable(t)
	w := newWorldIn(t, r.access)
	r.world = w
	i := &installation{namespace: w.namespace, access: r.access}
	o := w.start(i)
	kept, rotated, gone := w.webhook("kept", signed), w.webhook("rotated", signed), w.webhook("gone", signed)
	before := map[string]string{}
	for _, c := range []*v1alpha1.Chatt2Webhook{kept, rotated, gone} {
		before[c.Name] = w.ready(c).Status.WebhookID
	}
	r.takeBackup()
	w.rotate(rotated, "once")
	w.must(w.Delete(w.Context(), gone))
	w.gone(gone)
	later := w.ready(w.webhook("later", signed)).Status.WebhookID
	o.kill()
	r.restore()
	w.start(i)

	// What was deleted after the backup is there again, and has a webhook again.
	w.Eventually(func() bool {
		now := w.get(gone)
		return now.IsReady() && now.Status.WebhookID != before["gone"]
	}).Should(BeTrue(), "it is not registered anew")
	w.holdsLiveSecret(gone)
	// What was made after it is adopted when it is declared again.
	now := w.ready(w.webhook("later", signed))
	w.Expect(now.Status.WebhookID).To(Equal(later))
	w.holdsLiveSecret(now)
	// A secret that was rotated after it cannot be seen to be old, and is asked for again.
	w.rotate(rotated, "after the restoration")
	w.holdsLiveSecret(rotated)
	// What was not touched is not changed.
	w.Expect(w.get(kept).Status.WebhookID).To(Equal(before["kept"]))
	w.holdsLiveSecret(kept)
	w.Expect(w.onHub()).To(HaveLen(4), "one webhook for each resource")
}
