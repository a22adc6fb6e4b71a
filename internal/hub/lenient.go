package hub

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// lenientInt takes 3, 3.0 and 3e0 alike, and null as 0.
type lenientInt int64

// UnmarshalJSON refuses what is no whole number.
func (n *lenientInt) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*n = 0
		return nil
	}
	value, err := strconv.ParseFloat(string(data), 64)
	// Beyond 2^53 a float no longer tells whole numbers apart.
	if err != nil || value != math.Trunc(value) || math.Abs(value) > 1<<53 {
		return errors.New("not a whole number")
	}
	*n = lenientInt(value)
	return nil
}

// lenientCount is 0 for what is no whole number.
type lenientCount int64

// UnmarshalJSON never fails.
func (n *lenientCount) UnmarshalJSON(data []byte) error {
	var value lenientInt
	if value.UnmarshalJSON(data) != nil {
		value = 0
	}
	*n = lenientCount(value)
	return nil
}

// lenientTime is zero for what is no time in RFC 3339.
type lenientTime struct{ time.Time }

// UnmarshalJSON never fails.
func (t *lenientTime) UnmarshalJSON(data []byte) error {
	*t = lenientTime{}
	text, ok := plainText(data)
	if ok || json.Unmarshal(data, &text) == nil {
		t.Time = parseTime(text)
	}
	return nil
}

// pointer is nil for the zero time.
func (t lenientTime) pointer() *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t.Time
}

// lenientString is empty for what is no text.
type lenientString string

// UnmarshalJSON never fails.
func (s *lenientString) UnmarshalJSON(data []byte) error {
	*s = ""
	text, ok := plainText(data)
	if ok || json.Unmarshal(data, &text) == nil {
		*s = lenientString(text)
	}
	return nil
}

// plainText is a JSON string in which nothing is escaped, which most are and which needs no decoder.
func plainText(data []byte) (string, bool) {
	if len(data) < 2 || data[0] != '"' || data[len(data)-1] != '"' {
		return "", false
	}
	text := data[1 : len(data)-1]
	return string(text), bytes.IndexByte(text, '\\') < 0 && utf8.Valid(text)
}

// parseTime returns zero for what is no time in RFC 3339, in UTC, too: in another zone a time of the years 0 and 10000
// can be written, but the API server takes none in a status.
func parseTime(text string) time.Time {
	parsed, err := time.Parse(time.RFC3339, text)
	if year := parsed.UTC().Year(); err != nil || year < 1 || year > 9999 {
		return time.Time{}
	}
	return parsed
}
