package faultproxy

import (
	"context"
	"io"
	"sync"
)

// gate is open or shut.
type gate struct {
	mu   sync.Mutex
	shut chan struct{} // closed when the gate opens; nil while it is open
}

func (g *gate) set(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case shut && g.shut == nil:
		g.shut = make(chan struct{})
	case !shut && g.shut != nil:
		close(g.shut)
		g.shut = nil
	}
}

// pass waits until the gate is open, or ctx has ended.
func (g *gate) pass(ctx context.Context) {
	g.mu.Lock()
	shut := g.shut
	g.mu.Unlock()
	if shut == nil {
		return
	}
	select {
	case <-shut:
	case <-ctx.Done():
	}
}

// lagging is a body whose content waits at a gate.
type lagging struct {
	io.ReadCloser
	gate *gate
	ctx  context.Context //nolint:containedctx // that of the request, for which there is no other way in
}

// Read is for package io.
func (l lagging) Read(p []byte) (int, error) {
	n, err := l.ReadCloser.Read(p)
	l.gate.pass(l.ctx)
	return n, err
}
