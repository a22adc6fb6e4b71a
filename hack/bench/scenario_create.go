package main

import (
	"context"
	"fmt"
	"time"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// Aims of writing down a resource.
const (
	callsPerResource = 1.1
	// The verification comes after the registration, and is a write of status and an event of its own.
	writesPerResource       = 5
	writesPerSignedResource = 6
)

// playCreate measures from the first apply until all are ready.
func playCreate(ctx context.Context, w *world, n int) ([]*figures, error) {
	return w.playCreate(ctx, "create", n, false)
}

// defaultFlags put back what operators have by default.
var defaultFlags = []string{
	"--hub-qps=10", "--hub-burst=20", "--hub-poll-interval=1m", "--max-concurrent-reconciles=16",
}

// playCreateDefault measures the same with the operator's default flags, under which registrations take long.
func playCreateDefault(ctx context.Context, w *world, n int) ([]*figures, error) {
	return w.playCreate(ctx, "create-default", n, false, defaultFlags...)
}

func playCreateSigned(ctx context.Context, w *world, n int) ([]*figures, error) {
	return w.playCreate(ctx, "create-signed", n, true)
}

func (w *world) playCreate(
	ctx context.Context, scenario string, n int, signed bool, flags ...string,
) ([]*figures, error) {
	if err := w.startOperator(ctx, flags...); err != nil {
		return nil, err
	}
	var applied time.Duration
	f, _, err := w.measure(ctx, scenario, n, func(ctx context.Context) (time.Time, error) {
		began := time.Now()
		if err := w.create(ctx, n, signed); err != nil {
			return began, err
		}
		applied = time.Since(began)
		return w.allReady(ctx, n)
	})
	if err != nil {
		return nil, err
	}
	limit := writesPerResource
	if signed {
		limit = writesPerSignedResource
	}
	f.Flags = flags
	if f.Verification, err = w.verification(ctx); err != nil {
		return nil, err
	}
	f.noteVerification(n)
	f.note("all applied after %.1f s", applied.Seconds())
	f.aimAtMost("Hub calls for each", share(f.calls(), n), callsPerResource)
	f.aimAtMost("kube writes for each", share(f.Writes.sum(), n), float64(limit))
	f.aimAtMost("POSTs for each", share(f.HubCalls["createWebhook"], n), 1)
	f.aimConnections(w)
	return []*figures{f}, w.checkHub(ctx, n)
}

// checkHub makes sure that the Hub has what it should have: a measurement of something else is worth nothing.
func (w *world) checkHub(ctx context.Context, n int) error {
	all, err := w.hub.webhooks(ctx)
	if err != nil {
		return err
	}
	if len(all) != n {
		return fmt.Errorf("there are %d webhooks on the Hub, not %d", len(all), n)
	}
	for _, r := range all {
		if !r.IsVerified {
			return fmt.Errorf("the webhook %s is not verified", r.Label)
		}
	}
	return nil
}

// playDelete measures until the last resource is gone.
func playDelete(ctx context.Context, w *world, n int) ([]*figures, error) {
	f, _, err := w.measure(ctx, "delete", n, func(ctx context.Context) (time.Time, error) {
		if err := w.remove(ctx, n); err != nil {
			return time.Time{}, err
		}
		return w.allGone(ctx)
	})
	if err != nil {
		return nil, err
	}
	f.aimExactly("DELETEs", f.HubCalls["deleteWebhook"], n)
	f.aimConnections(w)
	return []*figures{f}, w.checkHub(ctx, 0)
}

// allGone waits until no resource is left.
func (w *world) allGone(ctx context.Context) (time.Time, error) {
	return w.resources.await(ctx, "left", 0, func(*resource) bool { return true })
}

// playRotate measures a rotation of all signing secrets on request.
func playRotate(ctx context.Context, w *world, n int) ([]*figures, error) {
	request := time.Now().UTC().Format(time.RFC3339)
	f, _, err := w.measure(ctx, "rotate", n, func(ctx context.Context) (time.Time, error) {
		if err := w.annotate(ctx, n, v1alpha1.AnnotationRotateRequestedAt, request); err != nil {
			return time.Time{}, err
		}
		return w.resources.await(ctx, "rotated", n, func(r *resource) bool {
			return r.Status.LastHandledRotateAt == request && r.isReady()
		})
	})
	if err != nil {
		return nil, err
	}
	f.aimExactly("redefinitions", f.HubCalls["redefineSignature"], n)
	f.aimConnections(w)
	return []*figures{f}, nil
}
