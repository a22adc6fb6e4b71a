package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTheOperatorsWritesAreCounted(t *testing.T) {
	event := func(user, verb, resource, namespace, at, code string) string {
		return `{"verb":"` + verb + `","requestReceivedTimestamp":"2026-01-01T12:00:` + at + `Z","user":{"username":"` + user +
			`"},"objectRef":{"resource":"` + resource + `","namespace":"` + namespace + `"},"responseStatus":{"code":` + code + `}}`
	}
	log := strings.Join([]string{
		event(operatorAccount, "patch", "chatt2webhooks", "chat", "01.000001", "200"),
		event(operatorAccount, "create", "secrets", "chat", "02", "201"),
		event(operatorAccount, "patch", "chatt2webhooks", "chat", "02", "200"),
		event(operatorAccount, "create", "events", "chat", "02", "201"),
		event(operatorAccount, "patch", "chatt2webhooks", "chat", "02", "409"), // refused
		event(operatorAccount, "patch", "chatt2webhooks", "shop", "02", "200"), // elsewhere
		event("admin", "create", "chatt2webhooks", "chat", "02", "201"),        // the user's
		event(operatorAccount, "patch", "chatt2webhooks", "chat", "09", "200"), // later
	}, "\n")
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

	objects, events, err := writes(strings.NewReader(log), "chat", span{from: noon, to: noon.Add(5 * time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("1 create secrets, 2 patch chatt2webhooks", count(objects)); diff != "" || events != 1 {
		t.Errorf("%s; %d events", diff, events)
	}
	if _, _, err := writes(strings.NewReader("no JSON"), "chat", span{}); err == nil {
		t.Error("a log that cannot be read gives no error")
	}
}
