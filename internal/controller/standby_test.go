package controller_test

import (
	"net/http"
	"path"
	"sync"
	"testing"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordinationv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// A replica whose caches are filled when it begins to lead acts at once, and does not cease to be ready.
func TestAReplicaThatDoesNotLeadFillsAllCaches(t *testing.T) {
	w := newWorld(t)
	w.lease = w.leaseOfAnother()
	var mu sync.Mutex
	filled := map[string]bool{}
	w.intercept(func(r *http.Request) *http.Response {
		mu.Lock()
		defer mu.Unlock()
		filled[path.Base(r.URL.Path)] = filled[path.Base(r.URL.Path)] || r.URL.Query().Get("watch") != ""
		return nil
	})
	w.run()
	c := w.webhook("orders")
	for _, kind := range []string{"chatt2webhooks", "secrets", "configmaps"} {
		w.Eventually(func() bool {
			mu.Lock()
			defer mu.Unlock()
			return filled[kind]
		}).Should(BeTrue(), kind)
	}
	w.Expect(w.get(c).Finalizers).To(BeEmpty(), "only the leader acts")
}

// leaseOfAnother is a lease that another process renews for longer than the test lasts.
func (w *world) leaseOfAnother() resourcelock.Interface {
	w.Helper()
	leases, err := coordinationv1.NewForConfig(shared.Config)
	w.Expect(err).NotTo(HaveOccurred())
	lock := func(who string) resourcelock.Interface {
		return &resourcelock.LeaseLock{
			LeaseMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "operator"}, Client: leases,
			LockConfig: resourcelock.ResourceLockConfig{Identity: who},
		}
	}
	now := metav1.Now()
	w.Expect(lock("another").Create(w.Context(), resourcelock.LeaderElectionRecord{
		HolderIdentity: "another", LeaseDurationSeconds: 3600, AcquireTime: now, RenewTime: now,
	})).To(Succeed())
	return lock("this")
}
