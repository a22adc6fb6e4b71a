package simulator

import "slices"

// replaceSecret makes next the only secret that signs.
func (r *record) replaceSecret(next string) {
	if r.secret != "" {
		r.oldSecrets = append(r.oldSecrets, r.secret)
	}
	r.secret = next
}

// Redefine replaces the signing secret at once and gives the new one.
func (c *Core) Redefine(applicationID, id string) (secret string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, err := c.owned(applicationID, id)
	if err != nil {
		return "", err
	}
	if !r.RequiresSignature {
		return "", invalid("the webhook does not require a signature")
	}
	r.replaceSecret(c.newSecret())
	return r.secret, nil
}

// SecretOf is what the Hub signs deliveries of a webhook with now; empty when it signs none. For tests.
func (c *Core) SecretOf(id string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r, ok := c.byID[id]; ok {
		return r.secret
	}
	return ""
}

// OldSecretsOf are the secrets that a webhook had before, oldest first. For tests.
func (c *Core) OldSecretsOf(id string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r, ok := c.byID[id]; ok {
		return slices.Clone(r.oldSecrets)
	}
	return nil
}

// HeadersOf are the custom headers of a webhook, values included. For tests.
func (c *Core) HeadersOf(id string) []Header {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r, ok := c.byID[id]; ok {
		return slices.Clone(r.headers)
	}
	return nil
}
