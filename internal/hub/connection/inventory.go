package connection

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

// ReadLag is how long after a write a read may still show what was there before.
const ReadLag = 5 * time.Second

// NaturalKey is what a webhook is recognised by, for the Hub keeps no name of ours. Label and endpoint are in their
// normal form.
type NaturalKey struct {
	Label, Endpoint, EventType string
}

// Natural returns the natural key of a label, an endpoint and an event type.
func Natural(label, endpoint, eventType string) NaturalKey {
	return NaturalKey{
		Label: hub.NormalLabel(label), Endpoint: hub.NormalEndpoint(endpoint), EventType: eventType,
	}
}

// Sighting is a webhook as it was last seen.
type Sighting struct {
	Webhook hub.Webhook
	// SeenAt is when the call began that showed the webhook so.
	SeenAt time.Time
}

// Listing is what is known from listings.
type Listing struct {
	// BeganAt is when the last complete listing began, zero when there was none yet.
	BeganAt time.Time
	// TriedAt is when the last listing began that came to its end, whole or not.
	TriedAt time.Time
	// Count is how many webhooks the Application has, Calls how many calls it takes to list them.
	Count, Calls int
	// Pages is how many pages the first listing has, which is under way, and Read how many of them were read; zero once
	// there was a complete one.
	Pages, Read int
	// ApplicationID is the Application that the webhooks belong to, empty while there are none.
	ApplicationID string
	// Unreadable is the entry because of which the last listing that came to its end was not whole, empty if there was
	// none.
	Unreadable string
}

type entry struct {
	Sighting
	// writtenAt is when a write of ours last changed the webhook. The answer to it showed the webhook verified or not.
	writtenAt       time.Time
	writtenVerified bool
}

// inventory is what is known of an Application's webhooks. Own writes change it at once, listings by comparison.
type inventory struct {
	entries map[string]entry
	natural multimap[NaturalKey, string]
	deleted map[string]time.Time
	// missing are webhooks that a call for one of them has not found, and when it began. One that has an entry all the
	// same is in doubt, for a single 404 may be false: the next complete listing decides. One that has none is gone,
	// and is asked for again after the next listing.
	missing map[string]time.Time
	// total is how many webhooks there are, as the last page said and own writes changed it, newestFirst in which order
	// they are listed, and paged whether a page was read that says so.
	total              int
	newestFirst, paged bool
	listing            Listing
	byID               multimap[string, Subject]
	byNatural          multimap[NaturalKey, Subject]
}

func newInventory() inventory {
	return inventory{
		entries:   map[string]entry{},
		natural:   multimap[NaturalKey, string]{},
		deleted:   map[string]time.Time{},
		missing:   map[string]time.Time{},
		byID:      multimap[string, Subject]{},
		byNatural: multimap[NaturalKey, Subject]{},
	}
}

func (i *inventory) watch(s Subject, in interest) {
	if in.webhookID != "" {
		i.byID.add(in.webhookID, s)
	}
	for _, key := range in.keys() {
		i.byNatural.add(key, s)
		i.byNatural.add(key.unlabelled(), s)
	}
}

func (i *inventory) unwatch(s Subject, in interest) {
	i.byID.remove(in.webhookID, s)
	for _, key := range in.keys() {
		i.byNatural.remove(key, s)
		i.byNatural.remove(key.unlabelled(), s)
	}
}

// unlabelled is the natural key that a webhook has whose label the Hub does not show.
func (k NaturalKey) unlabelled() NaturalKey {
	k.Label = ""
	return k
}

// alike are those who declare a webhook that looks like this one.
func (i *inventory) alike(w *hub.Webhook) []Subject {
	return i.byNatural.of(naturalKey(w))
}

// wrote records the answer to a write of ours.
func (i *inventory) wrote(w hub.Webhook, at time.Time) {
	delete(i.deleted, w.ID)
	_, known := i.entries[w.ID]
	if i.put(w, at, at, w.IsVerified); !known {
		i.total++
	}
}

// erased records a webhook that we deleted, so that a listing under way does not bring it back.
func (i *inventory) erased(id string, at time.Time) {
	if _, known := i.entries[id]; known {
		i.total--
	}
	i.drop(id)
	i.deleted[id] = at
}

// ordered takes how many webhooks there are and in which order the Hub lists them, as a page shows it.
func (i *inventory) ordered(page *hub.WebhookPage) {
	last := len(page.Webhooks) - 1
	if !page.Paged || last < 0 {
		return
	}
	i.total, i.paged = page.Total, true
	if d := page.Webhooks[0].CreatedDate.Compare(page.Webhooks[last].CreatedDate); d != 0 {
		i.newestFirst = d > 0
	}
}

// saw takes what a read that began at the given time showed, and returns the subjects for which it is news.
func (i *inventory) saw(w hub.Webhook, began time.Time) []Subject {
	if gone, ok := i.deleted[w.ID]; ok && began.Before(gone.Add(ReadLag)) {
		return nil
	}
	var news []Subject
	old, known := i.entries[w.ID]
	if known {
		// A read may show the past: one that began before our write or an earlier read, or soon after our write and
		// shows something else.
		if began.Before(old.SeenAt) ||
			began.Before(old.writtenAt.Add(ReadLag)) && goesBack(&old, &w) {
			return nil
		}
		if i.inDoubt(w.ID) {
			if began.Before(i.missing[w.ID]) {
				return nil
			}
			delete(i.missing, w.ID)
			news = i.byID.of(w.ID)
		}
	}
	if known && same(&old.Webhook, &w) {
		// What was there is kept: a poll that shows nothing new leaves nothing for the garbage collector.
		old.SeenAt = began
		i.entries[w.ID] = old
		return news
	}
	i.put(w, began, old.writtenAt, old.writtenVerified)
	news = i.byID.of(w.ID)
	if renamed := known && naturalKey(&old.Webhook) != naturalKey(&w); renamed {
		news = append(news, i.alike(&old.Webhook)...)
		news = append(news, i.alike(&w)...)
	}
	if !known {
		news = append(news, i.alike(&w)...)
	}
	return news
}

