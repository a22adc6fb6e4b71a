package hub

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// sentValues are the values of one call that must not come back in an error's text.
type sentValues struct {
	// secrets: a text that holds one of them, or a piece of one, is not shown at all.
	secrets []Secret
	// named values are replaced by the name.
	named []namedValue
	// guarded are the parts of the endpoint's query: they may be shown as little as secrets, but where the text
	// plainly repeats endpoint or query it is enough to replace that.
	guarded []Secret
}

type namedValue struct{ value, name string }

func valuesOf(in WebhookFields) sentValues {
	var v sentValues
	v.name(in.Label, "[label]")
	v.name(in.Scope, "[scope]")
	if in.Headers != nil {
		for _, header := range *in.Headers {
			v.secrets = append(v.secrets, header.Value)
		}
	}
	if in.Endpoint != nil {
		v.name(in.Endpoint, "[endpoint]")
		_, query, _ := strings.Cut(*in.Endpoint, "?")
		v.name(&query, "[endpoint]")
		v.guarded = queryParts(query)
	}
	return v
}

func (v *sentValues) name(value *string, name string) {
	if value != nil && *value != "" {
		v.named = append(v.named, namedValue{value: *value, name: name})
	}
}

// queryParts are the values of a query, as they stand and decoded, and the keys without one. Those shorter than a
// fragment say too little to be looked for.
func queryParts(query string) []Secret {
	var parts []Secret
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		part := cmp.Or(value, key)
		decoded, _ := url.QueryUnescape(part)
		for _, form := range []string{part, decoded} {
			if len(form) >= fragment {
				parts = append(parts, NewSecret(form))
			}
		}
	}
	return parts
}

// with adds one more secret.
func (v sentValues) with(secret Secret) sentValues {
	v.secrets = append(slices.Clone(v.secrets), secret)
	return v
}

// revealedBy reports whether a text must be withheld.
func (v sentValues) revealedBy(text string) bool {
	if newLeakDetector(text).holdsAny(v.secrets) {
		return true
	}
	return len(v.guarded) > 0 && newLeakDetector(v.replacedIn(text)).holdsAny(v.guarded)
}

// replacedIn puts the name in place of every value that has one. A short value is replaced as a word only, or a label
// "a" would leave no text to read.
func (v sentValues) replacedIn(text string) string {
	if len(v.named) == 0 {
		return text
	}
	named := slices.Clone(v.named)
	// The longest first: the endpoint holds the query.
	slices.SortStableFunc(named, func(a, b namedValue) int { return cmp.Compare(len(b.value), len(a.value)) })
	var patterns []string
	for _, n := range named {
		patterns = append(patterns, regexp.QuoteMeta(strings.ToValidUTF8(n.value, "�")))
	}
	pattern, err := regexp.Compile(`(?i)(` + strings.Join(patterns, `)|(`) + `)`)
	if err != nil {
		return ""
	}

	var out strings.Builder
	rest := 0
	for _, at := range pattern.FindAllStringSubmatchIndex(text, -1) {
		start, end := at[0], at[1]
		if end-start < fragment && !isWord(text, start, end) {
			continue
		}
		out.WriteString(text[rest:start])
		out.WriteString(named[groupOf(at)].name)
		rest = end
	}
	return out.String() + text[rest:]
}

var (
	anyUUID  = regexp.MustCompile(`(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`)
	anyToken = regexp.MustCompile(`(?i)[0-9a-z+_=-]{24,}`)
)

// anonymous is a text without ids, which differ from one failure to the next, and without long tokens, which may be
// secret for all we know.
func anonymous(text string) string {
	text = anyUUID.ReplaceAllString(text, "[id]")
	return anyToken.ReplaceAllStringFunc(text, func(token string) string {
		if strings.ContainsAny(token, "0123456789") {
			return "[value]"
		}
		return token
	})
}

// groupOf is the number of the group that matched, from 0.
func groupOf(at []int) int {
	for i := 2; i < len(at); i += 2 {
		if at[i] >= 0 {
			return i/2 - 1
		}
	}
	return 0
}

// isWord reports whether no letter or digit stands beside a part of text.
func isWord(text string, start, end int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:start])
	after, _ := utf8.DecodeRuneInString(text[end:])
	return !isLetterOrDigit(before) && !isLetterOrDigit(after)
}

func isLetterOrDigit(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
