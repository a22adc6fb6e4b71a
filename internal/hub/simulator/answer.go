package simulator

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// OffContractHeader says why an answer is not one of openapi.yaml, so that contract tests pass over just these.
const OffContractHeader = "X-Sim-Off-Contract"

// answer is what the Hub answers, before a fault spoils it.
type answer struct {
	status int
	// body is written as JSON; raw, with its contentType, is written as it is.
	body        any
	raw         []byte
	contentType string
	header      http.Header
	offContract string
}

// required are the fields without which openapi.yaml knows no webhook.
var required = []string{
	"id", "applicationId", "active", "eventType", "endpoint", "numberOfErrors", "authenticationProtocol", "isVerified",
	"createdDate",
}

func webhookAnswer(v Variants, status int, w Webhook, secret string) answer {
	body, off := shape(v, w)
	if secret != "" && !v.OmitSecret {
		body[cmp.Or(v.SecretField, "secret")] = secret
	}
	return answer{status: status, body: body, offContract: off}
}

// shape gives a webhook the fields that this deployment shows.
func shape(v Variants, w Webhook) (body map[string]any, offContract string) {
	body = fields(w)
	for _, others := range []map[string]any{v.Fields, v.FieldsOf[w.Label]} {
		for name, value := range others {
			if _, known := body[name]; known {
				offContract = "another value of " + name
			}
			body[name] = value
		}
	}
	for _, name := range v.OmitFields {
		delete(body, name)
		if slices.Contains(required, name) {
			offContract = "without " + name
		}
	}
	return body, offContract
}

func listAnswer(v Variants, webhooks []Webhook, pagination Pagination) answer {
	data, off := make([]map[string]any, 0, len(webhooks)), ""
	for _, w := range webhooks {
		body, why := shape(v, w)
		data, off = append(data, body), cmp.Or(off, why)
	}
	return page(v, data, pagination, off)
}

func logsAnswer(v Variants, logs []Log, pagination Pagination) answer {
	data, off := make([]map[string]any, 0, len(logs)), ""
	for _, l := range logs {
		body := logBody(v, l)
		for name, value := range v.LogFields {
			if _, known := body[name]; known {
				off = "another value of " + name
			}
			body[name] = value
		}
		data = append(data, body)
	}
	return page(v, data, pagination, off)
}

func page(v Variants, data []map[string]any, pagination Pagination, off string) answer {
	if v.BareLists {
		return answer{status: http.StatusOK, body: data, offContract: "bare array"}
	}
	return answer{status: http.StatusOK, body: map[string]any{"data": data, "pagination": pagination}, offContract: off}
}

func logBody(v Variants, l Log) map[string]any {
	body := map[string]any{
		"id": l.ID, "webhookId": l.WebhookID, "statusCode": l.StatusCode, "responseBody": nullable(l.ResponseBody),
		"status": logStatus(v, l),
		"sendAt": l.SendAt.Format(time.RFC3339Nano), "createdDate": l.CreatedDate.Format(time.RFC3339Nano),
		"isDeleted": false, "messageId": nullable(l.MessageID), "webhook": fields(l.Webhook),
	}
	if l.StatusCode == 0 && v.UnansweredNull {
		body["statusCode"] = nil
	}
	return body
}

func logStatus(v Variants, l Log) string {
	if l.Succeeded {
		return "Success"
	}
	return cmp.Or(v.FailedStatus, "Failed")
}

// refusalAnswer gives err the shape that errors have in this deployment.
func refusalAnswer(v Variants, err error) answer {
	refusal, ok := errors.AsType[*RefusalError](err)
	if !ok {
		refusal = &RefusalError{Status: http.StatusInternalServerError, Messages: []string{"Internal server error"}}
	}
	if v.ErrorBody == ErrorHTML {
		return htmlPage(refusal.Status)
	}
	body := map[string]any{"statusCode": refusal.Status, "error": http.StatusText(refusal.Status)}
	switch v.ErrorBody {
	case ErrorArray:
		body["message"] = refusal.Messages
	case ErrorString:
		body["message"] = strings.Join(refusal.Messages, "; ")
	default:
	}
	return answer{status: refusal.Status, body: body}
}

func tooMany(v Variants, retryAfter string) answer {
	a := refusalAnswer(v, &RefusalError{Status: http.StatusTooManyRequests, Messages: []string{"Too Many Requests"}})
	if retryAfter != "" {
		a.header = http.Header{"Retry-After": {retryAfter}}
	}
	return a
}

func htmlPage(status int) answer {
	const page = "<html><head><title>%s</title></head><body><h1>%s</h1></body></html>\n"
	title := fmt.Sprintf("%d %s", status, http.StatusText(status))
	return answer{
		status: status, contentType: "text/html", offContract: "HTML",
		raw: fmt.Appendf(nil, page, title, title),
	}
}

// bytes is the body as it goes over the wire.
func (a answer) bytes() []byte {
	if a.raw != nil || a.body == nil {
		return a.raw
	}
	encoded, err := json.Marshal(a.body)
	if err != nil {
		panic(err) // only maps and structs of plain values come here
	}
	return encoded
}

// prepare writes all of the header but the status and its length.
func (s *Simulator) prepare(w http.ResponseWriter, c *call, a answer) {
	maps.Copy(w.Header(), a.header)
	if a.raw != nil || a.body != nil {
		w.Header().Set("Content-Type", cmp.Or(a.contentType, "application/json"))
	}
	if a.offContract != "" {
		w.Header().Set(OffContractHeader, a.offContract)
	}
	// Before the first byte: a client that has its answer must find it in the log.
	now := s.now().UTC()
	s.requests.update(c.entry, func(e *Request) {
		e.Status, e.AnsweredAt, e.OffContract = a.status, now, a.offContract
	})
}

func (s *Simulator) answer(w http.ResponseWriter, c *call, a answer) {
	s.prepare(w, c, a)
	w.WriteHeader(a.status)
	_, _ = w.Write(a.bytes()) // the client may be gone
}

// fields is v as a JSON object.
func fields(v any) map[string]any {
	encoded, err := json.Marshal(v)
	if err != nil {
		panic(err) // only wire structs come here
	}
	var object map[string]any
	if err := json.Unmarshal(encoded, &object); err != nil {
		panic(err)
	}
	return object
}

func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}
