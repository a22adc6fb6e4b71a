package hub

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"unicode"
)

// The Hub may store an endpoint or a label in another spelling than it was sent. Two spellings mean the same if their
// normal forms are equal, and only normal forms are compared. What is sent is what the user wrote.

const scheme = "https://"

// NormalEndpoint returns the normal form of an HTTPS URL (RFC 3986, section 6.2, and what URL parsers of browsers do):
// scheme and host in lower case, no dot at the end of the host, no default port, a path that is at least / and has no
// dot segments, no empty query, and percent-encoded exactly what needs to be. A text that is no such URL is its own
// normal form, and so is one with user info, a backslash or a fragment.
func NormalEndpoint(endpoint string) string { return normalURL(endpoint, true) }

func normalURL(endpoint string, decode bool) string {
	if len(endpoint) < len(scheme) || !strings.EqualFold(endpoint[:len(scheme)], scheme) ||
		strings.ContainsAny(endpoint, `#\`) {
		return endpoint
	}
	authority, path, query := splitURL(endpoint)
	if strings.Contains(authority, "@") {
		return endpoint
	}
	path = withoutDotSegments(normalEscapes(path, decode))
	if path == "" {
		path = "/"
	}
	if query != "" {
		path += "?" + normalEscapes(query, decode)
	}
	return scheme + normalAuthority(authority) + path
}

// splitURL returns the parts of a URL behind its scheme, the query without its question mark.
func splitURL(endpoint string) (authority, path, query string) {
	authority = endpoint[len(scheme):]
	if end := strings.IndexAny(authority, "/?"); end >= 0 {
		authority, path = authority[:end], authority[end:]
	}
	path, query, _ = strings.Cut(path, "?")
	return authority, path, query
}

func normalAuthority(authority string) string {
	host, port := authority, ""
	if i := strings.LastIndexByte(authority, ':'); i > strings.LastIndexByte(authority, ']') {
		host, port = authority[:i], strings.TrimLeft(authority[i+1:], "0")
	}
	host = strings.TrimRight(strings.ToLower(host), ".")
	if strings.ContainsAny(host, ":[]") {
		ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
		if err != nil {
			return authority // which is none
		}
		host = "[" + ip.String() + "]"
	}
	if port == "" || port == "443" {
		return host
	}
	return host + ":" + port
}

// normalEscapes percent-encodes what a URL must not hold as it is and, with decode, decodes what it may.
func normalEscapes(s string, decode bool) string {
	if strings.IndexFunc(s, func(c rune) bool { return c == '%' || !isPlain(c) }) < 0 {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		c, escaped := s[i], false
		if c == '%' && i+2 < len(s) {
			if octet, err := hex.DecodeString(s[i+1 : i+3]); err == nil {
				c, escaped = octet[0], true
				i += 2
			}
		}
		if !escaped && isPlain(rune(c)) || escaped && decode && isUnreserved(rune(c)) {
			out.WriteByte(c)
		} else {
			fmt.Fprintf(&out, "%%%02X", c)
		}
	}
	return out.String()
}

// isPlain reports whether a character may stand as it is in a path or query. The apostrophe may by RFC 3986, and is
// percent-encoded by browsers.
func isPlain(c rune) bool { return isUnreserved(c) || strings.ContainsRune("!$&()*+,;=:@/?", c) }

// isUnreserved reports whether a character means the same when it is percent-encoded.
func isUnreserved(c rune) bool {
	return isLetter(c) || '0' <= c && c <= '9' || strings.ContainsRune("-._~", c)
}

func isLetter(c rune) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func withoutDotSegments(path string) string {
	if !strings.Contains(path, "/.") {
		return path
	}
	segments := strings.Split(path[1:], "/")
	var kept []string
	for i, segment := range segments {
		if segment != "." && segment != ".." {
			kept = append(kept, segment)
			continue
		}
		if segment == ".." {
			kept = kept[:max(len(kept)-1, 0)]
		}
		if i == len(segments)-1 {
			kept = append(kept, "")
		}
	}
	return "/" + strings.Join(kept, "/")
}

// Respell writes an endpoint another way that means the same: its normal form with one character of the path, or else
// of the query, percent-encoded, and where there is none, with an empty query. A URL parser changes nothing of that, so
// that a Hub which stores what a parser writes takes it for another endpoint. An endpoint that has no such spelling is
// returned as it is.
func Respell(endpoint string) string {
	normal := NormalEndpoint(endpoint)
	if !strings.HasPrefix(normal, scheme) || strings.ContainsAny(normal, `#\`) {
		return endpoint
	}
	authority, _, query := splitURL(normal)
	for i := len(scheme) + len(authority); i < len(normal); i++ {
		switch c := rune(normal[i]); {
		case c == '%':
			i += 2
		case c != '.' && isUnreserved(c):
			// The endpoint itself may be spelled like that.
			if other := fmt.Sprintf("%s%%%02X%s", normal[:i], c, normal[i+1:]); other != normalURL(endpoint, false) {
				return other
			}
		}
	}
	if query == "" && !strings.HasSuffix(endpoint, "?") {
		return normal + "?"
	}
	return endpoint
}

// IsRespelled reports whether shown is how the Hub shows Respell(endpoint), and not how it shows the endpoint itself.
func IsRespelled(shown, endpoint string) bool {
	other := Respell(endpoint)
	return shown != endpoint && other != endpoint && (shown == other || normalURL(shown, false) == other)
}

// NormalLabel returns the normal form of a label: no white space at its ends, and one space for each run of it inside.
// One that is nothing else is a space, for an empty label is one that the Hub does not show.
func NormalLabel(label string) string {
	isBlank := func(c rune) bool { return unicode.IsSpace(c) || c == '\ufeff' }
	if label == "" || strings.IndexFunc(label, isBlank) < 0 {
		return label
	}
	if normal := strings.Join(strings.FieldsFunc(label, isBlank), " "); normal != "" {
		return normal
	}
	return " "
}
