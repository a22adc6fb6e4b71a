package cli

import (
	"context"
	"sync/atomic"

	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// startManager runs the manager until ctx ends and what is under way has ended. A manager whose caches cannot be
// filled, for want of a right or of the CRD, does not end by itself; as nothing has begun then, it is left.
func startManager(ctx context.Context, mgr manager.Manager) error {
	var filled milestone
	if err := mgr.Add(&filled); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	if !filled.Load() {
		log.FromContext(ctx).Info("Stopped before the caches were filled")
		return nil
	}
	return <-ended
}

// milestone is run once the caches are filled, be it by a leader or by one who waits.
type milestone struct{ atomic.Bool }

// Start implements manager.Runnable.
func (m *milestone) Start(context.Context) error {
	m.Store(true)
	return nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (m *milestone) NeedLeaderElection() bool { return false }
