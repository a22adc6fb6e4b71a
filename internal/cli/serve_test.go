package cli

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// running is a subcommand that serves until the test stops it.
type running struct {
	t       *testing.T
	lines   *bufio.Scanner
	client  *http.Client
	stop    context.CancelFunc
	ended   chan error
	stderr  *bytes.Buffer
	address string
}

// start runs cmd and waits until it tells its address on the stream that toErr names.
func start(t *testing.T, cmd *cobra.Command, toErr bool, client *http.Client, args ...string) *running {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	r := &running{t: t, lines: bufio.NewScanner(reader), client: client, stop: stop, ended: make(chan error, 1), stderr: &bytes.Buffer{}}
	cmd.SetOut(writer)
	cmd.SetErr(r.stderr)
	if toErr {
		cmd.SetOut(r.stderr)
		cmd.SetErr(writer)
	}
	cmd.SetArgs(args)
	go func() {
		r.ended <- cmd.ExecuteContext(ctx)
		_ = writer.Close()
	}()
	r.address = r.next()
	return r
}

func (r *running) next() string {
	r.t.Helper()
	if !r.lines.Scan() {
		r.t.Fatalf("it ended: %v", <-r.ended)
	}
	address, ok := strings.CutPrefix(r.lines.Text(), "listening on ")
	if !ok {
		r.t.Fatalf("the line is %q", r.lines.Text())
	}
	return address
}

func (r *running) end() {
	r.t.Helper()
	r.client.CloseIdleConnections()
	r.stop()
	if err := <-r.ended; err != nil {
		r.t.Errorf("it ended with %v", err)
	}
}

func (r *running) get(url, apiKey string) int {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("x-api-key", apiKey)
	response, err := r.client.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// tlsFiles are a certificate for 127.0.0.1 and a client that trusts it.
func tlsFiles(t *testing.T) (certFile, keyFile string, client *http.Client) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	pair := server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	certFile = file(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})))
	keyFile = file(t, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return certFile, keyFile, &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
}

func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheSimulatorServesUntilItIsStopped(t *testing.T) {
	const list = "/v1/organization/webhook"
	certFile, keyFile, client := tlsFiles(t)
	t.Setenv("CHATT2_SIMULATOR_APPLICATION", "shop=canary-one\nother=canary-two")
	keys := file(t, "applications: [{name: third, apiKey: canary-three}]\n")
	r := start(t, newSimulatorCommand(), false, client, "--bind-address=127.0.0.1:0", "--admin-bind-address=127.0.0.1:0",
		"--tls-cert-file", certFile, "--tls-private-key-file", keyFile, "--endpoint-ca-file", certFile,
		"--applications-file", keys, "--variant=newestFirst=true")
	admin := r.next()
	for _, key := range []string{"canary-one", "canary-two", "canary-three"} {
		if got := r.get(r.address+list, key); got != http.StatusOK {
			t.Errorf("%s gets %d", key, got)
		}
	}
	if got := r.get(r.address+"/_sim/healthz", ""); got != http.StatusNotFound {
		t.Errorf("the admin API answers at the API's address: %d", got)
	}
	if got := r.get(admin+"/_sim/healthz", ""); got != http.StatusOK {
		t.Errorf("the admin API answers %d", got)
	}
	r.end()
	if lines := r.stderr.String(); strings.Contains(lines, "canary") || strings.Count(lines, "operation=listWebhooks") != 3 {
		t.Errorf("the log is\n%s", lines)
	}
}

func TestTheSimulatorRefusesWrongFlagsWithoutShowingAKey(t *testing.T) {
	for _, args := range [][]string{
		{"--application=canary"},
		{"--applications-file", file(t, "canary: canary")},
		{"--applications-file=/nowhere"},
		{"--variant=odd=1"},
		{"--variant=odd"},
		{"--endpoint-ca-file", file(t, "canary")},
		{"--tls-cert-file=/nowhere"},
		{"--latency=-1s"},
		{"--rate-limit=-1"},
		{"--rate-limit=NaN"},
	} {
		cmd := newSimulatorCommand()
		cmd.SetArgs(append(args, "--bind-address=127.0.0.1:0"))
		cmd.SetOut(io.Discard)
		cmd.SetErr(io.Discard)
		if err := cmd.ExecuteContext(t.Context()); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q gives the error %v", args[0], err)
		}
	}
}

func TestTheReceiverServesUntilItIsStopped(t *testing.T) {
	certFile, keyFile, client := tlsFiles(t)
	r := start(t, newReceiverCommand(), true, client, "--bind-address=127.0.0.1:0", "--tls-cert-file", certFile,
		"--tls-private-key-file", keyFile, "--signing-secret-dir", t.TempDir(), "--require-header", "X-Token="+certFile)
	if got := r.get(r.address+"/healthz", ""); got != http.StatusOK {
		t.Errorf("healthz is %d", got)
	}
	r.end()
}

func TestSIGTERMEndsItCleanly(t *testing.T) {
	r := start(t, newSimulatorCommand(), false, &http.Client{}, "--bind-address=127.0.0.1:0")
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := self.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-r.ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestTheReceiverRefusesWrongFlags(t *testing.T) {
	certFile, keyFile, _ := tlsFiles(t)
	pair := []string{"--tls-cert-file", certFile, "--tls-private-key-file", keyFile, "--bind-address=127.0.0.1:0"}
	for _, args := range [][]string{
		{},
		{"--tls-cert-file", certFile},
		append([]string{"--require-header=X"}, pair...),
		append([]string{"--handshake-content-type=text/html"}, pair...), append([]string{"--path=hook"}, pair...),
	} {
		cmd := newReceiverCommand()
		cmd.SetArgs(args)
		cmd.SetOut(io.Discard)
		cmd.SetErr(io.Discard)
		if cmd.ExecuteContext(t.Context()) == nil {
			t.Errorf("%q was taken", args)
		}
	}
}

func TestARequestThatIsNotSentInTimeIsBrokenOff(t *testing.T) {
	defer func(before time.Duration) { readTime = before }(readTime)
	readTime = 100 * time.Millisecond
	r := start(t, newSimulatorCommand(), false, &http.Client{}, "--bind-address=127.0.0.1:0", "--application=shop=canary")
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(r.address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(conn, "POST /v1/organization/webhook HTTP/1.1\r\nHost: hub\r\nx-api-key: canary\r\n"+
		"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
	if err != nil {
		t.Fatal(err)
	}

	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Errorf("the connection is not closed: %v", err)
	}
	r.end()
}
