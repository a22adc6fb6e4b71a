package simulator

import (
	"slices"
	"time"
)

// Webhook is a registration as the Hub's API shows it: without headers and secret.
type Webhook struct {
	ID                     string     `json:"id"`
	ApplicationID          string     `json:"applicationId"`
	Active                 bool       `json:"active"`
	Label                  string     `json:"label"`
	EventType              string     `json:"eventType"`
	Endpoint               string     `json:"endpoint"`
	NumberOfErrors         int        `json:"numberOfErrors"`
	AuthenticationProtocol string     `json:"authenticationProtocol"`
	Scope                  *string    `json:"scope"`
	RequiresSignature      bool       `json:"requiresSignature"`
	IsVerified             bool       `json:"isVerified"`
	VerifiedAt             *time.Time `json:"verifiedAt"`
	CreatedDate            time.Time  `json:"createdDate"`
	LastModifiedDate       time.Time  `json:"lastModifiedDate"`
}

// record is all that the Hub knows of one webhook.
type record struct {
	Webhook
	headers      []Header
	secret       string
	oldSecrets   []string
	verification int // counts the verifications that were started; only the last one counts
	logs         []*deliveryLog
	versions     []version // what it looked like since when, oldest first
	deletedAt    time.Time
}

type version struct {
	at      time.Time
	webhook Webhook
	deleted bool
}

// maxVersions bounds what lagging reads can look back on.
const maxVersions = 32

func (r *record) deleted() bool { return !r.deletedAt.IsZero() }

// save keeps what r looks like now, for reads that lag.
func (r *record) save(now time.Time) {
	if len(r.versions) == maxVersions {
		r.versions = slices.Delete(r.versions, 0, 1)
	}
	r.versions = append(r.versions, version{at: now, webhook: r.Webhook, deleted: r.deleted()})
}

// at is what r looked like at a time, nil before its creation and after its deletion. It is good under the lock only.
func (r *record) at(t time.Time) *Webhook {
	for i := range slices.Backward(r.versions) {
		v := &r.versions[i]
		if v.at.After(t) {
			continue
		}
		if v.deleted {
			return nil
		}
		return &v.webhook
	}
	return nil
}

// Create registers a webhook and verifies its endpoint. The secret is empty without requiresSignature.
// The error is a *RefusalError, as with every method that plays a call.
func (c *Core) Create(applicationID string, change Change) (w Webhook, secret string, err error) {
	change.Active, change.IsVerified, change.NumberOfErrors = nil, nil, nil
	if err := change.checkCreate(); err != nil {
		return Webhook{}, "", err
	}
	return c.create(applicationID, change)
}

func (c *Core) create(applicationID string, change Change) (Webhook, string, error) {
	c.mu.Lock()
	a := c.find(applicationID)
	if a == nil {
		c.mu.Unlock()
		return Webhook{}, "", notFound("application")
	}
	now := c.now().UTC()
	r := &record{Webhook: Webhook{ID: c.newID(), ApplicationID: a.id, Active: true, CreatedDate: now}}
	secret := c.apply(r, change, now)
	r.save(now)
	c.records = append(c.records, r)
	c.byID[r.ID] = r
	if change.IsVerified == nil {
		c.verify(r)
	}
	defer c.mu.Unlock()
	return r.Webhook, secret, nil
}

// Get reads one webhook.
func (c *Core) Get(applicationID, id string) (Webhook, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.byID[id]
	if !ok || r.ApplicationID != applicationID {
		return Webhook{}, notFound("webhook")
	}
	w := r.at(c.readTime())
	if w == nil {
		return Webhook{}, notFound("webhook")
	}
	return *w, nil
}

// List is one page of the Application's webhooks.
func (c *Core) List(applicationID string, page Page) ([]Webhook, Pagination) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.readTime()
	// Pointers, for of thousands only a page is shown.
	all := make([]*Webhook, 0, len(c.records))
	for _, r := range c.records {
		if w := r.at(t); w != nil && w.ApplicationID == applicationID {
			all = append(all, w)
		}
	}
	if c.variants.NewestFirst {
		slices.Reverse(all)
	}
	part, pagination := cut(all, page, c.variants.MaxLimit)
	shown := make([]Webhook, 0, len(part))
	for _, w := range part {
		shown = append(shown, *w)
	}
	return shown, pagination
}

// Update plays a PATCH: it changes what change names and verifies when that touches the endpoint. The secret is empty
// unless this very call turned signing on.
func (c *Core) Update(applicationID, id string, change Change) (w Webhook, secret string, err error) {
	change.Active, change.IsVerified, change.NumberOfErrors = nil, nil, nil
	c.mu.Lock()
	defer c.mu.Unlock()
	r, err := c.owned(applicationID, id)
	if err != nil {
		return Webhook{}, "", err
	}
	if err := change.checkUpdate(); err != nil {
		return Webhook{}, "", err
	}
	if change.Label != nil {
		switch c.variants.LabelUpdate {
		case LabelRefused:
			return Webhook{}, "", invalid("property \"label\" should not exist")
		case LabelIgnored:
			change.Label = nil
		case LabelApplied:
		}
	}
	w, secret = c.update(r, change)
	return w, secret, nil
}

// update needs the lock, and gives it up while the endpoint is verified.
func (c *Core) update(r *record, change Change) (Webhook, string) {
	change = c.variants.stored(change)
	verify := change.Endpoint != nil && change.IsVerified == nil &&
		(*change.Endpoint != r.Endpoint || !c.variants.VerifyChangedOnly)
	reset := verify || change.Headers != nil && c.variants.HeadersResetVerified
	if reset {
		r.IsVerified, r.VerifiedAt = false, nil
	}
	now := c.now().UTC()
	secret := c.apply(r, change, now)
	r.save(now)
	if verify {
		c.verify(r)
	}
	return r.Webhook, secret
}

// Delete removes a webhook.
func (c *Core) Delete(applicationID, id string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, err := c.owned(applicationID, id)
	if err != nil {
		return err
	}
	c.remove(r)
	return nil
}

func (c *Core) remove(r *record) {
	r.deletedAt = c.now().UTC()
	r.logs = nil
	r.save(r.deletedAt)
}

// owned finds a webhook that is there now. It needs the lock.
func (c *Core) owned(applicationID, id string) (*record, error) {
	r, ok := c.byID[id]
	if !ok || r.deleted() || r.ApplicationID != applicationID {
		return nil, notFound("webhook")
	}
	return r, nil
}

// readTime is the time whose state a read sees. It needs the lock.
func (c *Core) readTime() time.Time { return c.now().Add(-time.Duration(c.variants.ReadLag)) }
