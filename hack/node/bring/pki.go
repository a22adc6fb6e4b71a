package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// lifetime is how long the certificates of a node are good: it is for tests, and is brought up anew for each.
const lifetime = 7 * 24 * time.Hour

// pki are the certificates of one node, in files: ca.crt, apiserver.crt and .key, admin.crt and .key, and sa.key and
// .pub, by which tokens of ServiceAccounts are signed.
type pki struct {
	dir    string
	ca     *x509.Certificate
	caKey  *ecdsa.PrivateKey
	serial int64
}

func makePKI(dir string) (*pki, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	p := &pki{dir: dir, caKey: key}
	p.ca = p.template(pkix.Name{CommonName: "node"})
	p.ca.IsCA, p.ca.BasicConstraintsValid, p.ca.KeyUsage = true, true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, p.ca, p.ca, key.Public(), key)
	if err != nil {
		return nil, err
	}
	if err := p.write("ca.crt", "CERTIFICATE", der); err != nil {
		return nil, err
	}
	serving := p.template(pkix.Name{CommonName: "kube-apiserver"})
	serving.DNSNames = []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"}
	serving.IPAddresses = []net.IP{net.ParseIP("127.0.0.1"), net.ParseIP(nodeIP), net.ParseIP(firstServiceIP)}
	admin := p.template(pkix.Name{CommonName: "admin", Organization: []string{"system:masters"}})
	for name, template := range map[string]*x509.Certificate{"apiserver": serving, "admin": admin} {
		if err := p.issue(name, template); err != nil {
			return nil, err
		}
	}
	return p, p.issueSigner()
}

func (p *pki) template(subject pkix.Name) *x509.Certificate {
	p.serial++
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(p.serial), Subject: subject,
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(lifetime),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
}

func (p *pki) issue(name string, template *x509.Certificate) error {
	key, err := p.key(name)
	if err != nil {
		return err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, p.ca, key.Public(), p.caKey)
	if err != nil {
		return err
	}
	return p.write(name+".crt", "CERTIFICATE", der)
}

func (p *pki) issueSigner() error {
	key, err := p.key("sa")
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	return p.write("sa.pub", "PUBLIC KEY", der)
}

func (p *pki) key(name string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, p.write(name+".key", "PRIVATE KEY", der)
}

func (p *pki) write(name, kind string, der []byte) error {
	return os.WriteFile(p.file(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

func (p *pki) file(name string) string { return filepath.Join(p.dir, name) }

// client trusts the authority of the node, and is its administrator.
func (p *pki) client() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(p.file("admin.crt"), p.file("admin.key"))
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(p.file("ca.crt"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(content)
	return &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}
