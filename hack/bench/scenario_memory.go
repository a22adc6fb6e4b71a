package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	foreignNamespace = "foreign"
	foreignBytes     = 32 << 10
	growthMegabytes  = 25
	// settleTime is how long an operator is left alone before its memory is looked at: Go gives memory back with time.
	settleTime = 30 * time.Second
)

// playForeignSecrets measures the memory of an operator that was just started, without and with thousands of Secrets
// in the cluster that are none of its own.
func playForeignSecrets(ctx context.Context, w *world, n int) ([]*figures, error) {
	before, err := w.resting(ctx, "foreign: none", n)
	if err != nil {
		return nil, err
	}
	if err := w.stopOperator(); err != nil {
		return nil, err
	}
	w.say("  creating %d Secrets of %d KiB", w.foreign, foreignBytes>>10)
	if err := w.createForeign(ctx); err != nil {
		return nil, err
	}
	after, err := w.resting(ctx, "foreign: "+strconv.Itoa(w.foreign), n)
	if err != nil {
		return nil, err
	}
	grown := megabytes(after.Memory.Resident - before.Memory.Resident)
	after.aimLess("RSS growth", " MiB", grown, growthMegabytes)
	return []*figures{before, after}, nil
}

// resting starts an operator and measures it until it has been at rest for a while.
func (w *world) resting(ctx context.Context, scenario string, n int) (*figures, error) {
	if err := w.stopOperator(); err != nil {
		return nil, err
	}
	m, err := w.begin(ctx, scenario)
	if err != nil {
		return nil, err
	}
	if err := w.launchOperator(ctx); err != nil {
		return nil, err
	}
	caughtUp, err := w.awaitCaughtUp(ctx)
	if err != nil {
		return nil, err
	}
	if err := pause(ctx, settleTime); err != nil {
		return nil, err
	}
	f, _, err := m.end(ctx, scenario, n, caughtUp)
	if err != nil {
		return nil, err
	}
	f.note("%.0f MiB without mapped files", megabytes(f.Memory.Anonymous))
	return f, nil
}

func (w *world) createForeign(ctx context.Context) error {
	err := w.client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: foreignNamespace}})
	if err != nil {
		return err
	}
	return each(ctx, w.foreign, w.appliers, func(ctx context.Context, i int) error {
		content := make([]byte, foreignBytes)
		_, _ = rand.Read(content) // it never fails: crypto/rand ends the program instead
		return w.client.Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: foreignNamespace, Name: fmt.Sprintf("foreign-%06d", i)},
			Data:       map[string][]byte{"content": content},
		})
	})
}
