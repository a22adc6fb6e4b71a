package simulator

import (
	"encoding/json"
	"io"
	"net/http"
)

// adminWebhook is a webhook with what the Hub's API never shows but the secret.
type adminWebhook struct {
	Webhook
	Headers []Header `json:"headers"`
}

func (s *Simulator) adminAddApplication(r *http.Request) (any, error) {
	var body struct {
		Name   string `json:"name"`
		APIKey string `json:"apiKey"`
	}
	if err := decodeAdmin(r, &body); err != nil {
		return nil, err
	}
	if body.Name == "" {
		return nil, invalid("name is required")
	}
	return s.AddApplication(body.Name, body.APIKey), nil
}

func (s *Simulator) adminSetKey(r *http.Request) (any, error) {
	var body struct {
		APIKey string `json:"apiKey"`
	}
	if err := decodeAdmin(r, &body); err != nil {
		return nil, err
	}
	return nil, s.SetKey(r.PathValue("application"), r.PathValue("key"), body.APIKey)
}

func (s *Simulator) adminRevokeKey(r *http.Request) (any, error) {
	return nil, s.RevokeKey(r.PathValue("application"), r.PathValue("key"))
}

func (s *Simulator) adminWebhooks(r *http.Request) (any, error) {
	all := []adminWebhook{}
	for _, w := range s.Webhooks(r.PathValue("application")) {
		all = append(all, adminWebhook{Webhook: w, Headers: s.HeadersOf(w.ID)})
	}
	return all, nil
}

func (s *Simulator) adminCreate(r *http.Request) (any, error) {
	change, err := readDashboardChange(r)
	if err != nil {
		return nil, err
	}
	return s.CreateByHand(r.PathValue("application"), change)
}

func (s *Simulator) adminChange(r *http.Request) (any, error) {
	change, err := readDashboardChange(r)
	if err != nil {
		return nil, err
	}
	return s.ChangeByHand(r.PathValue("id"), change)
}

func readDashboardChange(r *http.Request) (Change, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequestBody))
	if err != nil {
		return Change{}, err
	}
	return DecodeDashboardChange(body)
}

func (s *Simulator) adminDelete(r *http.Request) (any, error) {
	return nil, s.DeleteByHand(r.PathValue("id"))
}

// adminRedefine keeps the new secret to itself: this API has no authentication.
func (s *Simulator) adminRedefine(r *http.Request) (any, error) {
	_, err := s.RedefineByHand(r.PathValue("id"))
	return nil, err
}

// adminSendEvent delivers {application, event} and answers with the logs.
func (s *Simulator) adminSendEvent(r *http.Request) (any, error) {
	var body struct {
		Application string          `json:"application"`
		Event       json.RawMessage `json:"event"`
	}
	if err := decodeAdmin(r, &body); err != nil {
		return nil, err
	}
	logs, err := s.SendEvent(body.Application, body.Event)
	v := s.Variants()
	shown := make([]map[string]any, 0, len(logs))
	for _, l := range logs {
		shown = append(shown, logBody(v, l))
	}
	return map[string]any{"logs": shown}, err
}
