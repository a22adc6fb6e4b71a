package connection

// waiters is a heap: those whose turn has come before, then by priority, then by time of arrival.
type waiters []*waiter

func (w waiters) Len() int { return len(w) }

func (w waiters) Less(i, j int) bool {
	if w[i].paid != w[j].paid {
		return w[i].paid
	}
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
	old[len(old)-1] = nil
	*w = old[:len(old)-1]
	return last
}
