package connection

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

// idleTime is how long a connection without subjects is kept, for an API key may come back.
const idleTime = time.Minute

// Pool keeps one connection for each API key in use, all to the same Hub.
type Pool struct {
	cfg    Config
	client func(hub.Secret) (*hub.Client, error)

	mu          sync.Mutex
	connections map[string]*pooled
	// ended is set when Run ends; no connection is started after that.
	ended bool
	// run is the context of Run, nil before: connections are started when a key first comes up, long after that.
	run  context.Context
	work sync.WaitGroup
}

type pooled struct {
	*Connection
	stop context.CancelFunc
}

// NewPool makes a pool whose connections are made from cfg, with a client for each API key.
func NewPool(cfg Config, client func(hub.Secret) (*hub.Client, error)) *Pool {
	return &Pool{cfg: cfg, client: client, connections: map[string]*pooled{}}
}

// Run lets the connections of the pool work until ctx ends and they have stopped.
func (p *Pool) Run(ctx context.Context) {
	p.mu.Lock()
	p.run = ctx
	for _, c := range p.connections {
		p.start(c)
	}
	p.mu.Unlock()

	tick := time.NewTicker(idleTime)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			p.mu.Lock()
			p.ended = true
			p.mu.Unlock()
			p.work.Wait()
			return
		case <-tick.C:
			p.sweep()
		}
	}
}

// For is the connection for an API key. The error is about the key itself: it cannot be sent.
func (p *Pool) For(apiKey hub.Secret) (*Connection, error) {
	key := p.KeyHash(apiKey)
	p.mu.Lock()
	defer p.mu.Unlock()
	if c, ok := p.connections[key]; ok {
		c.used(p.cfg.Now())
		return c.Connection, nil
	}
	client, err := p.client(apiKey)
	if err != nil {
		return nil, err
	}
	c := &pooled{Connection: New(p.cfg, client, key)}
	p.connections[key] = c
	p.start(c)
	return c.Connection, nil
}

func (p *Pool) start(c *pooled) {
	if p.run == nil || c.stop != nil || p.ended {
		return
	}
	ctx, stop := context.WithCancel(p.run)
	c.stop = stop
	p.work.Go(func() { c.Run(ctx) })
}

// sweep ends the connections that were not used for a while.
func (p *Pool) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, c := range p.connections {
		if c.idle(p.cfg.Now()) {
			c.stop()
			delete(p.connections, key)
			p.cfg.Metrics.Closed(key)
		}
	}
}

// used keeps a connection that has no subjects yet from being ended.
func (c *Connection) used(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idleSince = now
}

func (c *Connection) idle(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.subjects) == 0 && now.After(c.idleSince.Add(idleTime)) && !now.Before(c.breaker.pausedUntil)
}

// KeyHash is what tells an API key for the Hub of the pool from others.
func (p *Pool) KeyHash(apiKey hub.Secret) string { return KeyHash(p.cfg.BaseURL, apiKey) }

// KeyHash distinguishes API keys, and the Hubs that they are for, and shows nothing of them: the beginning of the
// SHA-256 over the base URL, of which the spelling does not count, and the key. The same key says nothing at another
// Hub.
func KeyHash(baseURL string, apiKey hub.Secret) string {
	if base, err := url.Parse(baseURL); err == nil {
		base.Host = strings.ToLower(base.Host)
		baseURL = strings.TrimRight(base.String(), "/")
	}
	sum := sha256.Sum256([]byte(baseURL + "\n" + apiKey.Reveal()))
	return hex.EncodeToString(sum[:8])
}
