package cluster

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Main runs the tests of a package with one control plane for all of them, and returns the exit code. use is told the
// control plane before the first test. To be called from TestMain:
//
//	func TestMain(m *testing.M) {
//		os.Exit(cluster.Main(m, cluster.Options{}, func(c *cluster.Cluster) { shared = c }))
//	}
func Main(m *testing.M, options Options, use func(*Cluster)) int {
	// Ctrl-C reaches the tests alone, as the processes are in groups of their own: without this they would live on.
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	c, err := Start(ctx, options)
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		return 1
	}
	code := make(chan int, 1)
	go func() {
		use(c)
		code <- m.Run()
	}()
	result := 1
	select {
	case result = <-code:
	case <-ctx.Done():
	}
	if err := c.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "cluster: stop:", err)
		return 1
	}
	return result
}

// Namespace makes a fresh namespace for a test and returns its name. It is asked to go at the test's end, and goes
// where the controller manager runs.
func Namespace(tb testing.TB, c client.Client) string {
	tb.Helper()
	namespace := &corev1.Namespace{}
	namespace.GenerateName = "test-"
	if err := c.Create(tb.Context(), namespace); err != nil {
		tb.Fatalf("create a namespace: %v", err)
	}
	tb.Cleanup(func() {
		// The test's own context is done by now.
		if err := c.Delete(context.Background(), namespace); client.IgnoreNotFound(err) != nil {
			tb.Errorf("delete namespace %s: %v", namespace.Name, err)
		}
	})
	return namespace.Name
}
