// Package connection is the one way to the Hub for everything that shares an API key: an inventory of the
// Application's webhooks from one paged listing, a budget of calls, and a breaker for a key that is refused or a Hub
// that is down. It knows nothing of Kubernetes: whom it serves are subjects, which it wakes.
package connection

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

// Subject uses a connection and is woken by it.
type Subject string

// ErrWait is the answer to a call that was not made because the key's budget is spent, the key is paused or the Hub
// cannot be reached. Nothing was sent. The subject is woken when it is worth another try.
var ErrWait = errors.New("the call waits for its turn")

// Priority orders calls that wait for the budget, most urgent first.
type Priority int

// The priorities: what ends something goes before what begins it, and both go before looking.
const (
	Deletion Priority = iota
	Creation
	Repair
	Polling
)

// Urgency is how soon to wake a subject.
type Urgency int

const (
	// Usual: something has changed for the subject.
	Usual Urgency = iota
	// Turn: the subject has a turn to make a call, which others wait for.
	Turn
	// Awaited: what the subject has waited for was observed.
	Awaited
)

// Config is what connections are made from. All of it is required.
type Config struct {
	// BaseURL is where the Hub is.
	BaseURL string
	// QPS and Burst are the budget of calls of one API key: calls per second and how many at once.
	QPS   float64
	Burst int
	// PollInterval is the time between two listings.
	PollInterval time.Duration
	// Now is the clock.
	Now func() time.Time
	// Jitter makes a duration a little longer, never shorter, so that keys do not act in step.
	Jitter func(time.Duration) time.Duration
	// Lanes are shared by all connections whose calls are made by the same workers.
	Lanes *Lanes
	// Wake receives the subjects for which something has changed. It must not block.
	Wake func([]Subject, Urgency)
	// Metrics receives what happens.
	Metrics Metrics
}

// Metrics receives what happens on connections; keys are distinguished by a hash that shows nothing of them.
type Metrics struct {
	// Throttled receives how long a key was paused for.
	Throttled func(key string, pause time.Duration)
	// Breaker is called when calls of a key stop, with the reason, and when they resume.
	Breaker func(key string, access Access)
	// Listed receives when a complete listing began.
	Listed func(key string, began time.Time)
	// Closed is called when a key is no longer in use.
	Closed func(key string)
}

// Connection is everything that is shared by all subjects that use one API key. It is safe for concurrent use.
type Connection struct {
	cfg    Config
	client *hub.Client
	key    string

	mu        sync.Mutex
	subjects  map[Subject]interest
	inventory inventory
	lister    lister
	budget    budget
	breaker   breaker
	ramp      ramp
	// observations are of webhooks that are to be read again.
	observations observations
	// page is the connection's turn among all that read pages.
	page      *pageTurn
	idleSince time.Time
	// kick makes the loop of the budget look again.
	kick chan struct{}
}

// interest is what a subject wants to be woken for.
type interest struct {
	webhookID string
	natural   NaturalKey
	former    []NaturalKey
}

func (in interest) equal(other interest) bool {
	return in.webhookID == other.webhookID && in.natural == other.natural && slices.Equal(in.former, other.former)
}

// keys are all natural keys that news is wanted of.
func (in interest) keys() []NaturalKey { return append([]NaturalKey{in.natural}, in.former...) }

// New makes a connection for the API key that client holds. key distinguishes it in metrics and logs and must show
// nothing of the API key. Run, or Step, must be called for it to do anything by itself.
func New(cfg Config, client *hub.Client, key string) *Connection {
	c := &Connection{
		cfg: cfg, client: client, key: key,
		subjects:     map[Subject]interest{},
		inventory:    newInventory(),
		observations: newObservations(cfg.Now()),
		idleSince:    cfg.Now(),
		lister:       newLister(),
		kick:         make(chan struct{}, 1),
	}
	c.page = cfg.Lanes.pages.join(func() { kick(c.lister.kicked) })
	c.observations.turn = cfg.Lanes.pages.join(func() { kick(c.observations.kicked) })
	c.budget = newBudget(cfg.QPS, cfg.Burst, cfg.Lanes.join(c.kickBudget))
	return c
}

// Key distinguishes this connection; it shows nothing of the API key.
func (c *Connection) Key() string { return c.key }

// Subscribe makes s known as someone to wake when the webhook with this id changes or goes, when another webhook with
// this natural key, or a former one, appears, and when the Hub or the key becomes usable or unusable. An empty id is no
// id.
func (c *Connection) Subscribe(s Subject, webhookID string, natural NaturalKey, former ...NaturalKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old, known := c.subjects[s]
	wanted := interest{webhookID, natural, former}
	if known && old.equal(wanted) {
		return
	}
	if known {
		c.inventory.unwatch(s, old)
	}
	c.subjects[s] = wanted
	c.inventory.watch(s, wanted)
	if !known && len(c.subjects) == 1 {
		c.signal()
	}
}

// Unsubscribe forgets s. A connection without subjects makes no calls.
func (c *Connection) Unsubscribe(s Subject) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.subjects[s]; ok {
		c.inventory.unwatch(s, old)
		delete(c.subjects, s)
		c.budget.forget(s)
		c.lister.forget(s)
		c.observations.forget(s, old.webhookID)
	}
	if len(c.subjects) == 0 {
		c.idleSince = c.cfg.Now()
	}
}

// Run lets the connection work until ctx ends: grant calls their turn, list, and probe.
func (c *Connection) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var listing sync.WaitGroup
	defer listing.Wait()
	defer c.budget.lane.rest()
	listing.Go(func() { c.runLister(ctx) })
	listing.Go(func() { c.runObservations(ctx) })
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-c.kick:
		}
		timer.Reset(c.until(c.StepBudget()))
	}
}

func (c *Connection) runLister(ctx context.Context) {
	defer c.page.leave()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-c.lister.kicked:
		}
		timer.Reset(c.until(c.StepListing(ctx)))
	}
}

// until is the time left until t, and an hour when there is no t: a signal comes before.
func (c *Connection) until(t time.Time) time.Duration {
	if t.IsZero() {
		return time.Hour
	}
	return max(t.Sub(c.cfg.Now()), 0)
}

// signal makes all loops look again.
func (c *Connection) signal() {
	c.kickBudget()
	kick(c.lister.kicked)
	kick(c.observations.kicked)
}

// kickBudget has the loop of the budget run again: a subject waits in the queue.
func (c *Connection) kickBudget() { kick(c.kick) }

func kick(loop chan<- struct{}) {
	select {
	case loop <- struct{}{}:
	default:
	}
}

// wake wakes subjects outside of the lock.
func (c *Connection) wake(subjects []Subject, urgency Urgency) {
	if len(subjects) > 0 {
		c.cfg.Wake(subjects, urgency)
	}
}

func (c *Connection) everyone() []Subject {
	all := make([]Subject, 0, len(c.subjects))
	for s := range c.subjects {
		all = append(all, s)
	}
	return all
}
