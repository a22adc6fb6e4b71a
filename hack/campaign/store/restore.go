package store

import (
	"maps"
	"slices"
)

// Restore puts every object back to what it was at a revision, as a backup of the API server's own store does that is
// restored with its revisions bumped: each object that differs is written anew, and those that came later are gone. It
// goes round the hook.
func (s *Store) Restore(revision int64) error {
	keys := slices.SortedFunc(maps.Keys(s.objects), compareKeys)
	for _, of := range keys {
		then, now := s.at(of, revision), s.at(of, s.revision)
		switch {
		case then == nil && now != nil:
			s.remove(of)
		case then != nil:
			object, err := s.kinds[of.kind].decode(then.stored)
			if err != nil {
				return err
			}
			if _, err := s.commit(of, object); err != nil {
				return err
			}
		}
	}
	return nil
}
