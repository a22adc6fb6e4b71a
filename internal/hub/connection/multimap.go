package connection

// multimap has several values for a key. Nearly every key has one, which stands in the map itself: a set for each would
// be most of what an inventory takes.
type multimap[K, V comparable] map[K]values[V]

type values[V comparable] struct {
	first V
	more  map[V]struct{}
}

// of are the values of a key.
func (m multimap[K, V]) of(k K) []V {
	have, ok := m[k]
	if !ok {
		return nil
	}
	all := make([]V, 0, 1+len(have.more))
	all = append(all, have.first)
	for v := range have.more {
		all = append(all, v)
	}
	return all
}

func (m multimap[K, V]) add(k K, v V) {
	have, ok := m[k]
	switch {
	case !ok:
		m[k] = values[V]{first: v}
	case have.first == v:
	case have.more == nil:
		m[k] = values[V]{first: have.first, more: map[V]struct{}{v: {}}}
	default:
		have.more[v] = struct{}{}
	}
}

func (m multimap[K, V]) remove(k K, v V) {
	have, ok := m[k]
	if !ok {
		return
	}
	if have.first != v {
		delete(have.more, v)
		return
	}
	for next := range have.more {
		delete(have.more, next)
		m[k] = values[V]{first: next, more: have.more}
		return
	}
	delete(m, k)
}
