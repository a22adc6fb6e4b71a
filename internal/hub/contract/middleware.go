package contract

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// OffContract is the header by which an answer says that it breaks the contract on purpose, and why. Such an answer
// is not validated; its request is.
const OffContract = "X-Sim-Off-Contract"

// Middleware validates every request to next below /v1/ and its answer against the Hub's OpenAPI document, and
// reports what does not fit as an error of tb. What comes after the end of tb is not looked at.
func Middleware(tb testing.TB, next http.Handler) http.Handler {
	tb.Helper()
	router, err := loadRouter()
	if err != nil {
		tb.Fatal(err)
	}
	m := &middleware{t: tb, router: router, next: next}
	tb.Cleanup(m.end)
	return m
}

type middleware struct {
	router routers.Router
	next   http.Handler

	mu sync.Mutex
	// t is nil once the test has ended, for to report to it then is a panic.
	t testing.TB
}

func (m *middleware) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.t = nil
}

func (m *middleware) errorf(format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.t != nil {
		m.t.Errorf(format, args...)
	}
}

// ServeHTTP passes request and answer on unchanged.
func (m *middleware) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, "/v1/") {
		m.next.ServeHTTP(w, r)
		return
	}
	input := m.checkRequest(r)
	answer := &recorder{ResponseWriter: w}
	// A handler that panics to drop the connection leaves no answer to validate.
	m.next.ServeHTTP(answer, r)
	if input != nil && !answer.hijacked {
		m.checkAnswer(input, answer)
	}
}

// checkRequest returns nil for a request that no operation takes.
func (m *middleware) checkRequest(r *http.Request) *openapi3filter.RequestValidationInput {
	route, pathParams, err := m.router.FindRoute(r)
	if err != nil {
		m.errorf("contract: no operation for %s %s", r.Method, r.URL.Path)
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		// Cut off on the way: next sees the same, and there is nothing to validate.
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
		return nil
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	// The validator reads, and may replace, the body of its own copy.
	seen := r.Clone(r.Context())
	seen.Body = io.NopCloser(bytes.NewReader(body))
	input := &openapi3filter.RequestValidationInput{
		Request: seen, PathParams: pathParams, Route: route, Options: options(),
	}
	if err := openapi3filter.ValidateRequest(r.Context(), input); err != nil {
		m.errorf("contract: request of %s: %v", route.Operation.OperationID, err)
	}
	if unknown := unknownQuery(route, r.URL.Query()); len(unknown) > 0 {
		m.errorf("contract: request of %s: unknown query parameters %q", route.Operation.OperationID, unknown)
	}
	return input
}

func (m *middleware) checkAnswer(input *openapi3filter.RequestValidationInput, answer *recorder) {
	operation := input.Route.Operation.OperationID
	if input.Request.Header.Get("x-api-key") == "" && answer.status() != http.StatusUnauthorized {
		m.errorf("contract: request of %s: no x-api-key, and the answer is %d", operation, answer.status())
	}
	if answer.Header().Get(OffContract) != "" {
		return
	}
	output := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: answer.status(), Header: answer.Header(), Options: options(),
	}
	output.SetBodyBytes(answer.body.Bytes())
	if err := openapi3filter.ValidateResponse(input.Request.Context(), output); err != nil {
		m.errorf("contract: answer %d of %s: %v", answer.status(), operation, err)
	}
}

// failing is a body that breaks off.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
