package campaign_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

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

// schedule is one run of a flow, on the Hub of hubs that it names.
type schedule struct {
	flow, hub string
	reads     reads
	faults    []fault
}

// String is how a schedule is written for CAMPAIGN_REPLAY, such as "create-unsigned/fresh/4:kill-after,9:lost", or
// "create-unsigned@reads-lag/fresh/" on another Hub than the documented one.
func (s schedule) String() string {
	var faults []string
	for _, f := range s.faults {
		faults = append(faults, fmt.Sprintf("%d:%s", f.at, f.is))
	}
	return onHub(s.flow, s.hub) + "/" + string(s.reads) + "/" + strings.Join(faults, ",")
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
	s := schedule{reads: reads(parts[1])}
	s.flow, s.hub, _ = strings.Cut(parts[0], "@")
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

// result is what a run came to.
type result struct {
	// broken is what did not hold.
	broken []string
	trace  []*effect
	// diverged is where the run was another one than it was meant to be, empty when it was not.
	diverged string
	// points is how many effects there were until it came to rest.
	points int
	// redefined and doubts are as in watched.
	redefined, doubts int
}

// report tells of a run that failed, in a form that can be played again.
func (r result) report(replay string) string {
	lines := []string{"CAMPAIGN_REPLAY='" + replay + "' go test -count=1 -v -run TestCampaign ./hack/campaign"}
	for _, e := range r.trace {
		lines = append(lines, e.String())
	}
	return strings.Join(append(lines, r.broken...), "\n")
}
