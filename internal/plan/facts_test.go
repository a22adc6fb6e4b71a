package plan

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

var errTest = errors.New("something else")

func TestBackOffGrowsToFiveMinutes(t *testing.T) {
	var got []time.Duration
	for _, n := range []int{0, 1, 2, 3, 9, 10, 100} {
		got = append(got, BackOff(n))
	}
	want := []time.Duration{time.Second, time.Second, 2 * time.Second, 4 * time.Second, 256 * time.Second, 5 * time.Minute, 5 * time.Minute}
	if !slices.Equal(got, want) {
		t.Errorf("the delays are %v, want %v", got, want)
	}
}

func TestALongRequestIsRecordedAsItsHash(t *testing.T) {
	short, long := strings.Repeat("x", longestRequest), strings.Repeat("x", longestRequest+1)
	if Request(short) != short || len(Request(long)) > longestRequest || Request(long) == Request(long+"x") || Request("") != "" {
		t.Errorf("a long one is recorded as %q", Request(long))
	}
}

func TestTheOverlapIsTenMinutesUnlessSpecSays(t *testing.T) {
	for said, want := range map[string]time.Duration{"": 10 * time.Minute, "0s": 0, "1h30m": 90 * time.Minute} {
		if got := Overlap(&observed(rotatedEvery("", said)).Object.Spec); got != want {
			t.Errorf("spec says %q, the overlap is %v", said, got)
		}
	}
	if got := Overlap(&observed().Object.Spec); got != 10*time.Minute {
		t.Errorf("spec says nothing, the overlap is %v", got)
	}
}

// The attempts of a webhook of that age go on where a process that had seen all of them would stand.
func TestARestartDoesNotBeginTheAttemptsAnew(t *testing.T) {
	for age, want := range map[time.Duration]int{
		0: 0, 59 * time.Second: 0, time.Minute: 1, 3 * time.Minute: 2, 7 * time.Minute: 3, time.Hour: 5, 99 * time.Hour: 7,
	} {
		o := observed(unverified)
		o.Remote.Webhook.CreatedDate = noon.Add(-age)
		if got := o.Verification(); got.Triggers != want || !got.Since.Equal(o.Settings.ActingSince) {
			t.Errorf("at an age of %v the attempts stand at %+v", age, got)
		}
	}
}

// The attempts of one webhook, one after the other, as time passes.
func TestTheHubIsMadeToVerifyEverLessOften(t *testing.T) {
	o := observed(attempts(0, nil))
	var tried []time.Duration
	looks := 0
	for last := noon; o.Now.Before(noon.Add(5 * time.Hour)); {
		switch p := Decide(o); p.Action {
		case Observe:
			looks++
			o.Remote.SeenAt = o.Now
		case Verify:
			tried = append(tried, o.Now.Sub(last))
			last = o.Now
			o.Local.Verification = o.Local.Verification.Triggered(o.Now)
			o.Remote.SeenAt = o.Now
		default:
			o.Now = o.Now.Add(p.Recheck)
		}
	}
	want := []time.Duration{
		time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 32 * time.Minute, time.Hour, time.Hour,
	}
	if !slices.Equal(tried[:8], want) {
		t.Errorf("the Hub is made to try after %v, want %v", tried, want)
	}
	if most := len(tried) + 1; looks > most {
		t.Errorf("%d looks, at most %d are worth it", looks, most)
	}
}

func TestAListOfManyIDsIsCut(t *testing.T) {
	if got := list([]string{"1", "2", "3", "4", "5", "6", "7"}); got != "1, 2, 3, 4, 5 and 2 more" {
		t.Errorf("the list is %q", got)
	}
	if got := list([]string{"1", "2", "3", "4", "5"}); got != "1, 2, 3, 4, 5" {
		t.Errorf("the list is %q", got)
	}
}
