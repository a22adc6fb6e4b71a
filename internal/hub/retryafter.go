package hub

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter is the longest wait that is believed.
const maxRetryAfter = time.Hour

// retryAfter reads the header of that name, in seconds or as an HTTP date. What cannot be read or lies in the past is
// 0, what is absurdly long is cut.
func retryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	seconds, err := strconv.ParseUint(header, 10, 31)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return maxRetryAfter
	case err == nil:
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	date, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return min(max(date.Sub(now), 0), maxRetryAfter)
}
