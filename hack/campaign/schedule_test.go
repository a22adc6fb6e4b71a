package campaign_test

import (
	"fmt"
	"slices"
	"strconv"
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
	// lost: carried out, the answer does not arrive. dropped: the same to the caller, and not carried out. notSent:
	// there was no connection. timeout: not carried out, and that takes a while. late: carried out after the caller
	// gave up.
	lost    action = "lost"
	dropped action = "dropped"
	notSent action = "not-sent"
	timeout action = "timeout"
	late    action = "late"
	// Answers of the API server, to what it does not carry out.
	conflict  action = "conflict"
	internal  action = "internal"
	forbidden action = "forbidden"
	// Answers of the Hub: to what it does not carry out, but for errorAfter, html and truncated.
	throttled    action = "throttled"
	unauthorized action = "unauthorized"
	notFound     action = "not-found"
	errorBefore  action = "error-before"
	errorAfter   action = "error-after"
	html         action = "html"
	truncated    action = "truncated"
)

var (
	kubeWrite = []action{killBefore, killAfter, lost, timeout, conflict, internal, forbidden}
	kubeRead  = []action{killBefore, timeout, internal}
	hubWrite  = []action{
		killBefore, killAfter, killLate, lost, dropped, notSent, timeout, late, throttled, unauthorized, forbidden,
		notFound, errorBefore, errorAfter, html, truncated,
	}
	// A 404 to a DELETE means that the webhook is gone, and who says so wrongly is believed.
	hubDelete = []action{
		killBefore, killAfter, killLate, lost, dropped, notSent, timeout, late, throttled, unauthorized, forbidden,
		errorBefore, errorAfter,
	}
	hubRead = []action{killBefore, dropped, throttled, unauthorized, notFound, errorBefore, html, truncated}
	kills   = []action{killBefore, killAfter}
)

// isKill tells whether the process dies of it.
func (a action) isKill() bool { return strings.HasPrefix(string(a), "kill") }

// effect is one call that left the operator, or was about to.
type effect struct {
	number int
	// what is the operation, such as "patch Chatt2Webhook/status" or "createWebhook", on its object.
	what, on string
	at       time.Time
	of       []action // what can become of it
	became   action
	result   string
}

func (e effect) String() string {
	return fmt.Sprintf("%3d %s %s %s: %s -> %s", e.number, e.at.Format("15:04:05.000"), e.what, e.on, e.became, e.result)
}

// fault is what becomes of the effect of that number, counted from the trigger on over all incarnations.
type fault struct {
	at int
	is action
}

// reads is how far what the operator reads from its cache is behind, from the trigger on.
type reads string

const (
	fresh   reads = "fresh"
	lagging reads = "lagging" // by one write of each kind
	frozen  reads = "frozen"  // for a while, also the past that a new incarnation begins with
)

// schedule is one run of a campaign.
type schedule struct {
	flow   string
	reads  reads
	faults []fault
}

// String is how a schedule is written for CAMPAIGN_REPLAY, such as "create-unsigned/fresh/4:kill-after,9:lost".
func (s schedule) String() string {
	var faults []string
	for _, f := range s.faults {
		faults = append(faults, fmt.Sprintf("%d:%s", f.at, f.is))
	}
	return s.flow + "/" + string(s.reads) + "/" + strings.Join(faults, ",")
}

// with is the schedule with one more fault.
func (s schedule) with(f fault) schedule {
	s.faults = append(slices.Clip(s.faults), f)
	return s
}

// parseSchedule reads what String writes.
func parseSchedule(text string) (schedule, error) {
	parts := strings.Split(text, "/")
	if len(parts) != 3 {
		return schedule{}, fmt.Errorf("%q is not flow/reads/faults", text)
	}
	s := schedule{flow: parts[0], reads: reads(parts[1])}
	for _, f := range strings.FieldsFunc(parts[2], func(c rune) bool { return c == ',' }) {
		number, is, _ := strings.Cut(f, ":")
		at, err := strconv.Atoi(number)
		if err != nil {
			return schedule{}, fmt.Errorf("fault %q: %w", f, err)
		}
		s.faults = append(s.faults, fault{at, action(is)})
	}
	return s, nil
}
