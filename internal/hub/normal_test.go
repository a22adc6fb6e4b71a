package hub_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

func TestSpellingsOfOneEndpointHaveOneNormalForm(t *testing.T) {
	for normal, spellings := range map[string][]string{
		"https://hooks.example/": {
			"https://hooks.example", "HTTPS://hooks.example", "https://Hooks.Example/", "https://hooks.example:443",
			"https://hooks.example:0443/", "https://hooks.example./", "https://hooks.example?", "https://hooks.example/.",
			"https://hooks.example/a/..", "https://hooks.example/../%2e%2E/", "https://hooks.example:",
		},
		"https://hooks.example:8443/a/b":    {"https://HOOKS.example:8443/a/./c/../b", "https://hooks.example.:8443/%61/%62"},
		"https://hooks.example/a//b/":       {"https://hooks.example/a//b/c/..", "https://hooks.example/a//b/."},
		"https://hooks.example/a%2Fb":       {"https://hooks.example/a%2fb"},
		"https://hooks.example/%7B%7C%7D":   {"https://hooks.example/{|}", "https://hooks.example/%7b%7c%7d"},
		"https://hooks.example/?x=%27~%25":  {"https://hooks.example?x='%7e%", "https://hooks.example/?x=%27~%25"},
		"https://[2001:db8::1]/x":           {"https://[2001:DB8:0:0:0:0:0:1]:443/x", "https://[2001:db8::0:1]/x"},
		"https://[2001:db8::1]:8443/x":      {"https://[2001:0DB8::1]:8443/x"},
		"https://user@Hooks.example/../x":   nil,
		`https://hooks.example\x`:           nil,
		"https://Hooks.example/#x":          nil,
		"http://Hooks.example":              nil,
		"":                                  nil,
		"https://hooks.example/a.b/.c/..d/": nil,
	} {
		for _, spelling := range append(spellings, normal) {
			if got := hub.NormalEndpoint(spelling); got != normal {
				t.Errorf("%s: the normal form is %s, and not %s", spelling, got, normal)
			}
		}
	}
}

func TestDifferentEndpointsHaveDifferentNormalForms(t *testing.T) {
	seen := map[string]string{}
	for _, endpoint := range []string{
		"https://hooks.example/a", "https://hooks.example/A", "https://hooks.example/a/", "https://hooks.example/a?b",
		"https://hooks.example/a?B", "https://hooks.example/a%3Fb", "https://hooks.example:8443/a",
		"https://hooks.example:80/a", "https://hook.example/a", "https://hooks.example//a", "https://hooks.example/a?b=1&c=2",
		"https://hooks.example/a?c=2&b=1", "https://hooks.example/a%2Fb", "https://hooks.example/a/b",
		"https://hooks.example/a+b", "https://hooks.example/a%20b", "https://hooks.example/a%2Bb",
	} {
		normal := hub.NormalEndpoint(endpoint)
		if other, ok := seen[normal]; ok {
			t.Errorf("%s and %s have the same normal form", endpoint, other)
		}
		seen[normal] = endpoint
	}
}

func TestSpellingsOfOneLabelHaveOneNormalForm(t *testing.T) {
	for normal, spellings := range map[string][]string{
		"Orders of today": {" Orders of today", "Orders  of\ttoday\n", "\u00a0Orders\u2003of today\ufeff"},
		"orders":          nil,
		" ":               {"   ", "\t"},
		"":                nil,
	} {
		for _, spelling := range append(spellings, normal) {
			if got := hub.NormalLabel(spelling); got != normal {
				t.Errorf("%q: the normal form is %q, and not %q", spelling, got, normal)
			}
		}
	}
}

// Hubs show an endpoint as it was sent, or as a URL parser writes it. Some parsers resolve encoded dot segments.
var shows = map[string]func(t *testing.T, endpoint string) string{
	"as sent": func(_ *testing.T, endpoint string) string { return endpoint },
	"parsed":  parsed,
	"parsed by a browser": func(t *testing.T, endpoint string) string {
		return parsed(t, regexp.MustCompile("(?i)%2e").ReplaceAllString(endpoint, "."))
	},
}

