package hub

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/url"
	"strings"
	"testing"
)

const (
	keyCanary    = "Key+4f/9aXz7-canary=="
	headerCanary = "Bearer h3ad3r<&>\"ca nary\""
	// signsCanary has a sign in every piece of its base64.
	signsCanary = "???>>>???>>>"
	// wordsCanary has no six characters without a space.
	wordsCanary = "zw xr vt qa nz ry"
	queryCanary = "qu3ry-c4nary%2Fx y"
	endpoint    = "https://receiver.example/hooks?token=qu3ry-c4nary%252Fx%20y&v=1"
	label       = "Received Messages"
	scope       = "tenant:blue"
)

// values are what a create with all of it sends.
func values() sentValues {
	s := scope
	return valuesOf(WebhookFields{
		Label: new(label), Endpoint: new(endpoint), Scope: &s,
		Headers: &[]Header{
			{Key: "Authorization", Value: NewSecret(headerCanary)},
			{Key: "X-Pin", Value: NewSecret("Zq9")},
			{Key: "X-Signs", Value: NewSecret(signsCanary)},
			{Key: "X-Words", Value: NewSecret(wordsCanary)},
		},
	}).with(NewSecret(keyCanary))
}

// shown is what is shown of a message in a JSON body.
func shown(v sentValues, message any) string {
	body, err := json.Marshal(map[string]any{"statusCode": 400, "message": message, "error": "Bad Request"})
	if err != nil {
		panic(err)
	}
	return v.message("application/json; charset=utf-8", body)
}

