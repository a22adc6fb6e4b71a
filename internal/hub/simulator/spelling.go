package simulator

import (
	"net/url"
	"strings"
)

// stored returns a change with label and endpoint spelled as this deployment stores them.
func (v Variants) stored(change Change) Change {
	if change.Endpoint != nil && v.NormalizeEndpoint {
		change.Endpoint = new(parsedURL(*change.Endpoint))
	}
	if change.Label != nil && v.NormalizeLabel {
		change.Label = new(strings.Join(strings.Fields(*change.Label), " "))
	}
	return change
}

// parsedURL returns the spelling of a URL that a parser writes. Percent-encoded octets stay as they are.
func parsedURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	u.Host = strings.TrimSuffix(strings.ToLower(u.Host), ":443")
	if u.Path == "" {
		u.Path = "/"
	}
	return u.ResolveReference(u).String()
}
