package simulator

import (
	"cmp"
	"slices"
)

// DefaultKeyName names the API key that an Application is made with.
const DefaultKeyName = "default"

// Application owns webhooks. Its API keys are known by name only.
type Application struct {
	ID   string   `json:"id"`
	Name string   `json:"name"`
	Keys []string `json:"keys"`
}

type application struct {
	id, name string
	keys     map[string]string // API key by its name
}

// keyRing says whose an API key is.
type keyRing struct {
	application *application
	name        string
}

func (a *application) public() Application {
	public := Application{ID: a.id, Name: a.name}
	for name := range a.keys {
		public.Keys = append(public.Keys, name)
	}
	slices.Sort(public.Keys)
	return public
}

// AddApplication makes an Application, or finds the one of that name, and gives it apiKey under DefaultKeyName.
// An empty apiKey adds none.
func (c *Core) AddApplication(name, apiKey string) Application {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.find(name)
	if a == nil {
		a = &application{id: c.newID(), name: name, keys: map[string]string{}}
		c.applications = append(c.applications, a)
	}
	if apiKey != "" {
		c.setKey(a, DefaultKeyName, apiKey)
	}
	return a.public()
}

// Applications are in the order in which they were made.
func (c *Core) Applications() []Application {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]Application, 0, len(c.applications))
	for _, a := range c.applications {
		all = append(all, a.public())
	}
	return all
}

// SetKey gives the Application (an id or name) apiKey under a name. A key of the same name stops working at once, so
// the same call adds and rotates. A key that another Application holds moves.
func (c *Core) SetKey(applicationRef, name, apiKey string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.find(applicationRef)
	if a == nil {
		return notFound("application")
	}
	if apiKey == "" {
		return invalid("an API key must not be empty")
	}
	c.setKey(a, name, apiKey)
	return nil
}

// RevokeKey makes the key of that name useless at once.
func (c *Core) RevokeKey(applicationRef, name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.find(applicationRef)
	if a == nil {
		return notFound("application")
	}
	key, ok := a.keys[cmp.Or(name, DefaultKeyName)]
	if !ok {
		return notFound("key")
	}
	c.dropKey(key)
	return nil
}

// Identify tells the Application and the name of apiKey; ok is false for a key that nobody has.
func (c *Core) Identify(apiKey string) (owner Application, keyName string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ring, ok := c.keys[apiKey]
	if !ok || apiKey == "" {
		return Application{}, "", false
	}
	return ring.application.public(), ring.name, true
}

// setKey needs the lock.
func (c *Core) setKey(a *application, name, apiKey string) {
	name = cmp.Or(name, DefaultKeyName)
	c.dropKey(apiKey)
	c.dropKey(a.keys[name])
	a.keys[name] = apiKey
	c.keys[apiKey] = keyRing{application: a, name: name}
}

// dropKey needs the lock.
func (c *Core) dropKey(apiKey string) {
	if ring, ok := c.keys[apiKey]; ok {
		delete(ring.application.keys, ring.name)
		delete(c.keys, apiKey)
	}
}

// find looks an Application up by id or name. It needs the lock.
func (c *Core) find(ref string) *application {
	for _, a := range c.applications {
		if a.id == ref || a.name == ref {
			return a
		}
	}
	return nil
}
