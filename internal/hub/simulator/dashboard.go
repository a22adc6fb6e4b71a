package simulator

import "time"

// DecodeDashboardChange reads a change that a user of the Hub's dashboard makes: the fields of the API, and active,
// isVerified and numberOfErrors. Values are not checked, so that webhooks of other times can be made.
func DecodeDashboardChange(body []byte) (Change, error) {
	var change Change
	err := decodeFields(body, change.dashboardFields())
	return change, err
}

// CreateByHand registers a webhook as a user of the dashboard would; an event type and protocol that change leaves out
// are Message and NoAuthentication. With isVerified in change there is no handshake.
func (c *Core) CreateByHand(applicationRef string, change Change) (Webhook, error) {
	if change.EventType == nil {
		change.EventType = &eventTypes[0]
	}
	if change.AuthenticationProtocol == nil {
		change.AuthenticationProtocol = &protocols[0]
	}
	w, _, err := c.create(applicationRef, change)
	return w, err
}

// ChangeByHand changes any field as a user of the dashboard would; the label is always taken. A change of the endpoint
// is verified unless isVerified is set too.
func (c *Core) ChangeByHand(id string, change Change) (Webhook, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.byID[id]
	if !ok || r.deleted() {
		return Webhook{}, notFound("webhook")
	}
	w, _ := c.update(r, change)
	return w, nil
}

// DeleteByHand removes a webhook as a user of the dashboard would.
func (c *Core) DeleteByHand(id string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.byID[id]
	if !ok || r.deleted() {
		return notFound("webhook")
	}
	c.remove(r)
	return nil
}

// RedefineByHand replaces the signing secret as a user of the dashboard would.
func (c *Core) RedefineByHand(id string) (secret string, err error) {
	c.mu.Lock()
	r, ok := c.byID[id]
	c.mu.Unlock()
	if !ok {
		return "", notFound("webhook")
	}
	return c.Redefine(r.ApplicationID, id)
}

// Webhooks are those of an Application (an id or name) that are there now, oldest first, whatever the variants.
func (c *Core) Webhooks(applicationRef string) []Webhook {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := []Webhook{}
	a := c.find(applicationRef)
	for _, r := range c.records {
		if a != nil && r.ApplicationID == a.id && !r.deleted() {
			all = append(all, r.Webhook)
		}
	}
	return all
}

// Lifetime is when a webhook was there, so that a test can say that two never were at once.
type Lifetime struct {
	ID            string    `json:"id"`
	ApplicationID string    `json:"applicationId"`
	Label         string    `json:"label"`
	Endpoint      string    `json:"endpoint"`
	EventType     string    `json:"eventType"`
	CreatedAt     time.Time `json:"createdAt"`
	// DeletedAt is zero while the webhook is there.
	DeletedAt time.Time `json:"deletedAt,omitzero"`
}

// Overlaps says whether both were there at one moment.
func (l Lifetime) Overlaps(other Lifetime) bool {
	return (l.DeletedAt.IsZero() || other.CreatedAt.Before(l.DeletedAt)) &&
		(other.DeletedAt.IsZero() || l.CreatedAt.Before(other.DeletedAt))
}

// Lifetimes are those of every webhook since the last Reset, oldest first, with their last label, endpoint and type.
func (c *Core) Lifetimes() []Lifetime {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]Lifetime, 0, len(c.records))
	for _, r := range c.records {
		all = append(all, Lifetime{
			ID: r.ID, ApplicationID: r.ApplicationID, Label: r.Label, Endpoint: r.Endpoint, EventType: r.EventType,
			CreatedAt: r.CreatedDate, DeletedAt: r.deletedAt,
		})
	}
	return all
}
