package hub

import (
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
		if got := retryAfter(header, now); got != want {
			t.Errorf("%q is %s, want %s", header, got, want)
		}
	}
}
