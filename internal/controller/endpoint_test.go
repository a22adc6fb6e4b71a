package controller_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/receiver"
)

// endpoint is where events go: the reference receiver, which can be told to fail.
type endpoint struct {
	*httptest.Server
	*receiver.Receiver
	dir string
	mu  sync.Mutex
	// up: handshakes are answered.
	up bool
}

func newEndpoint(t *testing.T) *endpoint {
	t.Helper()
	e := &endpoint{up: true, dir: t.TempDir()}
	rec, err := receiver.New(receiver.Options{Path: "/", SigningSecretDir: e.dir, Now: time.Now, Out: &syncBuffer{}})
	if err != nil {
		t.Fatal(err)
	}
	e.Receiver = rec
	e.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		e.mu.Lock()
		up := e.up
		e.mu.Unlock()
		if !up {
			rw.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		req.URL.Path = "/"
		rec.Handler().ServeHTTP(rw, req)
	}))
	e.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	e.StartTLS()
	t.Cleanup(e.Close)
	return e
}

func (e *endpoint) set(up bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.up = up
}

// mount puts a Secret where the receiver reads it, as a volume does.
func (e *endpoint) mount(t *testing.T, s *corev1.Secret) {
	t.Helper()
	for _, key := range []string{v1alpha1.SecretKeyCurrent, v1alpha1.SecretKeyPrevious} {
		path := filepath.Join(e.dir, key)
		if value, ok := s.Data[key]; !ok {
			_ = os.Remove(path)
		} else if err := os.WriteFile(path, value, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
