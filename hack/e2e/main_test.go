// Package e2e tells the story of the operator through Pods alone, in a real cluster: image, chart and config/default as
// users install them.
package e2e

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// shared is the cluster that the tests run in, nil where `make e2e` does not run them.
var shared *cluster

func TestMain(m *testing.M) {
	if os.Getenv("E2E") == "" {
		os.Exit(m.Run())
	}
	os.Exit(inCluster(m))
}

// inCluster runs the tests in a cluster, and ends what it brought up for them.
func inCluster(m *testing.M) (code int) {
	log.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		panic(err)
	}
	shared = &cluster{root: root, image: os.Getenv("IMG"), tools: os.Getenv("E2E_TOOLS")}
	defer func() {
		// The context may have ended: that is why we are here.
		if err := shared.end(context.WithoutCancel(ctx)); err != nil {
			fmt.Fprintln(os.Stderr, "e2e:", err)
			code = 1
		}
	}()
	if err := shared.begin(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	ended := make(chan int, 1)
	go func() { ended <- m.Run() }()
	select {
	case code = <-ended:
	case <-ctx.Done():
		code = 1
	}
	return code
}

func needCluster(t *testing.T) {
	t.Helper()
	if shared == nil {
		t.Skip("`make e2e` runs this")
	}
}
