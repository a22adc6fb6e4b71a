package plan

import (
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

func unverified(o *Observed) {
	o.Remote.Webhook.IsVerified, o.Object.Status.IsVerified = false, false
}

// attempts is a resource that waits for verification since a time ago, and has been observed only before.
func attempts(since time.Duration, change func(*Verification)) with {
	return func(o *Observed) {
		unverified(o)
		v := Verification{Since: noon.Add(-since)}
		if change != nil {
			change(&v)
		}
		o.Local.Verification = v
		o.Remote.SeenAt = v.Since
	}
}

func seenAgo(ago time.Duration) with { return seenAt(noon.Add(-ago)) }

func lookedAgo(ago time.Duration) with {
	return remembered(func(m *LocalState) { m.ObservedAt = noon.Add(-ago) })
}

func triggered(n int) func(*Verification) {
	return func(v *Verification) { v.Triggers = n }
}

func undone(v *Verification) { v.Undone = true }

func verifyScenes() []scene {
	const tried = "an endpoint that is not verified is verified again"
	nudge := func(on bool) func(Plan) bool { return func(p Plan) bool { return p.Nudge == on } }
	aged := func(d time.Duration) with {
		return remote(func(w *hub.Webhook) { w.CreatedDate = noon.Add(-d) })
	}
	return []scene{
		{name: "registered a moment ago", o: observed(attempts(0, nil)), rule: tried, action: Rest, id: mine, recheck: time.Minute},
		{name: "not verified after a minute", o: observed(attempts(time.Minute, nil), seenAgo(20*time.Second)), rule: tried, action: Verify, id: mine, is: nudge(false)},
		{name: "observed soon after the change only", o: observed(attempts(time.Minute, nil), seenAgo(31*time.Second)), rule: tried, action: Observe, id: mine},
		{name: "not observed since the change", o: observed(attempts(10*time.Minute, nil)), rule: tried, action: Observe, id: mine},
		{name: "not observed since the last trigger, a look is under way", o: observed(attempts(2*time.Minute, triggered(1)), lookedAgo(time.Second)), rule: tried, action: Rest, id: mine, recheck: 9 * time.Second},
		{name: "tried once, a minute ago", o: observed(attempts(time.Minute, triggered(1)), seenAgo(0)), rule: tried, action: Rest, id: mine, recheck: time.Minute},
		{name: "tried once, two minutes ago", o: observed(attempts(2*time.Minute, triggered(1)), seenAgo(time.Minute)), rule: tried, action: Verify, id: mine, is: nudge(true)},
		{name: "tried twice, four minutes ago", o: observed(attempts(4*time.Minute, triggered(2)), seenAgo(time.Minute)), rule: tried, action: Verify, id: mine, is: nudge(false)},
		{name: "tried often, 59 minutes ago", o: observed(attempts(59*time.Minute, triggered(60)), seenAgo(time.Minute)), rule: tried, action: Rest, id: mine, recheck: time.Minute},
		{name: "tried often, an hour ago", o: observed(attempts(time.Hour, triggered(60)), seenAgo(time.Minute)), rule: tried, action: Verify, id: mine},
		{name: "not verified and a look was asked for and taken", o: observed(attempts(time.Minute, nil), asked, seenAt(noon)), rule: tried, action: Verify, id: mine, is: func(p Plan) bool { return p.Serves }},
		{name: "a look was asked for and taken, and the Hub may be verifying", o: observed(attempts(time.Second, nil), asked, seenAt(noon)), rule: tried, action: Rest, id: mine, recheck: 4 * time.Second, is: func(p Plan) bool { return !p.Serves }},
		{name: "an update may have taken back a verification under way", o: observed(attempts(5*time.Second, undone), seenAt(noon)), rule: tried, action: Verify, id: mine, is: nudge(true)},
		{name: "an update may have taken back a verification under way, a second ago", o: observed(attempts(time.Second, undone), seenAt(noon)), rule: tried, action: Rest, id: mine, recheck: 4 * time.Second},

		{name: "restarted with a young webhook", o: observed(unverified, aged(30*time.Second), actingSince(noon)), rule: tried, action: Rest, id: mine, recheck: time.Minute},
		{name: "restarted with an old webhook", o: observed(unverified, aged(24*time.Hour), actingSince(noon.Add(-2*time.Second))), rule: tried, action: Rest, id: mine, recheck: time.Hour - 2*time.Second},
		{name: "restarted an hour ago with an old webhook", o: observed(unverified, aged(24*time.Hour)), rule: tried, action: Verify, id: mine},
		{name: "verified until now", o: observed(remote(func(w *hub.Webhook) { w.IsVerified = false }), actingSince(noon.Add(-time.Second))), rule: tried, action: Verify, id: mine},
		{name: "verified until now by another webhook", o: observed(remote(func(w *hub.Webhook) { w.IsVerified = false }), actingSince(noon), func(o *Observed) { o.Object.Status.WebhookID = other }), rule: tried, action: Rest, id: mine, recheck: time.Hour},
		{name: "polled more often than looked at", o: observed(attempts(10*time.Second, nil), seenAgo(time.Second), func(o *Observed) { o.Settings.PollInterval = time.Second }), rule: tried, action: Rest, id: mine, recheck: 50 * time.Second},
	}
}
