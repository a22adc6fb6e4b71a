package connection

import (
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

func known[T any](v T) hub.Field[T] { return hub.Field[T]{Known: true, Value: v} }

// webhook is one with the label L, the endpoint E and the event type T, but for what change says.
func webhook(id string, change ...func(*hub.Webhook)) hub.Webhook {
	w := hub.Webhook{ID: id, ApplicationID: "app", Label: known("L"), Endpoint: "E", EventType: "T", CreatedDate: noon}
	for _, c := range change {
		c(&w)
	}
	return w
}

func renamed(label string) func(*hub.Webhook) {
	return func(w *hub.Webhook) { w.Label = known(label) }
}

func unlabelled(w *hub.Webhook) { w.Label = hub.Field[string]{} }

func failed(w *hub.Webhook) { w.NumberOfErrors++ }

var declared = NaturalKey{Label: "L", Endpoint: "E", EventType: "T"}

func names(subjects []Subject) []Subject {
	return slices.Compact(slices.Sorted(slices.Values(subjects)))
}

func idsOf(webhooks []hub.Webhook) []string {
	ids := []string{}
	for _, w := range webhooks {
		ids = append(ids, w.ID)
	}
	return ids
}

func TestWhoIsWokenForWhat(t *testing.T) {
	watchers := map[Subject]interest{
		"owner":     {webhookID: "a", natural: NaturalKey{Label: "owned", Endpoint: "E", EventType: "T"}},
		"namesake":  {natural: declared},
		"elsewhere": {natural: NaturalKey{Label: "L", Endpoint: "elsewhere", EventType: "T"}},
	}
	old := webhook("a", renamed("owned"))
	tests := []struct {
		name   string
		before []hub.Webhook
		saw    hub.Webhook
		want   []Subject
	}{
		{name: "nobody for a webhook that is as it was", before: []hub.Webhook{old}, saw: old},
		{name: "its owner for one that changed", before: []hub.Webhook{old}, saw: webhook("a", renamed("owned"), failed), want: []Subject{"owner"}},
		{
			name: "nobody for when it was last modified", before: []hub.Webhook{old},
			saw: webhook("a", renamed("owned"), func(w *hub.Webhook) { w.LastModifiedDate = &noon }),
		},
		{name: "who declares one like it for a new one", saw: webhook("b"), want: []Subject{"namesake"}},
		{name: "everyone who may, for a new one that shows no label", saw: webhook("b", unlabelled), want: []Subject{"namesake", "owner"}},
		{name: "who declares what it is now for a renamed one", before: []hub.Webhook{webhook("b", renamed("x"))}, saw: webhook("b"), want: []Subject{"namesake"}},
		{name: "who declares what it was for a renamed one", before: []hub.Webhook{webhook("b")}, saw: webhook("b", renamed("x")), want: []Subject{"namesake"}},
		{name: "nobody else for one that merely changed", before: []hub.Webhook{webhook("b")}, saw: webhook("b", failed)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			i := newInventory()
			for s, in := range watchers {
				i.watch(s, in)
			}
			for _, w := range test.before {
				i.saw(w, noon)
			}
			if diff := cmp.Diff(names(test.want), names(i.saw(test.saw, noon.Add(time.Hour)))); diff != "" {
				t.Errorf("woken (-want +got):\n%s", diff)
			}
			for s, in := range watchers {
				i.unwatch(s, in)
			}
			if len(i.byID)+len(i.byNatural) != 0 {
				t.Error("someone who left is still there")
			}
		})
	}
}

func TestAWholeListingWakesForWhatItDoesNotShow(t *testing.T) {
	i := newInventory()
	i.watch("owner", interest{webhookID: "gone", natural: NaturalKey{Label: "other"}})
	i.watch("namesake", interest{natural: declared})
	i.watch("neighbour", interest{webhookID: "here", natural: NaturalKey{Label: "third"}})
	i.saw(webhook("gone"), noon)
	i.saw(webhook("here", renamed("third")), noon)

	news := i.listed(map[string]struct{}{"here": {}}, noon.Add(time.Minute), 1)
	if want := []Subject{"namesake", "owner"}; !slices.Equal(names(news), want) {
		t.Errorf("woken are %v, want %v", news, want)
	}
	if want := []string{"here"}; !slices.Equal(slices.Sorted(maps.Keys(i.entries)), want) || len(i.matches(declared)) != 0 {
		t.Errorf("the inventory is %v", i.entries)
	}
}

