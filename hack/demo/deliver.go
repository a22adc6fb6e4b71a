package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/chatt2me/webhook-operator/internal/signing"
)

// deliver sends an event to the endpoint as the Hub would, signed with a secret, and returns the status it gets.
func (s *story) deliver(ctx context.Context, secret, messageID string) (int, error) {
	pem, err := os.ReadFile(s.folder.caFile("endpoints"))
	if err != nil {
		return 0, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return 0, errors.New("the authority of the endpoints cannot be read")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	body := fmt.Sprintf(`{"eventType":"MessageStatus","messageId":%q,"status":"read"}`, messageID)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.signedURL+signedPath, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(headerName, s.token)
	r.Header.Set(signing.SignatureHeader, signing.Sign(secret, time.Now(), []byte(body)))
	response, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Do(r)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}
