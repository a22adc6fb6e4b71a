package simulator

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

// AdminHandler serves the admin API under /_sim/. It has no authentication and shows header values.
func (s *Simulator) AdminHandler() http.Handler {
	mux := http.NewServeMux()
	for pattern, run := range map[string]func(*http.Request) (any, error){
		"GET /_sim/healthz":    give(func() any { return map[string]string{"status": "ok"} }),
		"POST /_sim/reset":     do(s.Reset),
		"PATCH /_sim/settings": s.adminSettings,

		"GET /_sim/applications":                             give(func() any { return s.Applications() }),
		"POST /_sim/applications":                            s.adminAddApplication,
		"PUT /_sim/applications/{application}/keys/{key}":    s.adminSetKey,
		"DELETE /_sim/applications/{application}/keys/{key}": s.adminRevokeKey,
		"GET /_sim/applications/{application}/webhooks":      s.adminWebhooks,
		"POST /_sim/applications/{application}/webhooks":     s.adminCreate,
		"PATCH /_sim/webhooks/{id}":                          s.adminChange,
		"DELETE /_sim/webhooks/{id}":                         s.adminDelete,
		"POST /_sim/webhooks/{id}/redefine-signature":        s.adminRedefine,
		"GET /_sim/lifetimes":                                give(func() any { return s.Lifetimes() }),
		"POST /_sim/events":                                  s.adminSendEvent,
		"GET /_sim/faults":                                   give(func() any { return s.Faults() }),
		"POST /_sim/faults":                                  s.adminAddFault,
		"DELETE /_sim/faults":                                do(s.ClearFaults),
		"POST /_sim/release-late":                            give(s.adminReleaseLate),
		"GET /_sim/variants":                                 give(func() any { return s.Variants() }),
		"PUT /_sim/variants":                                 s.adminSetVariants,
		"PATCH /_sim/variants":                               s.adminMergeVariants,
		"GET /_sim/requests":                                 s.adminRequests,
		"GET /_sim/requests/tally":                           s.adminTally,
		"DELETE /_sim/requests":                              do(s.ClearRequests),
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			result, err := run(r)
			s.writeAdmin(w, result, err)
		})
	}
	return mux
}

func (s *Simulator) adminReleaseLate() any { return map[string]int{"released": s.ReleaseLate()} }

// give and do make what takes no request into what does.
func give(f func() any) func(*http.Request) (any, error) {
	return func(*http.Request) (any, error) { return f(), nil }
}

func do(f func()) func(*http.Request) (any, error) {
	return func(*http.Request) (any, error) {
		f()
		return nil, nil
	}
}

// writeAdmin answers 200 with result, 204 without one, or the error.
func (s *Simulator) writeAdmin(w http.ResponseWriter, result any, err error) {
	status := http.StatusOK
	if err != nil {
		status = http.StatusBadRequest
		if refusal, ok := errors.AsType[*RefusalError](err); ok {
			status = refusal.Status
		}
		result = map[string]string{"error": err.Error()}
	}
	if result == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(result); err != nil {
		s.logger.Info("Could not send the answer to an admin call", "error", err)
	}
}

// decodeAdmin reads a body into target; an unknown field is an error.
func decodeAdmin(r *http.Request, target any) error {
	decoder := json.NewDecoder(io.LimitReader(r.Body, maxRequestBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(target); err != nil {
		return invalid("the body cannot be read: " + err.Error())
	}
	return nil
}

func (s *Simulator) adminSettings(r *http.Request) (any, error) {
	var body struct {
		Latency   *Duration `json:"latency"`
		RateLimit *float64  `json:"rateLimit"`
	}
	if err := decodeAdmin(r, &body); err != nil {
		return nil, err
	}
	if body.Latency != nil {
		s.SetLatency(time.Duration(*body.Latency))
	}
	if body.RateLimit != nil {
		s.SetRateLimit(*body.RateLimit)
	}
	return nil, nil
}

func (s *Simulator) adminAddFault(r *http.Request) (any, error) {
	var fault Fault
	if err := decodeAdmin(r, &fault); err != nil {
		return nil, err
	}
	return nil, s.AddFault(fault)
}

func (s *Simulator) adminSetVariants(r *http.Request) (any, error) {
	return s.readVariants(r, Variants{})
}

func (s *Simulator) adminMergeVariants(r *http.Request) (any, error) {
	return s.readVariants(r, s.Variants())
}

func (s *Simulator) readVariants(r *http.Request, base Variants) (any, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequestBody))
	if err != nil {
		return nil, err
	}
	if err := base.Merge(body); err != nil {
		return nil, invalid(err.Error())
	}
	s.SetVariants(base)
	return base, nil
}

func (s *Simulator) adminRequests(r *http.Request) (any, error) {
	return s.Requests(adminFilters(r)...), nil
}

func (s *Simulator) adminTally(r *http.Request) (any, error) {
	return s.Tally(adminFilters(r)...), nil
}

// adminFilters are the query parameters operation, application and webhook, each of which narrows the answer.
func adminFilters(r *http.Request) []Filter {
	var filters []Filter
	for name, filter := range map[string]func(string) Filter{
		"operation": ByOperation, "application": ByApplication, "webhook": ByWebhook,
	} {
		if value := r.URL.Query().Get(name); value != "" {
			filters = append(filters, filter(value))
		}
	}
	return filters
}
