package campaign_test

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// action is what becomes of an effect, a call to the API server or to the Hub.
type action string

const (
	// pass: nothing goes wrong.
	pass action = "pass"
	// killBefore: the process dies before the call leaves it, killAfter: before the answer arrives. killLate: it dies,
	// and the call is carried out some time later.
	killBefore action = "kill-before"
	killAfter  action = "kill-after"
	killLate   action = "kill-late"
	// asleep: the process stands still in the middle of the call while another one takes over. Then it wakes, the call
	// is carried out, and it goes on for a moment. coma: the same, for so long that the call is not carried out.
	asleep action = "asleep"
	coma   action = "coma"
	// lost: carried out, the answer does not arrive. dropped: the same to the caller, and not carried out. notSent:
	// there was no connection. timeout: not carried out, and that takes a while. late: carried out after the caller
	// gave up. tooLate: so late that nobody counts with it any more, which is the one thing that may make two.
	lost    action = "lost"
	dropped action = "dropped"
	notSent action = "not-sent"
	timeout action = "timeout"
	late    action = "late"
	tooLate action = "too-late"
	// Answers of the API server, to what it does not carry out. busy: it asks to come back in a second. The Hub gives
	// all but internal, too; with busy it says when to come back.
	conflict  action = "conflict"
	internal  action = "internal"
	forbidden action = "forbidden"
	busy      action = "busy"
	invalid   action = "invalid"
	// More answers of the Hub: to what it does not carry out, but for errorAfter, html and truncated. tooSlow: 408, to
	// what may have been carried out.
	throttled    action = "throttled"
	badRequest   action = "bad-request"
	tooSlow      action = "too-slow"
	unauthorized action = "unauthorized"
	notFound     action = "not-found"
	errorBefore  action = "error-before"
	errorAfter   action = "error-after"
	html         action = "html"
	truncated    action = "truncated"
)

// What can become of an effect, by what it is.
var (
	kubeWrite = []action{
		killBefore, killAfter, asleep, coma, lost, timeout, conflict, internal, forbidden, busy, invalid,
	}
	kubeRead = []action{killBefore, asleep, coma, timeout, internal, forbidden}
	hubWrite = []action{
		killBefore, killAfter, killLate, asleep, coma, lost, dropped, notSent, timeout, late, throttled, unauthorized,
		busy, conflict, invalid, badRequest, forbidden, notFound, tooSlow, errorBefore, errorAfter, html, truncated,
	}
	// A 404 to a DELETE means that the webhook is gone, and who says so wrongly is believed.
	hubDelete = []action{
		killBefore, killAfter, killLate, asleep, coma, lost, dropped, notSent, timeout, late, throttled, unauthorized,
		busy, conflict, invalid, forbidden, tooSlow, errorBefore, errorAfter,
	}
	hubRead = []action{
		killBefore, asleep, coma, dropped, timeout, throttled, busy, unauthorized, forbidden, invalid, notFound,
		errorBefore, html, truncated,
	}
	kills = []action{killBefore, killAfter}
)

// isKill reports whether the process dies of it at once.
func (a action) isKill() bool { return strings.HasPrefix(string(a), "kill") }

func (a action) isOneOf(of ...action) bool { return slices.Contains(of, a) }

// isUnknown reports whether the caller cannot know what became of a call to the Hub.
func (a action) isUnknown() bool {
	return a.isOneOf(killAfter, killLate, asleep, lost, dropped, timeout, late, tooLate, tooSlow, errorBefore,
		errorAfter, html, truncated)
}

// effect is one call that left the operator, or was about to.
type effect struct {
	number int
	// what is the operation, such as "patch Chatt2Webhook/status" or "POST webhook", on its object.
	what, on string
	// life is the process that made the call, counted from 0.
	life   int
	at     time.Time
	of     []action // what can become of it
	became action
	result string
}

func (e *effect) String() string {
	if e.life < 0 {
		return fmt.Sprintf("%4d %s     %s", e.number, e.at.Format("15:04:05.000"), e.what)
	}
	return fmt.Sprintf("%4d %s [%d] %s %s: %s -> %s",
		e.number, e.at.Format("15:04:05.000"), e.life, e.what, e.on, e.became, e.result)
}

// same reports whether two effects are the same step of two runs.
func (e *effect) same(other *effect) bool { return e.what == other.what && e.on == other.on }
