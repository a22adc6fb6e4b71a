package process_test

import (
	"bytes"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"

	"k8s.io/client-go/rest"
)

// proxy stands before the API server and keeps what the audit log does not tell: how collections of Secrets are asked
// for, and what comes back.
type proxy struct {
	accepts buffer
	answers buffer
}

// secretCollections are the paths by which Secrets are listed and watched.
var secretCollections = regexp.MustCompile(`^/api/v1/(namespaces/[^/]+/)?secrets$`)

// through makes the operator of an installation talk to the API server by a proxy.
func (w *world) through(i *installation) *proxy {
	w.Helper()
	upstream, err := url.Parse(i.access.Host)
	w.must(err)
	transport, err := rest.TransportFor(rest.AnonymousClientConfig(shared.Config))
	w.must(err)
	p := &proxy{}
	server := httptest.NewTLSServer(&httputil.ReverseProxy{
		Transport: transport, FlushInterval: -1,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(upstream)
			// What is not compressed can be searched.
			r.Out.Header.Del("Accept-Encoding")
		},
		ModifyResponse: func(r *http.Response) error {
			if r.Request.Method == http.MethodGet && secretCollections.MatchString(r.Request.URL.Path) {
				_, _ = p.accepts.Write([]byte(r.Request.Header.Get("Accept") + "\n"))
				r.Body = tee{io.TeeReader(r.Body, &p.answers), r.Body}
			}
			return nil
		},
		ErrorHandler: func(rw http.ResponseWriter, _ *http.Request, _ error) { rw.WriteHeader(http.StatusBadGateway) },
	})
	w.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	i.access = rest.CopyConfig(i.access)
	i.access.Host = server.URL
	i.access.CAData = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	return p
}

// tee is a body that is written down while it is read.
type tee struct {
	io.Reader
	io.Closer
}

// collections are the kinds of answer that were asked for first when Secrets were listed or watched.
func (p *proxy) collections() []string {
	var all []string
	for line := range bytes.Lines([]byte(p.accepts.all())) {
		first, _, _ := bytes.Cut(line, []byte(","))
		all = append(all, string(first))
	}
	return all
}
