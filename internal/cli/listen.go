package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/signal"
	"syscall"
	"time"
)

// readTime is how long a client may take to send a request, its body included.
var readTime = 30 * time.Second

// listener is one address with what is served there.
type listener struct {
	address string
	handler http.Handler
	// tls is nil for plain HTTP.
	tls *tls.Config
}

// serve serves all listeners until ctx ends or SIGTERM or SIGINT comes, and tells each address on out once it is open,
// so that a caller may ask for port 0.
func serve(ctx context.Context, out io.Writer, listeners ...listener) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	var servers []*http.Server
	ended := make(chan error, len(listeners))
	defer func() {
		for _, server := range servers {
			shutdown(ctx, server)
		}
	}()
	for _, l := range listeners {
		socket, err := (&net.ListenConfig{}).Listen(ctx, "tcp", l.address)
		if err != nil {
			return err
		}
		scheme := "http"
		if l.tls != nil {
			scheme, socket = "https", tls.NewListener(socket, l.tls)
		}
		server := &http.Server{
			Handler: l.handler, IdleTimeout: 2 * time.Minute,
			ReadHeaderTimeout: 10 * time.Second, ReadTimeout: readTime,
		}
		servers = append(servers, server)
		go func() { ended <- server.Serve(socket) }()
		_, _ = fmt.Fprintf(out, "listening on %s://%s\n", scheme, socket.Addr())
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-ended:
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return err
	}
}

// shutdown lets calls under way end, for a moment.
func shutdown(ctx context.Context, server *http.Server) {
	// ctx has ended already, and that is why we are here.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		_ = server.Close()
	}
}
