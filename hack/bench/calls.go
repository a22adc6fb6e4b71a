package main

import "net/http"

// calls are calls to the Hub, in the order of time.
type calls []tally

// that gives those that are chosen.
func (c calls) that(chosen func(tally) bool) calls {
	var some calls
	for _, t := range c {
		if chosen(t) {
			some = append(some, t)
		}
	}
	return some
}

func (c calls) of(operation string) calls {
	return c.that(func(t tally) bool { return t.Operation == operation })
}

// from gives those that came in a second or later; the last second is open.
func (c calls) from(second int64) calls {
	return c.that(func(t tally) bool { return t.Second >= second })
}

func (c calls) until(second int64) calls {
	return c.that(func(t tally) bool { return t.Second < second })
}

// throttled are those that were answered 429, mutating those that ask for a change.
func (c calls) throttled() calls {
	return c.that(func(t tally) bool { return t.Status == http.StatusTooManyRequests })
}

func (c calls) mutating() calls {
	return c.that(func(t tally) bool { return t.Operation != "listWebhooks" && t.Operation != "getWebhook" })
}

func (c calls) count() int {
	n := 0
	for _, t := range c {
		n += t.Count
	}
	return n
}

func (c calls) byOperation() map[string]int {
	counts := map[string]int{}
	for _, t := range c {
		counts[t.Operation] += t.Count
	}
	return counts
}

// perSecond counts calls in each of n seconds from one on.
func (c calls) perSecond(from int64, n int) []int {
	counts := make([]int, n)
	for _, t := range c {
		if i := t.Second - from; i >= 0 && i < int64(n) {
			counts[i] += t.Count
		}
	}
	return counts
}

// gap is how many seconds without a call lie between two bursts at least.
const gap = 3

// bursts are how many calls there were in each row of calls without a gap.
func (c calls) bursts() []int {
	var all []int
	var last int64
	for _, t := range c {
		if len(all) == 0 || t.Second-last > gap {
			all = append(all, 0)
		}
		all[len(all)-1] += t.Count
		last = t.Second
	}
	return all
}

// share is a part of a whole, 0 of nothing.
func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}
