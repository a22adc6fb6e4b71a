package cli

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestReadinessNamesTheReason(t *testing.T) {
	good := check{"good", func(context.Context) error { return nil }}
	bad := check{"bad", func(context.Context) error { return errors.New(`cannot list "secrets" in the namespace "nb"`) }}
	endless := check{"endless", func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}}
	for name, c := range map[string]struct {
		checks []check
		path   string
		status int
		want   string
	}{
		"all pass":            {[]check{good}, "/readyz", http.StatusOK, "ok"},
		"all pass, in detail": {[]check{good}, "/readyz?verbose", http.StatusOK, "[+]good ok"},
		"one fails":           {[]check{good, bad}, "/readyz", http.StatusInternalServerError, `[-]bad failed: cannot list "secrets" in the namespace "nb"`},
		"one alone":           {[]check{good, bad}, "/readyz/good", http.StatusOK, "ok"},
		"one that is stuck":   {[]check{endless}, "/readyz", http.StatusInternalServerError, "[-]endless failed: context deadline exceeded"},
		"alive":               {[]check{bad}, "/healthz", http.StatusOK, "ok"},
	} {
		t.Run(name, func(t *testing.T) {
			answer := httptest.NewRecorder()
			probes(c.checks).ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, c.path, nil))
			if answer.Code != c.status || !strings.Contains(answer.Body.String(), c.want) {
				t.Errorf("got %d, %q", answer.Code, answer.Body)
			}
		})
	}
}
