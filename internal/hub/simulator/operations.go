package simulator

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// operation is one operation of openapi.yaml, or a request that fits none, which has no run.
type operation struct {
	id, method, path string
	hasBody          bool
	run              func(*Simulator, Variants, *call) (answer, error)
	refused          answer
}

func (o operation) mutates() bool { return o.run != nil && o.method != http.MethodGet }

// The paths of the Hub's API.
const (
	pathWebhooks  = "/v1/organization/webhook"
	pathWebhook   = pathWebhooks + "/{webhookId}"
	pathSignature = pathWebhook + "/redefine-signature"
	pathLogs      = pathWebhook + "/webhook-log"
	pathRetryAll  = pathLogs + "/retry"
	pathRetry     = pathLogs + "/{webhookLogId}/retry"
)

// operations is the Hub's API.
var operations = []operation{
	{id: "createWebhook", method: "POST", path: pathWebhooks, hasBody: true, run: (*Simulator).createWebhook},
	{id: "listWebhooks", method: "GET", path: pathWebhooks, run: (*Simulator).listWebhooks},
	{id: "getWebhook", method: "GET", path: pathWebhook, run: (*Simulator).getWebhook},
	{id: "updateWebhook", method: "PATCH", path: pathWebhook, hasBody: true, run: (*Simulator).updateWebhook},
	{id: "deleteWebhook", method: "DELETE", path: pathWebhook, run: (*Simulator).deleteWebhook},
	{id: "redefineSignature", method: "POST", path: pathSignature, run: (*Simulator).redefineSignature},
	{id: "listWebhookLogs", method: "GET", path: pathLogs, run: (*Simulator).listWebhookLogs},
	{id: "retryWebhookLog", method: "POST", path: pathRetry, run: (*Simulator).retryWebhookLog},
	{id: "retryWebhookLogs", method: "POST", path: pathRetryAll, hasBody: true, run: (*Simulator).retryWebhookLogs},
}

var unknownPath = operation{refused: answer{
	status: http.StatusNotFound, offContract: "no such path",
	body: map[string]any{"statusCode": http.StatusNotFound, "error": "Not Found", "message": "Cannot find this path"},
}}

func wrongMethod(methods map[string]operation) operation {
	allowed := strings.Join(slices.Sorted(maps.Keys(methods)), ", ")
	return operation{refused: answer{
		status: http.StatusMethodNotAllowed, offContract: "no such method", header: http.Header{"Allow": {allowed}},
		body: map[string]any{
			"statusCode": http.StatusMethodNotAllowed, "error": "Method Not Allowed", "message": "Method Not Allowed",
		},
	}}
}

func (s *Simulator) createWebhook(v Variants, c *call) (answer, error) {
	change, err := DecodeChange(c.body)
	if err != nil {
		return answer{}, err
	}
	w, secret, err := s.Create(c.application.ID, change)
	if err != nil {
		return answer{}, err
	}
	c.webhookID = w.ID
	if v.CreateAnswersOK {
		return webhookAnswer(v, http.StatusOK, w, secret), nil
	}
	return webhookAnswer(v, http.StatusCreated, w, secret), nil
}

func (s *Simulator) listWebhooks(v Variants, c *call) (answer, error) {
	page, err := DecodePage(c.query)
	if err != nil {
		return answer{}, err
	}
	webhooks, pagination := s.List(c.application.ID, page)
	return listAnswer(v, webhooks, pagination), nil
}

func (s *Simulator) getWebhook(v Variants, c *call) (answer, error) {
	w, err := s.Get(c.application.ID, c.webhookID)
	return webhookAnswer(v, http.StatusOK, w, ""), err
}

func (s *Simulator) updateWebhook(v Variants, c *call) (answer, error) {
	change, err := DecodeChange(c.body)
	if err != nil {
		return answer{}, err
	}
	w, secret, err := s.Update(c.application.ID, c.webhookID, change)
	return webhookAnswer(v, http.StatusOK, w, secret), err
}

func (s *Simulator) deleteWebhook(_ Variants, c *call) (answer, error) {
	return answer{status: http.StatusNoContent}, s.Delete(c.application.ID, c.webhookID)
}

func (s *Simulator) redefineSignature(_ Variants, c *call) (answer, error) {
	secret, err := s.Redefine(c.application.ID, c.webhookID)
	return answer{status: http.StatusOK, body: map[string]any{"secret": secret}}, err
}

func (s *Simulator) listWebhookLogs(v Variants, c *call) (answer, error) {
	page, err := DecodePage(c.query)
	if err != nil {
		return answer{}, err
	}
	wanted := func(Log) bool { return true }
	if status := c.query.Get("status"); status != "" {
		if !slices.Contains([]string{"Success", "Failed", "Error"}, status) {
			return answer{}, invalid("status must be one of Success, Failed, Error")
		}
		wanted = func(l Log) bool { return logStatus(v, l) == status }
	}
	logs, pagination, err := s.Logs(c.application.ID, c.webhookID, page, wanted)
	return logsAnswer(v, logs, pagination), err
}

func (s *Simulator) retryWebhookLog(_ Variants, c *call) (answer, error) {
	result, err := s.Retry(c.application.ID, c.webhookID, c.logID)
	return answer{status: http.StatusOK, body: map[string]any{
		"success": result.Success, "newLogId": nullable(result.NewLogID),
	}}, err
}

func (s *Simulator) retryWebhookLogs(_ Variants, c *call) (answer, error) {
	var body struct {
		WebhookLogIDs []string `json:"webhookLogIds"`
	}
	if err := json.Unmarshal(c.body, &body); err != nil || len(body.WebhookLogIDs) == 0 {
		return answer{}, invalid("webhookLogIds must be a list of at least one UUID")
	}
	for _, id := range body.WebhookLogIDs {
		if uuid.Validate(id) != nil {
			return answer{}, invalid("each value in webhookLogIds must be a UUID")
		}
	}
	retried, err := s.RetryAll(c.application.ID, c.webhookID, body.WebhookLogIDs)
	results := make([]map[string]any, 0, len(retried))
	for _, r := range retried {
		results = append(results, map[string]any{
			"webhookLogId": r.WebhookLogID, "success": r.Success, "newLogId": nullable(r.NewLogID),
		})
	}
	return answer{status: http.StatusOK, body: map[string]any{"results": results}}, err
}