func TestMessage_is_shown_in_one_bounded_line(t *testing.T) {
	for name, c := range map[string]struct{ contentType, body, want string }{
		"text":                       {"application/json", `{"message":"no such webhook"}`, "no such webhook"},
		"a list":                     {"application/json", `{"message":["a is bad","b is bad"]}`, "a is bad; b is bad"},
		"a list with a number":       {"application/json", `{"message":["a is bad",5,null]}`, "a is bad"},
		"only an error":              {"application/json", `{"error":"Bad Gateway"}`, "Bad Gateway"},
		"an object":                  {"application/json", `{"message":{"a":1},"error":"Bad"}`, "Bad"},
		"null":                       {"application/json", `{"message":null}`, ""},
		"nothing":                    {"application/json", ``, ""},
		"no JSON":                    {"application/json", `oops`, ""},
		"cut JSON":                   {"application/json", `{"message":"no su`, ""},
		"plain text":                 {"text/plain; charset=utf-8", "upstream\nfailed", "upstream failed"},
		"broken JSON as plain text":  {"text/plain", `{"message":"x`, ""},
		"HTML":                       {"text/html", `<html>secret</html>`, "an HTML page"},
		"HTML that is called JSON":   {"application/json", "\n <!doctype html>", "an HTML page"},
		"several lines":              {"application/json", `{"message":" a\r\n\tb\u2028c  d "}`, "a b c d"},
		"control and hidden letters": {"application/json", `{"message":"a\u0000\u001b[31mb\u200b\u202ec"}`, "a[31mbc"},
		"an id of a request":         {"application/json", `{"message":"request A1b2c3d4-e5f6-7890-abcd-ef1234567890 failed"}`, "request [id] failed"},
		"a token nobody knows":       {"application/json", `{"message":"old secret whsec_0123456789abcdefghij0 is dead"}`, "old secret [value] is dead"},
		"a path and a long word":     {"application/json", `{"message":"Cannot POST /v1/organization/webhook, authenticationProtocolWhatever"}`, "Cannot POST /v1/organization/webhook, authenticationProtocolWhatever"},
	} {
		if got := values().message(c.contentType, []byte(c.body)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	long := shown(values(), strings.Repeat("é", 5000))
	if n := len([]rune(long)); n != 200 || !strings.HasSuffix(long, "é…") {
		t.Errorf("a long message has %d characters: %s", n, long)
	}
}

func TestMessage_names_what_was_sent_in_place_of_it(t *testing.T) {
	for message, want := range map[string]string{
		"endpoint " + endpoint + " is taken":                "endpoint [endpoint] is taken",
		"ENDPOINT " + strings.ToUpper(endpoint) + " is bad": "ENDPOINT [endpoint] is bad",
		"query token=qu3ry-c4nary%252Fx%20y&v=1 is bad":     "query [endpoint] is bad",
		"a received messages b":                             "a [label] b",
		"xReceived MessagesX":                               "x[label]X",
		"scope tenant:blue":                                 "scope [scope]",
		"v=1 is not allowed":                                "v=1 is not allowed",
	} {
		if got := shown(values(), message); got != want {
			t.Errorf("%q is shown as %q, want %q", message, got, want)
		}
	}
	prefix, whole := "https://receiver.example", endpoint
	both := valuesOf(WebhookFields{Label: &prefix, Endpoint: &whole})
	if got := shown(both, "bad "+endpoint); got != "bad [endpoint]" {
		t.Errorf("a label that begins the endpoint: %q", got)
	}
	short := "a"
	v := valuesOf(WebhookFields{Label: &short})
	if got := shown(v, "a label may be 'a', or any"); got != "[label] label may be '[label]', or any" {
		t.Errorf("a short label: %q", got)
	}
}

// disguises are forms in which a value may come back.
func disguises(value string) map[string]string {
	quoted, _ := json.Marshal(value)
	twice, _ := json.Marshal(string(quoted))
	runes, spaced, hidden := []rune(value), "", ""
	var hiddenSb112 strings.Builder
	var spacedSb112 strings.Builder
	for i, r := range runes {
		runes[i] = []rune(value)[len(runes)-1-i]
		spacedSb112.WriteString(string(r) + "\n")
		hiddenSb112.WriteString(string(r) + "\u200b")
	}
	hidden += hiddenSb112.String()
	spaced += spacedSb112.String()
	var allURL, allJSON, allHTML string
	var allHTMLSb118 strings.Builder
	var allJSONSb118 strings.Builder
	var allURLSb118 strings.Builder
	for _, b := range []byte(value) {
		allURLSb118.WriteString(fmt.Sprintf("%%%02x", b))
		allJSONSb118.WriteString(fmt.Sprintf(`\u%04x`, b))
		allHTMLSb118.WriteString(fmt.Sprintf("&#x%x;", b))
	}
	allHTML += allHTMLSb118.String()
	allJSON += allJSONSb118.String()
	allURL += allURLSb118.String()
	out := map[string]string{
		"plain": value, "upper": strings.ToUpper(value), "lower": strings.ToLower(value), "reversed": string(runes),
		"JSON": string(quoted), "JSON twice": string(twice), "JSON all": allJSON, "Go": fmt.Sprintf("%q", value),
		"path": url.PathEscape(value), "query": url.QueryEscape(value), "URL twice": url.QueryEscape(url.QueryEscape(value)),
		"URL all": allURL, "HTML": html.EscapeString(value), "HTML all": allHTML,
		"URL in HTML": html.EscapeString(allURL), "spaced": spaced, "hidden": hidden,
		"hex": hex.EncodeToString([]byte(value)), "upper hex": strings.ToUpper(hex.EncodeToString([]byte(value))),
		"hex of upper":         hex.EncodeToString([]byte(strings.ToUpper(value))),
		"base64 in a URL":      url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(value))),
		"base64 without bound": "x" + base64.RawStdEncoding.EncodeToString([]byte(value)) + "x",
	}
	for _, before := range []string{"", "1", "12", "user:"} {
		for _, after := range []string{"", "1", "12"} {
			at := fmt.Sprintf(" of %q+value+%q", before, after)
			plain := []byte(before + value + after)
			out["base64"+at] = base64.StdEncoding.EncodeToString(plain)
			out["base64url"+at] = base64.RawURLEncoding.EncodeToString(plain)
			out["lower base64"+at] = strings.ToLower(base64.StdEncoding.EncodeToString(plain))
		}
	}
	return out
}

func TestMessage_is_withheld_if_it_holds_a_secret_in_any_form(t *testing.T) {
	for _, value := range []string{keyCanary, headerCanary, signsCanary, wordsCanary} {
		for name, disguise := range disguises(value) {
			for _, message := range []string{"bad value " + disguise + " here", disguise, "got:" + disguise} {
				if got := shown(values(), message); got != "" {
					t.Errorf("%s of %s is shown: %s", name, value, got)
				}
			}
			if got := shown(values(), []string{"first", disguise}); got != "" {
				t.Errorf("%s of %s is shown from a list: %s", name, value, got)
			}
		}
	}
}

