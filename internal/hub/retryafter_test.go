package hub

import (
	"net/http"
	"testing"
	"time"
)

func TestRetryAfter_reads_seconds_and_dates_and_believes_nothing_absurd(t *testing.T) {
	now := time.Date(2026, 2, 9, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"":                               0,
		"0":                              0,
		"7":                              7 * time.Second,
		" 7 ":                            7 * time.Second,
		"3600":                           time.Hour,
		"3601":                           time.Hour,
		"1000000000":                     time.Hour,
		"99999999999999999999999":        time.Hour,
		"-5":                             0,
		"+5":                             0,
		"1.5":                            0,
		"1e9":                            0,
		"soon":                           0,
		"Mon, 09 Feb 2026 12:00:30 GMT":  30 * time.Second,
		"Monday, 09-Feb-26 12:00:30 GMT": 30 * time.Second,
		"Mon Feb  9 12:00:30 2026":       30 * time.Second,
		"Mon, 09 Feb 2026 11:59:59 GMT":  0,
		"Tue, 09 Feb 2027 12:00:00 GMT":  time.Hour,
		"2026-02-09T12:00:30Z":           0,
	} {
		if got := retryAfter(http.Header{"Retry-After": {header}}, now); got != want {
			t.Errorf("%q is %s, want %s", header, got, want)
		}
	}
}

func TestRetryAfter_as_a_date_is_one_of_the_clock_that_answered(t *testing.T) {
	now := time.Date(2026, 2, 9, 12, 0, 0, 0, time.UTC)
	for name, skew := range map[string]time.Duration{
		"the same clock": 0, "a clock ahead": 30 * time.Minute, "a clock behind": -30 * time.Minute, "a clock of another year": 400 * 24 * time.Hour,
	} {
		answered := now.Add(skew)
		header := http.Header{
			"Date":        {answered.Format(http.TimeFormat)},
			"Retry-After": {answered.Add(5 * time.Second).Format(http.TimeFormat)},
		}
		if got := retryAfter(header, now); got != 5*time.Second {
			t.Errorf("%s: %s, want 5s", name, got)
		}
	}
	later := now.Add(7 * time.Second).Format(http.TimeFormat)
	for _, date := range []string{"", "yesterday", "2026-02-09T12:00:00Z"} {
		if got := retryAfter(http.Header{"Date": {date}, "Retry-After": {later}}, now); got != 7*time.Second {
			t.Errorf("with the Date %q: %s, want 7s by the local clock", date, got)
		}
	}
	if got := retryAfter(http.Header{"Date": {later}, "Retry-After": {"3"}}, now); got != 3*time.Second {
		t.Errorf("seconds are %s whatever the Date, want 3s", got)
	}
}
