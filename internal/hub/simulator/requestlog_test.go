package simulator_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

func TestTheRequestLogTellsWhatCame(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	id, _ := w.create(object{"headers": []object{{"key": "X-A", "value": canary}}})
	w.call(http.StatusOK, "GET", root+"?limit=3", nil)
	w.as("wrong").call(http.StatusUnauthorized, "DELETE", root+"/"+id, nil)
	got := w.Requests()
	body := w.creation(object{"headers": []any{object{"key": "X-A", "value": "REDACTED"}}})
	want := []simulator.Request{
		{Number: 1, Operation: "createWebhook", Method: "POST", Path: root, Application: "shop", Key: "default", Status: 201, Committed: true, WebhookID: id, Body: body},
		{Number: 2, Operation: "listWebhooks", Method: "GET", Path: root, RawQuery: "limit=3", Application: "shop", Key: "default", Status: 200},
		{Number: 3, Operation: "deleteWebhook", Method: "DELETE", Path: root + "/" + id, Status: 401, WebhookID: id},
	}
	times := cmpopts.IgnoreFields(simulator.Request{}, "ReceivedAt", "CommittedAt", "AnsweredAt", "UserAgent")
	if diff := cmp.Diff(want, got, times); diff != "" {
		t.Error(diff)
	}
	first := got[0]
	if first.CommittedAt.Before(first.ReceivedAt) || first.AnsweredAt.Before(first.CommittedAt) || first.UserAgent == "" {
		t.Errorf("times or user agent are wrong: %+v", first)
	}
	if w.Count("listWebhooks") != 1 || len(w.Mutations()) != 2 || len(w.Requests(simulator.Committed, simulator.ByWebhook(id))) != 1 ||
		len(w.Requests(simulator.Since(got[1].ReceivedAt), simulator.ByApplication("shop"))) != 1 {
		t.Error("a filter chooses wrongly")
	}
	w.ClearRequests()
	if len(w.Requests()) != 0 {
		t.Error("the log was not cleared")
	}
}

// lockedBuffer is a writer that several goroutines may use.
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

func TestNoSecretIsLoggedOrRemembered(t *testing.T) {
	out := &lockedBuffer{}
	w := newLenientWorld(t, simulator.Options{Logger: slog.New(slog.NewTextHandler(out, nil))})
	w.fault(simulator.Fault{Kind: simulator.Echo, Times: 1})
	headers := object{"headers": []object{{"key": "X-A", "value": canary}}, "requiresSignature": true}
	w.call(http.StatusBadRequest, "POST", root, w.creation(headers))
	id, _ := w.create(headers)
	w.call(http.StatusBadRequest, "PATCH", root+"/"+id, object{"secret": canary})
	w.call(http.StatusBadRequest, "PATCH", root+"/"+id, object{"headers": canary})
	w.call(http.StatusOK, "POST", root+"/"+id+"/redefine-signature", nil)
	remembered, err := json.Marshal(w.Requests())
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(out.String(), "operation=createWebhook"); lines != 2 {
		t.Errorf("%d lines tell of two creations", lines)
	}
	for _, secret := range []string{canary, shopKey, w.SecretOf(id), w.OldSecretsOf(id)[0]} {
		if strings.Contains(out.String()+string(remembered), secret) {
			t.Errorf("%q is logged or remembered", secret)
		}
	}
}
