package main

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// leaks looks for secrets where none must be.
type leaks struct {
	secrets []string
	// texts are what was seen of the cluster, by where it is from.
	texts map[string]string
}

// know adds a secret to look for.
func (l *leaks) know(secret string) {
	if secret != "" && !slices.Contains(l.secrets, secret) {
		l.secrets = append(l.secrets, secret)
	}
}

// keep adds a text to look through.
func (l *leaks) keep(from, text string) {
	if l.texts == nil {
		l.texts = map[string]string{}
	}
	l.texts[from] += text
}

// keepFiles adds files to look through.
func (l *leaks) keepFiles(paths ...string) error {
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		l.keep(filepath.Base(path), string(content))
	}
	return nil
}

// found is where secrets were found, without saying them.
func (l *leaks) found() []string {
	var places []string
	for from, text := range l.texts {
		// Hexadecimal may be written either way.
		lower := strings.ToLower(text)
		for _, secret := range l.secrets {
			if containsAny(text, forms(secret)) || strings.Contains(lower, hex.EncodeToString([]byte(secret))) {
				places = append(places, from)
				break
			}
		}
	}
	slices.Sort(places)
	return places
}

// forms are the ways in which a secret may be written, hexadecimal apart. Base64 depends on where in a text the secret
// begins, and its edges on what stands beside it: those are left out.
func forms(secret string) []string {
	all := []string{secret, url.QueryEscape(secret)}
	for skipped := range 3 {
		if len(secret) < 8 {
			break
		}
		part := secret[skipped:]
		part = part[:len(part)/3*3]
		all = append(all, base64.RawStdEncoding.EncodeToString([]byte(part)),
			base64.RawURLEncoding.EncodeToString([]byte(part)))
	}
	return all
}

func containsAny(text string, parts []string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(text, part) })
}
