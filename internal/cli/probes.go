package cli

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// checkTime is how long a check may wait for the caches.
const checkTime = 100 * time.Millisecond

// check is one condition of readiness.
type check struct {
	name string
	run  func(context.Context) error
}

// addProbes has the manager serve /healthz and /readyz, from before the caches are filled. Unlike the handlers of the
// manager, /readyz says why a check fails, and each check has a deadline.
func addProbes(mgr manager.Manager, address string, checks ...check) error {
	if address == "" || address == "0" {
		return nil
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	if err != nil {
		return fmt.Errorf("--health-probe-bind-address: %w", err)
	}
	return mgr.Add(&manager.Server{Name: "health probe", Listener: listener, Server: &http.Server{
		Handler: probes(checks), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: readTime, IdleTimeout: time.Minute,
	}})
}

func probes(checks []check) http.Handler {
	mux := http.NewServeMux()
	for _, path := range []string{"/healthz", "/healthz/ping"} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
	}
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, r *http.Request) { ready(w, r, checks) })
	for _, c := range checks {
		mux.HandleFunc("/readyz/"+c.name, func(w http.ResponseWriter, r *http.Request) { ready(w, r, []check{c}) })
	}
	return mux
}

// ready answers 200, or 500 with what each check says.
func ready(w http.ResponseWriter, r *http.Request, checks []check) {
	status, text := http.StatusOK, ""
	for _, c := range checks {
		ctx, cancel := context.WithTimeout(r.Context(), checkTime)
		err := c.run(ctx)
		cancel()
		if err != nil {
			status, text = http.StatusInternalServerError, text+fmt.Sprintf("[-]%s failed: %v\n", c.name, err)
			continue
		}
		text += fmt.Sprintf("[+]%s ok\n", c.name)
	}
	if _, verbose := r.URL.Query()["verbose"]; status == http.StatusOK && !verbose {
		text = "ok"
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}
