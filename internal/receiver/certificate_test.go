package receiver

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// writePair writes a certificate with a serial number, changed at a time.
func writePair(t *testing.T, certFile, keyFile string, serial int64, at time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: noon.AddDate(20, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	must(t, os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	must(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600))
	must(t, os.Chtimes(certFile, at, at))
	must(t, os.Chtimes(keyFile, at, at))
}

func TestTheCertificateIsReadAgainWhenItChanges(t *testing.T) {
	certFile, keyFile := filepath.Join(t.TempDir(), "tls.crt"), filepath.Join(t.TempDir(), "tls.key")
	if _, err := LoadCertificate(certFile, keyFile); err == nil {
		t.Fatal("files that are not there were loaded")
	}
	writePair(t, certFile, keyFile, 1, noon)
	c, err := LoadCertificate(certFile, keyFile)
	must(t, err)
	serves := func(want int64) {
		t.Helper()
		pair, err := c.Get(nil)
		must(t, err)
		leaf, err := x509.ParseCertificate(pair.Certificate[0])
		must(t, err)
		if got := leaf.SerialNumber.Int64(); got != want {
			t.Errorf("serial number %d is served, want %d", got, want)
		}
	}
	serves(1)
	writePair(t, certFile, keyFile, 2, noon.Add(time.Second))
	serves(2)
	must(t, os.WriteFile(certFile, []byte("half a file"), 0o600))
	serves(2)
	must(t, os.Remove(keyFile))
	serves(2)
	writePair(t, certFile, keyFile, 3, noon.Add(2*time.Second))
	serves(3)
}