func TestMessage_is_withheld_if_it_holds_six_characters_of_a_secret(t *testing.T) {
	for _, value := range []string{keyCanary, headerCanary} {
		for i := range len(value) - 6 + 1 {
			piece := value[i : i+6]
			for name, form := range map[string]string{
				"plain": piece, "hex": hex.EncodeToString([]byte(piece)),
				"base64": base64.StdEncoding.EncodeToString([]byte("ab" + piece + "cd")),
			} {
				if got := shown(values(), "see ."+form+". there"); got != "" {
					t.Errorf("%q in %s is shown: %s", piece, name, got)
				}
			}
		}
		if got := shown(values(), "see "+value[:5]+"* there"); got == "" {
			t.Errorf("a message with five characters of %q is withheld", value)
		}
	}
}

func TestMessage_is_withheld_if_it_holds_the_whole_of_a_short_secret(t *testing.T) {
	for _, form := range []string{
		"Zq9", "zQ9", "9qZ", hex.EncodeToString([]byte("Zq9")), base64.StdEncoding.EncodeToString([]byte("Zq9")),
	} {
		if got := shown(values(), "pin "+form+" is bad"); got != "" {
			t.Errorf("%s is shown: %s", form, got)
		}
	}
	if got := shown(values(), "pin Zq is bad"); got != "pin Zq is bad" {
		t.Errorf("a piece of a short value withheld the message: %q", got)
	}
}

func TestMessage_is_withheld_if_it_repeats_the_query_in_another_form(t *testing.T) {
	_, query, _ := strings.Cut(endpoint, "?")
	for name, message := range map[string]string{
		"decoded once":  "token qu3ry-c4nary%2Fx y",
		"decoded twice": "token " + queryCanary,
		"a part of it":  "token=qu3ry-c4nary",
		"base64":        base64.StdEncoding.EncodeToString([]byte(endpoint)),
		"hex":           hex.EncodeToString([]byte(query)),
		"HTML":          html.EscapeString(endpoint),
		"reversed":      string([]rune("y02%xF252%yran4c-yr3uq")),
		"URL":           url.QueryEscape(endpoint),
	} {
		if got := shown(values(), "bad "+message); got != "" {
			t.Errorf("%s is shown: %s", name, got)
		}
	}
}

func TestMessage_is_withheld_if_it_undoes_the_escapes_of_the_query(t *testing.T) {
	escaped := "https://receiver.example/?t=%68%69%64%64%65%6e"
	if got := shown(valuesOf(WebhookFields{Endpoint: &escaped}), "token hidden is bad"); got != "" {
		t.Errorf("shown: %s", got)
	}
}

func TestMessage_is_withheld_if_it_holds_a_secret_that_the_answer_names(t *testing.T) {
	body := `{"message":"could not store n3w-s1gning","signingSecret":"n3w-s1gning"}`
	if got := values().message("application/json", []byte(body)); got != "" {
		t.Errorf("shown: %s", got)
	}
}

func TestMessage_is_withheld_if_it_can_be_read_in_too_many_ways(t *testing.T) {
	if got := shown(values(), `%2525252B \\\\\\u002b &amp;amp;amp;#x2b; + %26%2523x2b; \u0026amp;`); got != "" {
		t.Errorf("shown: %s", got)
	}
}

func TestMessage_is_withheld_if_it_holds_a_secret_that_was_not_sent(t *testing.T) {
	refusal := func(message string) error {
		return &Error{Operation: "updateWebhook", Cause: "the Hub answered 400", Message: message}
	}
	stored := NewSecret(signsCanary)
	for name, disguise := range disguises(signsCanary) {
		err := Withholding(refusal("signed with "+disguise), NewSecret("another one"), stored)
		if err.Error() != refusal("").Error() {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, secrets := range [][]Secret{nil, {{}}, {stored}} {
		harmless := refusal("the label is too long")
		if err := Withholding(harmless, secrets...); err.Error() != harmless.Error() {
			t.Errorf("%d secrets: %v", len(secrets), err)
		}
	}
	if err := Withholding(io.EOF, stored); !errors.Is(err, io.EOF) {
		t.Errorf("another error became %v", err)
	}
}
