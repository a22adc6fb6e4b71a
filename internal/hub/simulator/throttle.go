package simulator

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// throttle is the rate limit of each API key.
type throttle struct {
	mu        sync.Mutex
	perSecond float64
	limiters  map[string]*rate.Limiter
}

func (t *throttle) set(perSecond float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.perSecond, t.limiters = perSecond, map[string]*rate.Limiter{}
}

// allow takes one call off the budget of apiKey; a budget holds one second's worth.
func (t *throttle) allow(apiKey string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.perSecond <= 0 {
		return true
	}
	limiter, ok := t.limiters[apiKey]
	if !ok {
		limiter = rate.NewLimiter(rate.Limit(t.perSecond), int(math.Ceil(t.perSecond)))
		t.limiters[apiKey] = limiter
	}
	return limiter.AllowN(now, 1)
}
