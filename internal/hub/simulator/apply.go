package simulator

import (
	"slices"
	"time"
)

// apply carries change out on r, and gives the signing secret if the change turned signing on. It needs the lock.
func (c *Core) apply(r *record, change Change, now time.Time) (secret string) {
	change = c.variants.stored(change)
	set(&r.Label, change.Label)
	set(&r.Endpoint, change.Endpoint)
	set(&r.EventType, change.EventType)
	set(&r.AuthenticationProtocol, change.AuthenticationProtocol)
	set(&r.Scope, change.Scope)
	set(&r.Active, change.Active)
	set(&r.NumberOfErrors, change.NumberOfErrors)
	if change.Headers != nil {
		r.headers = slices.Clone(*change.Headers)
	}
	if change.IsVerified != nil {
		r.setVerified(*change.IsVerified, now)
	}
	r.LastModifiedDate = now
	if change.RequiresSignature == nil || *change.RequiresSignature == r.RequiresSignature {
		return ""
	}
	r.RequiresSignature = *change.RequiresSignature
	if !r.RequiresSignature {
		r.replaceSecret("")
		return ""
	}
	r.replaceSecret(c.newSecret())
	return r.secret
}

func (r *record) setVerified(verified bool, now time.Time) {
	r.IsVerified, r.VerifiedAt = verified, nil
	if verified {
		r.VerifiedAt = &now
	}
}

func set[T any](target, value *T) {
	if value != nil {
		*target = *value
	}
}
