package hub

import (
	"encoding/base64"
	"encoding/hex"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// fragment is the length of a piece of a secret, in bytes, that is too much to show.
const fragment = 6

const (
	// A run of fragment bytes is at least this long in base64, whatever stands before it.
	base64Fragment = fragment*8/6 - 1
	hexFragment    = fragment * 2
	// maxForms bounds the work for one text.
	maxForms = 16
	// minBase64 is the shortest base64 text that is no chance find.
	minBase64 = 4
)

// leakDetector is a text in which secrets are looked for: all that it says, however it is escaped, in lower case.
type leakDetector struct {
	forms []string
	// pieces are all substrings of the forms of one of the three lengths that are looked for.
	pieces map[string]struct{}
	// opaque is a text that can be read in so many ways that it may hold anything.
	opaque bool
}

// newLeakDetector takes a text of bounded length.
func newLeakDetector(text string) leakDetector {
	forms := unescaped(text)
	h := leakDetector{pieces: map[string]struct{}{}, opaque: len(forms) > maxForms}
	for _, form := range forms[:min(len(forms), maxForms)] {
		for _, form := range []string{form, squeezed(form)} {
			h.add(strings.ToLower(form))
			h.add(strings.ToLower(reversed(form)))
		}
	}
	return h
}

func (h *leakDetector) add(form string) {
	if slices.Contains(h.forms, form) {
		return
	}
	h.forms = append(h.forms, form)
	for _, size := range []int{fragment, base64Fragment, hexFragment} {
		for i := range len(form) - size + 1 {
			h.pieces[form[i:i+size]] = struct{}{}
		}
	}
}

func (h leakDetector) holdsAny(secrets []Secret) bool {
	return slices.ContainsFunc(secrets, func(s Secret) bool { return h.holds(s.Reveal()) })
}

// holds reports whether the text holds a value, or a fragment of it, plainly or in base64 or hex.
func (h leakDetector) holds(value string) bool {
	if value == "" || h.opaque {
		return h.opaque
	}
	if len(value) < fragment {
		return h.holdsShort(value)
	}
	for _, form := range caseForms(value) {
		if h.holdsPiece(form, fragment) || h.holdsPiece(hex.EncodeToString([]byte(form)), hexFragment) {
			return true
		}
		for shift := range 3 {
			for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
				if h.holdsPiece(base64At(encoding, form, shift), base64Fragment) {
					return true
				}
			}
		}
	}
	return false
}

// holdsShort looks for the whole of a value that is shorter than a fragment.
func (h leakDetector) holdsShort(value string) bool {
	needles := []string{}
	for _, form := range caseForms(value) {
		needles = append(needles, form, hex.EncodeToString([]byte(form)))
		for shift := range 3 {
			// The two alphabets differ in signs only, and a value this short is no random one.
			if needle := base64At(base64.RawStdEncoding, form, shift); len(needle) >= minBase64 {
				needles = append(needles, needle)
			}
		}
	}
	return slices.ContainsFunc(needles, func(needle string) bool {
		return slices.ContainsFunc(h.forms, func(form string) bool {
			return strings.Contains(form, strings.ToLower(needle))
		})
	})
}

// holdsPiece reports whether any piece of a value is there, of that size.
func (h leakDetector) holdsPiece(value string, size int) bool {
	value = strings.ToLower(value)
	for i := range len(value) - size + 1 {
		if _, ok := h.pieces[value[i:i+size]]; ok {
			return true
		}
	}
	return false
}

// base64At is a value in base64 as it looks shift bytes behind the start of what is encoded, without the characters
// at both ends that hold bits of a neighbour.
func base64At(encoding *base64.Encoding, value string, shift int) string {
	encoded := encoding.EncodeToString(append(make([]byte, shift), value...))
	bits := 8 * (shift + len(value))
	return encoded[(8*shift+5)/6 : bits/6]
}

// caseForms: a value may have been put in lower or upper case, or its spaces lost, before it was encoded.
func caseForms(value string) []string {
	forms := []string{value, strings.ToLower(value), strings.ToUpper(value)}
	if bare := squeezed(value); bare != "" {
		forms = append(forms, bare)
	}
	slices.Sort(forms)
	return slices.Compact(forms)
}

// unescaped is a text and all that comes of undoing JSON, URL and HTML escapes in it, up to three
// deep.
func unescaped(text string) []string {
	forms := []string{text}
	for begin, round := 0, 0; round < 3 && len(forms) <= maxForms; round++ {
		end := len(forms)
		for _, form := range forms[begin:end] {
			for _, undo := range []func(string) string{unescapeJSON, unescapeURL, plusAsSpace, html.UnescapeString} {
				if undone := undo(form); !slices.Contains(forms, undone) {
					forms = append(forms, undone)
				}
			}
		}
		begin = end
	}
	return forms
}

var (
	jsonEscape = regexp.MustCompile(`\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)`)
	urlEscape  = regexp.MustCompile(`(%[0-9a-fA-F]{2})+`)
)

// unescapeJSON undoes what it knows and leaves the rest, for a part of a JSON text is none.
func unescapeJSON(text string) string {
	return jsonEscape.ReplaceAllStringFunc(text, func(escape string) string {
		if len(escape) > 2 {
			code, _ := strconv.ParseInt(escape[2:], 16, 32)
			return string(rune(code))
		}
		switch escape[1] {
		case 'n', 'r', 't', 'b', 'f':
			return " "
		}
		return escape[1:]
	})
}

func unescapeURL(text string) string {
	return urlEscape.ReplaceAllStringFunc(text, func(escapes string) string {
		plain, _ := url.PathUnescape(escapes)
		return plain
	})
}

func plusAsSpace(text string) string { return strings.ReplaceAll(text, "+", " ") }

// squeezed leaves letters, digits and signs only, for a secret may be broken over lines.
func squeezed(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, text)
}

func reversed(text string) string {
	runes := []rune(text)
	slices.Reverse(runes)
	return string(runes)
}
