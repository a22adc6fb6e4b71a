package hub

import (
	"bytes"
	"encoding/json"
	"mime"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxMessage is how many characters of the Hub's message are shown.
	maxMessage = 200
	// maxSaid is how many bytes of it are read.
	maxSaid = 4 << 10
	// htmlPage stands for a page that some proxy made.
	htmlPage = "an HTML page"
)

// message is what of an error's body can be shown: one line, bounded, without any value that was sent.
func (v sentValues) message(contentType string, body []byte) string {
	if isHTML(contentType, body) {
		return htmlPage
	}
	text, received := said(contentType, body)
	v.secrets = append(v.secrets, received...)
	text = truncate(text, maxSaid)
	if v.revealedBy(text) {
		return ""
	}
	return shorten(anonymous(oneLine(v.replacedIn(text))))
}

// isHTML looks at the body too, for a proxy may name any type.
func isHTML(contentType string, body []byte) bool {
	mediaType, _, _ := mime.ParseMediaType(contentType)
	return mediaType == "text/html" || bytes.HasPrefix(bytes.TrimSpace(body), []byte("<"))
}

// said finds what an error's body says, and the secrets that stand in it by name.
func said(contentType string, body []byte) (text string, received []Secret) {
	var in struct {
		Message json.RawMessage `json:"message"`
		Error   json.RawMessage `json:"error"`
		newSecret
	}
	if json.Unmarshal(body, &in) != nil {
		// Broken JSON is often called plain text, and may hold anything.
		mediaType, _, _ := mime.ParseMediaType(contentType)
		if mediaType != "text/plain" || bytes.ContainsAny(body, "{}[]") {
			return "", nil
		}
		return string(body), nil
	}
	for _, secret := range []lenientString{in.Secret, in.SigningSecret, in.SignatureSecret} {
		received = append(received, NewSecret(string(secret)))
	}
	if text = texts(in.Message); text == "" {
		text = texts(in.Error)
	}
	return text, received
}

// texts reads a string, or joins the strings of an array.
func texts(raw json.RawMessage) string {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return one
	}
	var many []lenientString
	_ = json.Unmarshal(raw, &many)
	parts := make([]string, 0, len(many))
	for _, part := range many {
		if part != "" {
			parts = append(parts, string(part))
		}
	}
	return strings.Join(parts, "; ")
}

// oneLine keeps printable characters only, and one space where there was any white space.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsPrint(r) && r != utf8.RuneError:
			return r
		}
		return -1
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

// shorten cuts a text to maxMessage characters, the dots included.
func shorten(text string) string {
	runes := []rune(text)
	if len(runes) <= maxMessage {
		return text
	}
	return strings.TrimSpace(string(runes[:maxMessage-1])) + "…"
}

// truncate cuts a text to size bytes, between two characters.
func truncate(text string, size int) string {
	if len(text) <= size {
		return text
	}
	for size > 0 && !utf8.RuneStart(text[size]) {
		size--
	}
	return text[:size]
}

// ToShow returns a value that the Hub has in one short line, without ids and long tokens.
func ToShow(value string) string { return shorten(anonymous(oneLine(truncate(value, maxSaid)))) }

// EndpointToShow returns an endpoint without user info, query and fragment, which may hold credentials.
func EndpointToShow(endpoint string) string {
	scheme, rest, ok := strings.Cut(endpoint, "://")
	if !ok {
		return ""
	}
	cut := ""
	if end := strings.IndexAny(rest, "?#"); end >= 0 {
		rest, cut = rest[:end], "?…"
	}
	authority, path := rest, ""
	if end := strings.IndexAny(rest, `/\`); end >= 0 {
		authority, path = rest[:end], rest[end:]
	}
	return scheme + "://" + authority[strings.LastIndexByte(authority, '@')+1:] + path + cut
}
