package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

func TestAListingThatCannotBeReadInFullIsReportedByThoseWhoNeedIt(t *testing.T) {
	const entry = "the field id of entry 17 of the list"
	unreadable := onHub(func(h *Hub) { h.ListedAt, h.Unreadable = noon.Add(-2*time.Hour), entry })
	never := onHub(func(h *Hub) { h.ListedAt, h.Unreadable = time.Time{}, entry })
	for name, c := range map[string]struct {
		o      *Observed
		action Action
		reason string
	}{
		"a registration":               {observed(unregistered, never), AwaitListing, v1alpha1.ReasonHubUnavailable},
		"a registration that is open":  {observed(unregistered, intent(noon.Add(-time.Hour)), unreadable), AwaitListing, v1alpha1.ReasonHubUnavailable},
		"a webhook that is not found":  {observed(unreadable, func(o *Observed) { o.Remote = Remote{} }), Rest, v1alpha1.ReasonHubUnavailable},
		"a deletion of an open intent": {observed(unregistered, deletedFor(time.Second), intent(noon.Add(-time.Hour)), unreadable), AwaitListing, v1alpha1.ReasonDeletionBlocked},
		"a webhook that is known":      {observed(unreadable), Rest, ""},
		"a repair":                     {observed(unreadable, func(o *Observed) { o.Remote.Webhook.Endpoint = "https://elsewhere.example/hook" }), Update, v1alpha1.ReasonUpdating},
		"a rotation":                   {observed(signedSince(noon.Add(-time.Hour)), secret(missing), unreadable), BeginRotation, ""},
		"a deletion":                   {observed(deletedFor(time.Second), unreadable), Delete, ""},
		"a deletion that is not held": {observed(deletedFor(time.Second), unreadable, func(o *Observed) {
			o.Remote, o.Object.Finalizers = Remote{}, []string{"example.com/x"}
		}), Rest, v1alpha1.ReasonPending},
	} {
		t.Run(name, func(t *testing.T) {
			p := Decide(c.o)
			reason, message := "", ""
			if p.Problem != nil {
				reason, message = p.Problem.Reason, p.Problem.Message
			}
			if p.Action != c.action || reason != c.reason {
				t.Errorf("got %s with %q: %s", p.Action, reason, message)
			}
			waits := c.reason == v1alpha1.ReasonHubUnavailable || c.reason == v1alpha1.ReasonDeletionBlocked
			if strings.Contains(message, entry) != waits || waits && p.Hold {
				t.Errorf("it says %q, held: %t", message, p.Hold)
			}
		})
	}
}

func TestAnApplicationThatAnAnswerDoesNotShowIsKept(t *testing.T) {
	o := observed(func(o *Observed) { o.Remote.Webhook.ApplicationID = "" })
	if got := Status(o, Plan{Action: Rest}).ApplicationID; got != "app" {
		t.Errorf("status has the Application %q", got)
	}
}
