package connection

import (
	"strings"
	"testing"

	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// showing has the Hub show other fields of the webhook n.
func (w *world) showing(n int, fields map[string]any) {
	w.SetVariants(simulator.Variants{FieldsOf: map[string]map[string]any{naturalOf(n).Label: fields}})
}

func TestAnOddFieldOfAnotherWebhookDoesNotMatter(t *testing.T) {
	w := newWorld(t)
	w.registered(120)
	w.showing(60, map[string]any{
		"numberOfErrors": "3", "isVerified": "yes", "active": 1, "scope": []int{1}, "createdDate": 17, "applicationId": nil,
	})
	if w.listed("a"); w.conn.Listing().Count != 120 || w.conn.State().Access != Open {
		t.Errorf("the listing is %+v", w.conn.Listing())
	}
}

func TestAnEntryThatCannotBeReadProvesNothingAbsentAndIsNamed(t *testing.T) {
	for name, fields := range map[string]map[string]any{
		"id": {"id": 17}, "label": {"label": 5}, "endpoint": {"endpoint": 4}, "eventType": {"eventType": true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			ids := w.registered(120)
			w.showing(49, fields) // which two pages show
			for _, s := range []Subject{"own", "waiting"} {
				w.conn.Subscribe(s, "", NaturalKey{})
			}
			w.conn.Want("waiting", w.Now())
			w.take()

			w.step()

			listing := w.conn.Listing()
			if !listing.BeganAt.IsZero() || !strings.HasPrefix(listing.Unreadable, "the field ") || listing.TriedAt.IsZero() {
				t.Errorf("the listing is %+v", listing)
			}
			if w.conn.State().Access != Open {
				t.Errorf("calls are not made: %+v", w.conn.State())
			}
			for n, id := range ids {
				if _, ok := w.conn.Find(id); ok == (n == 49) {
					t.Errorf("webhook %d is found: %t", n, ok)
				}
			}
			if woken := w.take(); woken["waiting"] != 1 {
				t.Errorf("woken is %v, want the one that waits", woken)
			}
			calls := w.Count("listWebhooks")
			w.pass(w.cfg.PollInterval - 1)
			w.step()
			if again := w.Count("listWebhooks"); again != calls || calls != 3 {
				t.Errorf("%d listing calls, and %d within the poll interval, want 3", calls, again)
			}
			w.pass(1)
			w.step()
			if woken := w.take(); len(woken) != 0 {
				t.Errorf("the same entry wakes %v again", woken)
			}

			w.SetVariants(simulator.Variants{})
			w.pass(w.cfg.PollInterval)
			w.step()
			if listing := w.conn.Listing(); listing.Count != 120 || listing.Unreadable != "" {
				t.Errorf("when it can be read again the listing is %+v", listing)
			}
			if woken := w.take(); woken["waiting"] != 1 {
				t.Errorf("woken is %v, want the one that waits", woken)
			}
		})
	}
}
