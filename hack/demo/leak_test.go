package main

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestASecretIsFoundHoweverItIsWritten(t *testing.T) {
	const secret = "canary-0123456789-äß"
	for name, text := range map[string]string{
		"as it is":              "key=" + secret + " and more",
		"in base64":             base64.StdEncoding.EncodeToString([]byte(secret)),
		"in base64 for URLs":    base64.URLEncoding.EncodeToString([]byte(secret)),
		"in base64 after x":     base64.StdEncoding.EncodeToString([]byte("x" + secret + "yz")),
		"in base64 after xx":    base64.StdEncoding.EncodeToString([]byte("xx" + secret)),
		"in hexadecimal":        hex.EncodeToString([]byte(secret)),
		"in capitals of it":     strings.ToUpper(hex.EncodeToString([]byte(secret))),
		"in the query of a URL": "https://host/?key=canary-0123456789-%C3%A4%C3%9F",
	} {
		l := &leaks{}
		l.know(secret)
		l.keep("operator.log", "nothing here\n"+text+"\n")
		l.keep("events", "nothing here either")
		if diff := cmp.Diff([]string{"operator.log"}, l.found()); diff != "" {
			t.Errorf("%s it is not found: %s", name, diff)
		}
	}
}

func TestNoSecretIsFoundWhereNoneIs(t *testing.T) {
	l := &leaks{}
	l.know("canary-0123456789")
	l.know("")
	l.keep("operator.log", "canary-012345678, and c2Fy")
	if found := l.found(); found != nil {
		t.Errorf("found %v", found)
	}
}