func TestARespelledEndpointIsToldFromTheEndpoint(t *testing.T) {
	endpoints := []string{
		"https://hooks.example", "https://hooks.example:8443", "https://10.0.0.1", "https://[::1]/", "https://Hooks.Example:443",
		"https://Hooks.Example:443/Hook?a=b", "https://hooks.example/not/../hook", "https://hooks.example/a/%2E%2e/b",
		"https://hooks.example/%61pi", "https://hooks.example/%61", "https://hooks.example/%2561",
	}
	for _, path := range []string{
		"", "hook", "a/b/..", "a/./", "1", "%20", "%20/a", "b%20", "-", "%2F", "a%2Fb", "..", ".", "%2e%2e/a", "a/%2e", "a/%2e%2e/b/.", "/",
	} {
		for _, query := range []string{"", "?x=y", "?1", "?%20=a"} {
			endpoints = append(endpoints, "https://10.0.0.1/"+path+query, "https://hooks.example/"+path+query)
		}
	}
	for _, endpoint := range endpoints {
		other := hub.Respell(endpoint)
		if other == endpoint || hub.NormalEndpoint(other) != hub.NormalEndpoint(endpoint) {
			t.Errorf("%s is no other spelling of %s", other, endpoint)
		}
		for name, show := range shows {
			if shown := show(t, other); shown == show(t, endpoint) || !hub.IsRespelled(shown, endpoint) {
				t.Errorf("%s: %s is not seen to be how %s was respelled", name, shown, endpoint)
			}
			for _, spelling := range []string{endpoint, hub.NormalEndpoint(endpoint)} {
				if shown := show(t, spelling); hub.IsRespelled(shown, endpoint) {
					t.Errorf("%s: %s is taken for how %s was respelled", name, shown, endpoint)
				}
			}
		}
	}
	for _, endpoint := range []string{"https://10.0.0.1/?", "https://hooks.example/?=", "no URL"} {
		if other := hub.Respell(endpoint); other != endpoint || hub.IsRespelled(other, endpoint) {
			t.Errorf("%s, which has no other spelling, is respelled as %s", endpoint, other)
		}
	}
}

// parsed returns a URL as many parsers write it.
func parsed(t *testing.T, endpoint string) string {
	t.Helper()
	u, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = strings.TrimSuffix(strings.ToLower(u.Host), ":443")
	return u.ResolveReference(u).String()
}

func FuzzNormalEndpoint(f *testing.F) {
	for _, seed := range []string{"https://A.example:443/a/../%62?c#d", "https://[::1]", "https://x?%", "https://a/%2e"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, endpoint string) {
		normal := hub.NormalEndpoint(endpoint)
		if again := hub.NormalEndpoint(normal); again != normal {
			t.Errorf("the normal form of %q is %q, and that of this %q", endpoint, normal, again)
		}
		u, err := url.Parse(endpoint)
		isPlain := err == nil && u.Hostname() != "" && !strings.ContainsAny(endpoint, `#@\[]`)
		if other := hub.NormalEndpoint(hub.Respell(endpoint)); other != normal && isPlain {
			t.Errorf("%q respelled has another normal form, %q", endpoint, other)
		}
		if hub.IsRespelled(endpoint, endpoint) {
			t.Errorf("%q is taken for its other spelling", endpoint)
		}
	})
}

func FuzzNormalLabel(f *testing.F) {
	f.Add(" a  b ")
	f.Fuzz(func(t *testing.T, label string) {
		normal := hub.NormalLabel(label)
		if hub.NormalLabel(normal) != normal || (normal == "") != (label == "") {
			t.Errorf("the normal form of %q is %q", label, normal)
		}
	})
}