func TestAReadDoesNotUndoAnOwnWrite(t *testing.T) {
	tests := []struct {
		name  string
		began time.Duration
		saw   hub.Webhook
		label string
		wakes bool
	}{
		{name: "when it began before", began: -time.Second, saw: webhook("a", renamed("old")), label: "new"},
		{name: "when it lags", began: ReadLag - 1, saw: webhook("a", renamed("old")), label: "new"},
		{name: "but shows a verification that agrees", began: time.Second, saw: webhook("a", renamed("new"), func(w *hub.Webhook) { w.IsVerified = true }), label: "new", wakes: true},
		{name: "but shows what changed later", began: ReadLag, saw: webhook("a", renamed("third")), label: "third", wakes: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			i := newInventory()
			i.watch("owner", interest{webhookID: "a"})
			i.wrote(webhook("a", renamed("new")), noon)
			news := i.saw(test.saw, noon.Add(test.began))
			if got := i.entries["a"].Webhook.Label.Value; got != test.label {
				t.Errorf("the label is %q, want %q", got, test.label)
			}
			if (len(news) > 0) != test.wakes {
				t.Errorf("woken are %v", news)
			}
			if test.wakes && i.entries["a"].Webhook.IsVerified != test.saw.IsVerified {
				t.Error("what was seen is not in the inventory")
			}
		})
	}
}

func verified(w *hub.Webhook) { w.IsVerified = true }

// On a Hub whose reads lag, the first read after a write that reset the verification shows the webhook as it was
// before.
func TestAReadThatShowsAResetVerificationIsBelieved(t *testing.T) {
	for name, answer := range map[string]hub.Webhook{"reset": webhook("a"), "verified": webhook("a", verified)} {
		i := newInventory()
		i.wrote(answer, noon)
		i.saw(webhook("a", verified), noon.Add(time.Second))
		i.saw(webhook("a"), noon.Add(2*time.Second))
		if got := i.entries["a"].Webhook.IsVerified; got != answer.IsVerified {
			t.Errorf("after an update that was answered as %s, a read that shows a verified webhook and then one "+
				"that does not, verified is %t", name, got)
		}
	}
}

func TestAnOlderReadDoesNotUndoANewerOne(t *testing.T) {
	i := newInventory()
	i.saw(webhook("a", renamed("new")), noon.Add(time.Second))
	i.saw(webhook("a", renamed("old")), noon)
	if got := i.entries["a"].Webhook.Label.Value; got != "new" {
		t.Errorf("the label is %q", got)
	}
}

func TestAWebhookThatWeJustWroteIsNotGone(t *testing.T) {
	for began, gone := range map[time.Duration]bool{-time.Second: false, 0: false, ReadLag - 1: false, ReadLag: true} {
		i := newInventory()
		i.wrote(webhook("a"), noon)
		i.listed(map[string]struct{}{}, noon.Add(began), 0)
		if _, ok := i.entries["a"]; ok == gone {
			t.Errorf("after a listing that began %v after the write it is gone: %t", began, !ok)
		}
		i.wrote(webhook("b"), noon)
		i.missed("b", noon.Add(began))
		if i.inDoubt("b") != gone {
			t.Errorf("after a GET that began %v after the write it is in doubt: %t", began, !gone)
		}
	}
}

func TestAWebhookThatWeDeletedDoesNotComeBack(t *testing.T) {
	i := newInventory()
	i.wrote(webhook("a"), noon)
	i.erased("a", noon)
	if i.saw(webhook("a"), noon.Add(ReadLag-1)); len(i.entries) != 0 || len(i.matches(declared)) != 0 {
		t.Error("a read that lags brings it back")
	}
	i.listed(map[string]struct{}{}, noon.Add(ReadLag+1), 0)
	if len(i.deleted) != 0 {
		t.Error("its tombstone is kept for ever")
	}
	i.erased("a", noon)
	if i.saw(webhook("a"), noon.Add(ReadLag)); len(i.entries) != 1 {
		t.Error("a read that does not lag is not believed")
	}
	i.erased("a", noon)
	if i.wrote(webhook("a"), noon); len(i.entries) != 1 || len(i.deleted) != 0 {
		t.Error("an own write is not believed")
	}
}

