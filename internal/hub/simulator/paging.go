package simulator

import (
	"net/url"
	"strconv"
)

const (
	defaultLimit = 20
	maxLimit     = 50
)

// Page asks for a part of a list. Offsets count entries, so they shift when an earlier entry goes.
type Page struct{ Offset, Limit int }

// Pagination says which part of a list an answer holds.
type Pagination struct {
	Offset     int `json:"offset"`
	Limit      int `json:"limit"`
	Total      int `json:"total"`
	TotalPages int `json:"totalPages"`
}

// DecodePage reads offset and limit. The error is a *RefusalError.
func DecodePage(query url.Values) (Page, error) {
	page := Page{Limit: defaultLimit}
	var wrong []string
	if s := query.Get("offset"); s != "" {
		n, err := strconv.Atoi(s)
		if page.Offset = n; err != nil || n < 0 {
			wrong = append(wrong, "offset must be an integer of at least 0")
		}
	}
	if s := query.Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if page.Limit = n; err != nil || n < 1 || n > maxLimit {
			wrong = append(wrong, "limit must be an integer from 1 to 50")
		}
	}
	return page, refuse(wrong)
}

// cut takes page out of all; most bounds its limit when it is above 0.
func cut[T any](all []T, page Page, most int) ([]T, Pagination) {
	limit := page.Limit
	if most > 0 {
		limit = min(limit, most)
	}
	from := min(page.Offset, len(all))
	to := min(from+limit, len(all))
	part := append([]T{}, all[from:to]...)
	pages := (len(all) + limit - 1) / limit
	return part, Pagination{Offset: page.Offset, Limit: limit, Total: len(all), TotalPages: pages}
}
