package connection

import (
	"container/heap"
	"time"

	"golang.org/x/time/rate"
)

// grantTime is how long a turn that was granted is kept for a subject that does not take it.
const grantTime = time.Minute

// patience is how long polling waits at most before it goes first, for everything else goes before it.
const patience = 30 * time.Second

// polling is the subject in whose name the connection itself makes calls.
const polling Subject = ""

// budget is a token bucket with a queue: who finds no token is given a turn later, and woken for it.
type budget struct {
	limiter *rate.Limiter
	queue   waiters
	queued  map[Subject]*waiter
	granted map[Subject]time.Time
}

type waiter struct {
	subject  Subject
	priority Priority
	since    time.Time
	index    int
}

func newBudget(qps float64, burst int) budget {
	return budget{
		limiter: rate.NewLimiter(rate.Limit(qps), burst),
		queued:  map[Subject]*waiter{},
		granted: map[Subject]time.Time{},
	}
}

// take takes a token for s, or its turn if it was granted one. Without either, s waits in the queue.
func (b *budget) take(s Subject, p Priority, now time.Time) bool {
	if at, ok := b.granted[s]; ok {
		delete(b.granted, s)
		if now.Before(at.Add(grantTime)) {
			return true
		}
	}
	if len(b.queue) == 0 && b.limiter.AllowN(now, 1) {
		return true
	}
	b.enqueue(s, p, now)
	return false
}

// enqueue lets s wait for a turn.
func (b *budget) enqueue(s Subject, p Priority, now time.Time) {
	if w, ok := b.queued[s]; ok {
		w.priority = min(w.priority, p)
		heap.Fix(&b.queue, w.index)
		return
	}
	w := &waiter{subject: s, priority: p, since: now}
	b.queued[s] = w
	heap.Push(&b.queue, w)
}

// drain leaves one token for the moment t, so that no burst follows a pause.
func (b *budget) drain(t time.Time) {
	limiter := rate.NewLimiter(b.limiter.Limit(), b.limiter.Burst())
	limiter.AllowN(t, b.limiter.Burst()-1)
	b.limiter = limiter
	clear(b.granted)
}

// grant gives turns to those who wait, as far as tokens go, and tells whom and when there is a token again.
func (b *budget) grant(now time.Time) (turns []Subject, next time.Time) {
	for len(b.queue) > 0 {
		if !b.limiter.AllowN(now, 1) {
			missing := 1 - b.limiter.TokensAt(now)
			return turns, now.Add(time.Duration(missing / float64(b.limiter.Limit()) * float64(time.Second)))
		}
		w := b.next(now)
		delete(b.queued, w.subject)
		b.granted[w.subject] = now
		turns = append(turns, w.subject)
	}
	for s, at := range b.granted {
		if now.After(at.Add(grantTime)) {
			delete(b.granted, s)
		}
	}
	return turns, time.Time{}
}

// next takes the most urgent waiter, or the one that has lost its patience.
func (b *budget) next(now time.Time) *waiter {
	if w, ok := b.queued[polling]; ok && now.After(w.since.Add(patience)) {
		heap.Remove(&b.queue, w.index)
		return w
	}
	w, _ := heap.Pop(&b.queue).(*waiter)
	return w
}

func (b *budget) forget(s Subject) {
	delete(b.granted, s)
	if w, ok := b.queued[s]; ok {
		heap.Remove(&b.queue, w.index)
		delete(b.queued, s)
	}
}

// waiters is a heap by priority, then by time of arrival.
type waiters []*waiter

func (w waiters) Len() int { return len(w) }

func (w waiters) Less(i, j int) bool {
	if w[i].priority != w[j].priority {
		return w[i].priority < w[j].priority
	}
	return w[i].since.Before(w[j].since)
}

func (w waiters) Swap(i, j int) {
	w[i], w[j] = w[j], w[i]
	w[i].index, w[j].index = i, j
}

// Push is for package heap.
func (w *waiters) Push(x any) {
	e, _ := x.(*waiter)
	e.index = len(*w)
	*w = append(*w, e)
}

// Pop is for package heap.
func (w *waiters) Pop() any {
	old := *w
	last := old[len(old)-1]
	*w = old[:len(old)-1]
	return last
}