func TestAWebhookThatALookMissedIsThereForOthersUntilAListingDecides(t *testing.T) {
	for name, test := range map[string]struct {
		shows bool
		want  []Subject
	}{
		"it is there": {shows: true, want: []Subject{"owner"}},
		"it is gone":  {want: []Subject{"namesake", "owner"}},
	} {
		i := newInventory()
		i.watch("owner", interest{webhookID: "a"})
		i.watch("namesake", interest{natural: declared})
		i.saw(webhook("a"), noon)
		i.missed("a", noon.Add(time.Minute))
		if news := i.saw(webhook("a"), noon.Add(time.Second)); news != nil || !i.inDoubt("a") {
			t.Errorf("%s: an older read woke %v", name, news)
		}
		if len(i.matches(declared)) != 1 {
			t.Errorf("%s: it is gone before a listing says so", name)
		}
		var news []Subject
		seen, later := map[string]struct{}{}, noon.Add(2*time.Minute)
		if test.shows {
			news, seen = i.saw(webhook("a"), later), map[string]struct{}{"a": {}}
		}
		news = append(news, i.listed(seen, later, len(seen))...)
		if !slices.Equal(names(news), test.want) || i.inDoubt("a") || len(i.matches(declared)) != len(seen) {
			t.Errorf("%s: woken are %v, the inventory is %v", name, news, i.entries)
		}
	}
}

func TestMatchesAreThoseWithTheSameNaturalKeyOldestFirst(t *testing.T) {
	i := newInventory()
	at := func(d time.Duration) func(*hub.Webhook) {
		return func(w *hub.Webhook) { w.CreatedDate = noon.Add(d) }
	}
	for _, w := range []hub.Webhook{
		webhook("young", at(time.Hour)), webhook("same b"), webhook("same a"), webhook("no label", unlabelled, at(time.Minute)),
		webhook("other label", renamed("l")), webhook("other endpoint", func(w *hub.Webhook) { w.Endpoint = "e" }),
		webhook("other type", func(w *hub.Webhook) { w.EventType = "t" }),
	} {
		i.saw(w, noon)
	}
	if diff := cmp.Diff([]string{"same a", "same b", "no label", "young"}, idsOf(i.matches(declared))); diff != "" {
		t.Errorf("matches (-want +got):\n%s", diff)
	}
	i.saw(webhook("young", renamed("l")), noon)
	i.erased("same b", noon)
	if diff := cmp.Diff([]string{"same a", "no label"}, idsOf(i.matches(declared))); diff != "" {
		t.Errorf("matches after one was renamed and one deleted (-want +got):\n%s", diff)
	}
}

func TestOne404IsNotBelievedBeforeAWholeListing(t *testing.T) {
	w := newWorld(t)
	id := w.registered(1)[0]
	w.listed("a")
	err := w.AddFault(simulator.Fault{
		Kind: simulator.ErrorBeforeCommit, Status: http.StatusNotFound, Times: 1,
		Match: simulator.Match{Operation: "getWebhook"},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.pass(time.Second)
	if _, err := w.conn.Get(t.Context(), "a", id, Repair); !hub.IsKind(err, hub.NotFound) {
		t.Fatal(err)
	}
	if _, sure, ok := w.conn.Missing(id); !ok || sure {
		t.Errorf("missing: %t, for sure: %t", ok, sure)
	}
	if _, ok := w.conn.Find(id); ok {
		t.Error("it is found, though a look did not find it")
	}
	w.conn.Want("a", w.Now())
	w.pass(time.Second)
	w.step()
	if _, _, ok := w.conn.Missing(id); ok {
		t.Error("it is missing still, though a listing shows it")
	}
	if _, ok := w.conn.Find(id); !ok || w.Count("listWebhooks") != 1 || w.take()["a"] == 0 {
		t.Errorf("it is found: %t, after %d calls", ok, w.Count("listWebhooks"))
	}
}

func TestAWebhookThatALookAndAListingDidNotFindIsMissingUntilTheNextListing(t *testing.T) {
	for name, order := range map[string][]string{"the look first": {"look", "list"}, "the listing first": {"list", "look"}} {
		w := newWorld(t)
		id := w.registered(1)[0]
		w.listed("a")
		if err := w.DeleteByHand(id); err != nil {
			t.Fatal(err)
		}
		if _, _, ok := w.conn.Missing(id); ok {
			t.Errorf("%s: it is missing before anybody looked", name)
		}
		for _, step := range order {
			if _, sure, _ := w.conn.Missing(id); sure {
				t.Errorf("%s: it is missing for sure before the %s", name, step)
			}
			if step == "list" {
				w.minutes(1)
			} else if _, err := w.conn.Get(t.Context(), "a", id, Repair); !hub.IsKind(err, hub.NotFound) {
				t.Fatal(err)
			}
		}
		if at, sure, ok := w.conn.Missing(id); !ok || !sure || at.IsZero() {
			t.Errorf("%s: missing: %t, for sure: %t, since %s", name, ok, sure, at)
		}
		w.minutes(1)
		if _, _, ok := w.conn.Missing(id); ok {
			t.Errorf("%s: it is missing still, though a listing came later", name)
		}
	}
}
