package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"github.com/chatt2me/webhook-operator/internal/signing"
)

// serve serves a handler on loopback until stop is called, and tells its origin.
func serve(ctx context.Context, c *certificate, handler http.Handler) (origin string, stop func() error, err error) {
	socket, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	config := &tls.Config{
		Certificates: []tls.Certificate{c.pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, TLSConfig: config,
	}
	go func() { _ = server.ServeTLS(socket, "", "") }() // it ends with Close, and with no other error
	return "https://" + socket.Addr().String(), server.Close, nil
}

// repeatToken is the endpoint of all webhooks: it passes the Hub's handshake.
func repeatToken(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	_, _ = w.Write([]byte(r.Header.Get(signing.ValidationTokenHeader))) // the Hub will notice
}
