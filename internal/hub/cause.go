package hub

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"syscall"
)

const (
	causeCancelled = "cancelled"
	causeTimedOut  = "timed out"
)

// causeIn is causeOf, where a context that has ended explains whatever err says.
func causeIn(ctx context.Context, err error) string {
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return causeOf(err)
}

// causeOf says in our own words why a call got no answer. The text of err itself is never shown: it may hold a URL.
func causeOf(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "proxyconnect" {
		return "no connection to the proxy"
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return causeTimedOut
	}
	if text := tlsCause(err); text != "" {
		return text
	}
	for _, known := range []struct {
		err  error
		text string
	}{
		{context.Canceled, causeCancelled},
		{context.DeadlineExceeded, causeTimedOut},
		{syscall.ECONNREFUSED, "connection refused"},
		{syscall.ECONNRESET, "connection reset"},
		{syscall.EPIPE, "connection reset"},
		{syscall.ENETUNREACH, "network unreachable"},
		{syscall.EHOSTUNREACH, "no route to host"},
		{io.EOF, "the connection was closed before the answer"},
		{io.ErrUnexpectedEOF, "the answer was cut off"},
	} {
		if errors.Is(err, known.err) {
			return known.text
		}
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsNotFound {
			return "no such host"
		}
		return "the host name could not be looked up"
	}
	return "the connection broke"
}

// tlsCause is empty where err is none of TLS.
func tlsCause(err error) string {
	if host, ok := errors.AsType[x509.HostnameError](err); ok {
		return "TLS certificate not valid for " + host.Host
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "TLS certificate signed by an unknown authority"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return "TLS certificate expired or not yet valid"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "TLS certificate not valid"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "no TLS at the other end"
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return "TLS handshake refused"
	}
	return ""
}
