package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// playRefusedKey revokes the API key, and then puts a new one in its place on both sides.
func playRefusedKey(ctx context.Context, w *world, n int) ([]*figures, error) {
	m, err := w.begin(ctx, "refused-key")
	if err != nil {
		return nil, err
	}
	if err := w.hub.revokeKey(ctx, "default"); err != nil {
		return nil, err
	}
	told, err := w.awaitNoneReady(ctx, n)
	if err != nil {
		return nil, err
	}
	if err := pause(ctx, w.refused-time.Since(m.began)); err != nil {
		return nil, err
	}
	f, came, err := m.end(ctx, "refused-key", n, time.Now())
	if err != nil {
		return nil, err
	}
	// The first refusal is how the operator learns of it.
	first := came.that(func(t tally) bool { return t.Status == 401 })
	if len(first) == 0 {
		return nil, errors.New("no call was refused")
	}
	minutes := (float64(time.Now().Unix()-first[0].Second) + 1) / 60
	after := came.from(first[0].Second).count() - 1
	f.note("all had told of it after %.1f s; %d calls in %.1f minutes after the first refusal; reasons %v",
		told.Sub(m.began).Seconds(), after, minutes, w.resources.reasons())
	f.aimAtMost("calls a minute while refused", float64(after)/minutes, 1)
	f.aimAtMost("status writes for each", share(f.Writes.Status, n), 1)
	mended, err := w.mendKey(ctx, n)
	return []*figures{f, mended}, err
}

// awaitNoneReady waits until no resource is ready any more.
func (w *world) awaitNoneReady(ctx context.Context, n int) (time.Time, error) {
	return w.resources.await(ctx, "not ready", n, func(r *resource) bool { return !r.isReady() })
}

// mendKey gives the Application a new API key and puts it into the Secret.
func (w *world) mendKey(ctx context.Context, n int) (*figures, error) {
	f, _, err := w.measure(ctx, "key mended", n, func(ctx context.Context) (time.Time, error) {
		next := apiKey + "-" + strconv.FormatInt(time.Now().Unix(), 10)
		if err := w.hub.setKey(ctx, "default", next); err != nil {
			return time.Time{}, err
		}
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: keySecret}}
		patch := client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"stringData":{"apiKey":%q}}`, next))
		if err := w.client.Patch(ctx, secret, patch); err != nil {
			return time.Time{}, err
		}
		return w.allReady(ctx, n)
	})
	if err != nil {
		return nil, err
	}
	f.aimAtMost("status writes for each", share(f.Writes.Status, n), 1)
	f.aimExactly("mutating calls", f.calls()-f.HubCalls["listWebhooks"]-f.HubCalls["getWebhook"], 0)
	return f, w.checkHub(ctx, n)
}

// firstSeconds is how many seconds after an outage are told one by one.
const firstSeconds = 10

// playOutage has the Hub close every connection for a while, as a gateway does whose Hub is gone.
func playOutage(ctx context.Context, w *world, n int) ([]*figures, error) {
	m, err := w.begin(ctx, "outage")
	if err != nil {
		return nil, err
	}
	if err := w.hub.goDown(ctx); err != nil {
		return nil, err
	}
	if err := pause(ctx, w.down); err != nil {
		return nil, err
	}
	f, came, err := m.end(ctx, "outage", n, time.Now())
	if err != nil {
		return nil, err
	}
	f.note("%d calls while down; reasons %v", came.count(), w.resources.reasons())
	f.aimAtMost("status writes for each", share(f.Writes.Status, n), 1)

	var back int64
	g, came, err := w.measure(ctx, "Hub back", n, func(ctx context.Context) (time.Time, error) {
		back = time.Now().Unix()
		if err := w.hub.comeBack(ctx); err != nil {
			return time.Time{}, err
		}
		ready, err := w.allReady(ctx, n)
		if err != nil {
			return ready, err
		}
		return ready, pause(ctx, firstSeconds*time.Second-time.Since(time.Unix(back, 0)))
	})
	if err != nil {
		return nil, err
	}
	g.note("calls in each of the first %d seconds: %v", firstSeconds, came.perSecond(back, firstSeconds))
	// Some may tell of the outage only when it is over.
	g.aimAtMost("status writes for each, those of the outage included", share(f.Writes.Status+g.Writes.Status, n), 2)
	g.aimExactly("mutating calls", came.mutating().count(), 0)
	return []*figures{f, g}, w.checkHub(ctx, n)
}

// pause lets time pass, for which there is nothing to wait for.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(max(d, 0))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