// missed records that a call did not find a webhook. One that began soon after our write may have missed it only.
func (i *inventory) missed(id string, began time.Time) {
	old, ok := i.entries[id]
	if !ok || !began.Before(old.writtenAt.Add(ReadLag)) && !began.Before(old.SeenAt) {
		i.missing[id] = began
	}
}

// inDoubt reports whether a call did not find a webhook that reads have shown.
func (i *inventory) inDoubt(id string) bool {
	_, missed := i.missing[id]
	_, shown := i.entries[id]
	return missed && shown
}

// listed records a complete listing: what it does not show is gone, unless we wrote it lately.
func (i *inventory) listed(seen map[string]struct{}, began time.Time, count int) []Subject {
	var news []Subject
	maps.DeleteFunc(i.missing, func(id string, at time.Time) bool { return at.Before(began) && !i.inDoubt(id) })
	for id, e := range i.entries {
		if _, ok := seen[id]; ok || began.Before(e.writtenAt.Add(ReadLag)) || began.Before(e.SeenAt) {
			continue
		}
		i.drop(id)
		news = append(news, i.byID.of(id)...)
		news = append(news, i.alike(&e.Webhook)...)
	}
	if i.listing.BeganAt.IsZero() {
		// Who has waited for a webhook that the first listing does not show learns so now.
		for id := range i.byID {
			if _, ok := i.entries[id]; !ok {
				news = append(news, i.byID.of(id)...)
			}
		}
	}
	maps.DeleteFunc(i.deleted, func(_ string, at time.Time) bool { return began.After(at.Add(ReadLag)) })
	i.listing.BeganAt, i.listing.Count, i.listing.Calls = began, count, pages(count)
	if !i.paged {
		i.total = count
	}
	return news
}

func (i *inventory) put(w hub.Webhook, seen, written time.Time, verified bool) {
	if old, ok := i.entries[w.ID]; ok && naturalKey(&old.Webhook) != naturalKey(&w) {
		i.natural.remove(naturalKey(&old.Webhook), w.ID)
	}
	delete(i.missing, w.ID)
	i.entries[w.ID] = entry{Sighting{w, seen}, written, verified}
	i.natural.add(naturalKey(&w), w.ID)
	i.listing.ApplicationID = cmp.Or(w.ApplicationID, i.listing.ApplicationID)
}

func (i *inventory) drop(id string) {
	if old, ok := i.entries[id]; ok {
		i.natural.remove(naturalKey(&old.Webhook), id)
		delete(i.entries, id)
	}
}

// matches are the webhooks with this natural key, oldest first. A webhook whose label the Hub does not show matches
// any label.
func (i *inventory) matches(key NaturalKey) []hub.Webhook {
	var found []hub.Webhook
	for _, id := range i.natural.of(key) {
		found = append(found, i.entries[id].Webhook)
	}
	if key.Label != "" {
		for _, id := range i.natural.of(key.unlabelled()) {
			found = append(found, i.entries[id].Webhook)
		}
	}
	slices.SortFunc(found, func(a, b hub.Webhook) int {
		if d := a.CreatedDate.Compare(b.CreatedDate); d != 0 {
			return d
		}
		return cmp.Compare(a.ID, b.ID)
	})
	return found
}

// naturalKey is the natural key of a webhook, with an empty label where the Hub does not show it.
func naturalKey(w *hub.Webhook) NaturalKey {
	return Natural(w.Label.Value, w.Endpoint, w.EventType)
}

// sameConfiguration reports whether two sightings of a webhook agree in what can be declared.
func sameConfiguration(a, b *hub.Webhook) bool {
	return a.Label == b.Label && a.Endpoint == b.Endpoint && a.EventType == b.EventType &&
		a.AuthenticationProtocol == b.AuthenticationProtocol && a.Scope == b.Scope &&
		a.RequiresSignature == b.RequiresSignature
}

// goesBack reports whether a read soon after our write may show what was there before it. A read that shows the webhook
// unverified is compared with the answer to the write and not with a read after it: our write may have reset the
// verification, and then it was the read in between that showed the past.
func goesBack(old *entry, read *hub.Webhook) bool {
	return !sameConfiguration(&old.Webhook, read) || old.writtenVerified && !read.IsVerified
}

// same reports whether two sightings of a webhook agree in all that anybody wants to know. When it was last modified is
// not among it: every delivery may change that.
func same(a, b *hub.Webhook) bool {
	return sameConfiguration(a, b) && a.ApplicationID == b.ApplicationID && a.Active == b.Active &&
		a.IsVerified == b.IsVerified && sameTime(a.VerifiedAt, b.VerifiedAt) && a.NumberOfErrors == b.NumberOfErrors &&
		a.CreatedDate.Equal(b.CreatedDate)
}

func sameTime(a, b *time.Time) bool {
	return a == b || (a != nil && b != nil && a.Equal(*b))
}
