package connection

import (
	"container/heap"
	"math"
	"time"

	"golang.org/x/time/rate"
)

const (
	// grantTime is how long a turn that was granted is kept for a subject that does not take it.
	grantTime = time.Minute
	// freshTime is for how long a turn that was granted counts as a call that is about to be made.
	freshTime = 10 * time.Second
	// pollingShare is how many calls there are for each that polling makes while others wait, and everything else goes
	// before it.
	pollingShare = 13
	// burstShare is how much of a second's calls go at once where the Hub takes less than is configured.
	burstShare = 0.05
)

// polling is the subject in whose name the connection itself makes calls.
const polling Subject = ""

// budget is a token bucket with a queue: who finds no token, or no lane, is given a turn later, and woken for it.
type budget struct {
	pace    pace
	burst   int
	limiter *rate.Limiter
	lane    *lane
	queue   waiters
	queued  map[Subject]*waiter
	// granted are those who have a turn and have not taken it yet.
	granted map[Subject]*waiter
	// others is how many turns others were given since polling had its last one.
	others int
}

type waiter struct {
	subject  Subject
	priority Priority
	since    time.Time
	// paid: its token is taken already. In the queue that is one who had its turn and found no lane then.
	paid bool
	// grantedAt is when it was given its turn.
	grantedAt time.Time
	index     int
}

func newBudget(qps float64, burst int, lane *lane) budget {
	return budget{
		pace: pace{most: qps}, burst: burst,
		limiter: rate.NewLimiter(rate.Limit(qps), burst),
		lane:    lane,
		queued:  map[Subject]*waiter{},
		granted: map[Subject]*waiter{},
	}
}

// token takes a token, if there is one at the present pace.
func (b *budget) token(now time.Time) bool {
	b.adjust(now)
	return b.limiter.AllowN(now, 1)
}

// debit takes a token that may not be there yet: what is called in any case is called for later.
func (b *budget) debit(now time.Time) {
	b.adjust(now)
	b.limiter.ReserveN(now, 1)
}

// hasToken reports whether there is a token at the present pace.
func (b *budget) hasToken(now time.Time) bool {
	b.adjust(now)
	return b.limiter.TokensAt(now) >= 1
}

// adjust has the bucket filled at the present pace. Under the one configured there are no bursts worth the name.
func (b *budget) adjust(now time.Time) {
	if b.pace.countSince.IsZero() {
		b.pace.countSince = now
	}
	current, burst := b.pace.at(now), b.burst
	if b.pace.limit > 0 {
		burst = min(max(int(math.Ceil(current*burstShare)), 1), b.burst)
	}
	if rate.Limit(current) != b.limiter.Limit() {
		b.limiter.SetLimitAt(now, rate.Limit(current))
	}
	if burst != b.limiter.Burst() {
		b.limiter.SetBurstAt(now, burst)
	}
}

// take takes a token and a lane for s, or the turn it was granted. Without either, s waits in the queue: a turn that
// finds no lane keeps its token and its place.
func (b *budget) take(s Subject, p Priority, now time.Time) bool {
	w := b.turn(s, now)
	if w == nil && (len(b.queue) > 0 || !b.hasToken(now)) {
		b.enqueue(s, p, now)
		return false
	}
	// Polling is the connection's own, and keeps no worker.
	if s != polling && !b.lane.enter(now) {
		if w == nil {
			w = &waiter{subject: s, since: now}
		}
		w.priority = p
		b.forget(s)
		b.push(w)
		return false
	}
	if w == nil {
		b.token(now)
		b.count(s)
	}
	b.forget(s)
	return true
}

// turn is the turn that s was granted, nil for none.
func (b *budget) turn(s Subject, now time.Time) *waiter {
	if w := b.granted[s]; w != nil && now.Before(w.grantedAt.Add(grantTime)) {
		return w
	}
	return nil
}

// reserve takes a turn for a call that s is about to make.
func (b *budget) reserve(s Subject, p Priority, now time.Time) bool {
	if b.turn(s, now) != nil {
		return true
	}
	if len(b.queue) == 0 && b.room(now) > 0 && b.token(now) {
		b.give(&waiter{subject: s, priority: p, since: now}, now)
		return true
	}
	b.enqueue(s, p, now)
	return false
}

// give gives a turn, whose token is taken.
func (b *budget) give(w *waiter, now time.Time) {
	w.paid, w.grantedAt = true, now
	b.granted[w.subject] = w
	b.count(w.subject)
}

// count counts a turn.
func (b *budget) count(s Subject) {
	if b.others++; s == polling {
		b.others = 0
	}
}

// room is how many turns can be granted, as far as lanes go.
func (b *budget) room(now time.Time) int {
	fresh := 0
	for s, w := range b.granted {
		if s != polling && now.Sub(w.grantedAt) < freshTime {
			fresh++
		}
	}
	return b.lane.room(now) - fresh
}

// enqueue lets s wait for a turn.
func (b *budget) enqueue(s Subject, p Priority, now time.Time) {
	if w, ok := b.queued[s]; ok {
		w.priority = min(w.priority, p)
		heap.Fix(&b.queue, w.index)
		return
	}
	b.push(&waiter{subject: s, priority: p, since: now})
}

func (b *budget) push(w *waiter) {
	b.queued[w.subject] = w
	heap.Push(&b.queue, w)
}

// slowDown records that no call is to be made before a time to come.
func (b *budget) slowDown(now, until time.Time) {
	b.pace.slowDown(now, until)
	b.begin(until)
	b.limiter.AllowN(now, 1) // a pause that is shorter than the time between two calls is not the end of waiting
}

// comeBack starts again after an outage.
func (b *budget) comeBack(now time.Time) {
	b.pace.comeBack(now)
	b.begin(now)
}

// begin leaves one token for the moment t, so that no burst follows a pause, and takes back turns that were not taken.
func (b *budget) begin(t time.Time) {
	b.limiter = rate.NewLimiter(rate.Limit(b.pace.at(t)), 1)
	clear(b.granted)
	for _, w := range b.queue {
		w.paid = false
	}
	heap.Init(&b.queue)
}

// grant gives turns to waiting subjects, as far as tokens and lanes go, and tells whom and when there is a token again.
func (b *budget) grant(now time.Time) (turns []Subject, next time.Time) {
	for s := range b.granted {
		if b.turn(s, now) == nil {
			delete(b.granted, s)
		}
	}
	if len(b.queue) == 0 {
		b.lane.rest()
		return nil, time.Time{}
	}
	room := b.room(now)
	for len(b.queue) > 0 {
		w := b.next(room)
		if w == nil {
			return turns, now.Add(slowCall) // who ends a call has us look sooner
		}
		if !w.paid && !b.token(now) {
			missing := 1 - b.limiter.TokensAt(now)
			return turns, now.Add(time.Duration(missing / float64(b.limiter.Limit()) * float64(time.Second)))
		}
		heap.Remove(&b.queue, w.index)
		delete(b.queued, w.subject)
		b.give(w, now)
		turns = append(turns, w.subject)
		if w.subject != polling {
			room--
		}
	}
	return turns, time.Time{}
}

// next is the most urgent waiter, or polling where its share is due or no other subject can go.
func (b *budget) next(room int) *waiter {
	poll, polls := b.queued[polling]
	if polls && (room <= 0 || b.others >= pollingShare-1) {
		return poll
	}
	if room <= 0 {
		return nil
	}
	return b.queue[0]
}

func (b *budget) forget(s Subject) {
	delete(b.granted, s)
	if w, ok := b.queued[s]; ok {
		heap.Remove(&b.queue, w.index)
		delete(b.queued, s)
	}
}
