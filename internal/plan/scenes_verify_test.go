package plan

import (
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

func unverified(o *Observed) {
	o.Remote.Webhook.IsVerified, o.Object.Status.IsVerified = false, false
}

// attempts is a resource that waits for verification since a time ago.
func attempts(since time.Duration, change func(*Verification)) with {
	return func(o *Observed) {
		unverified(o)
		v := Verification{Since: noon.Add(-since)}
		if change != nil {
			change(&v)
		}
		o.Memory.Verification = v
	}
}

func looked(n int, ago time.Duration) func(*Verification) {
	return func(v *Verification) { v.Looks, v.LookedAt = n, noon.Add(-ago) }
}

func triggered(n int, ago time.Duration) func(*Verification) {
	return func(v *Verification) {
		v.Triggers, v.TriggeredAt, v.LookedAt, v.Looks = n, noon.Add(-ago), noon.Add(-ago), 9
	}
}

func verifyScenes() []scene {
	const tried = "an endpoint that is not verified is looked at and tried again"
	nudge := func(on bool) func(Plan) bool { return func(p Plan) bool { return p.Nudge == on } }
	aged := func(d time.Duration) with {
		return remote(func(w *hub.Webhook) { w.CreatedDate = noon.Add(-d) })
	}
	return []scene{
		{name: "registered a second ago", o: observed(attempts(time.Second, nil)), rule: tried, action: Rest, id: mine, recheck: time.Second},
		{name: "registered two seconds ago", o: observed(attempts(2*time.Second, nil)), rule: tried, action: Look, id: mine},
		{name: "looked at once, two seconds ago", o: observed(attempts(4*time.Second, looked(1, 2*time.Second))), rule: tried, action: Rest, id: mine, recheck: 2 * time.Second},
		{name: "looked at four times, 32 seconds ago", o: observed(attempts(50*time.Second, looked(4, 32*time.Second))), rule: tried, action: Look, id: mine},
		{name: "looked at often enough", o: observed(attempts(50*time.Second, looked(5, 40*time.Second))), rule: tried, action: Rest, id: mine, recheck: 10 * time.Second},
		{name: "not verified after a minute", o: observed(attempts(time.Minute, looked(5, 0))), rule: tried, action: Verify, id: mine, is: nudge(false)},
		{name: "tried once, a minute ago", o: observed(attempts(time.Hour, triggered(1, time.Minute))), rule: tried, action: Rest, id: mine, recheck: time.Minute},
		{name: "tried once, two minutes ago", o: observed(attempts(time.Hour, triggered(1, 2*time.Minute))), rule: tried, action: Verify, id: mine, is: nudge(true)},
		{name: "tried twice, four minutes ago", o: observed(attempts(time.Hour, triggered(2, 4*time.Minute))), rule: tried, action: Verify, id: mine, is: nudge(false)},
		{name: "tried often, 59 minutes ago", o: observed(attempts(99*time.Hour, triggered(60, 59*time.Minute))), rule: tried, action: Rest, id: mine, recheck: time.Minute},
		{name: "tried often, an hour ago", o: observed(attempts(99*time.Hour, triggered(60, time.Hour))), rule: tried, action: Verify, id: mine},
		{name: "not verified and a look was asked for and taken", o: observed(attempts(time.Second, nil), asked, seenAt(noon)), rule: tried, action: Verify, id: mine, is: func(p Plan) bool { return p.Serves }},

		{name: "restarted with a young webhook", o: observed(unverified, aged(30*time.Second), actingSince(noon.Add(-time.Second))), rule: tried, action: Rest, id: mine, recheck: time.Second},
		{name: "restarted with an old webhook", o: observed(unverified, aged(24*time.Hour), actingSince(noon.Add(-2*time.Second))), rule: tried, action: Look, id: mine},
		{name: "restarted an hour ago with an old webhook", o: observed(unverified, aged(24*time.Hour)), rule: tried, action: Verify, id: mine},
		{name: "verified until now", o: observed(remote(func(w *hub.Webhook) { w.IsVerified = false }), actingSince(noon.Add(-time.Second))), rule: tried, action: Verify, id: mine},
		{name: "verified until now by another webhook", o: observed(remote(func(w *hub.Webhook) { w.IsVerified = false }), actingSince(noon.Add(-time.Second)), func(o *Observed) { o.Object.Status.WebhookID = other }), rule: tried, action: Rest, id: mine, recheck: time.Second},
		{name: "polled more often than looked at", o: observed(attempts(10*time.Second, nil), func(o *Observed) { o.Settings.PollInterval = time.Second }), rule: tried, action: Rest, id: mine, recheck: 50 * time.Second},
	}
}
