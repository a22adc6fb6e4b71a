package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func noted(user, verb, namespace, resource, subresource string, code int) string {
	return fmt.Sprintf(`{"kind":"Event","verb":%q,"user":{"username":%q},"objectRef":{"resource":%q,"namespace":%q,"subresource":%q},`+
		`"responseStatus":{"code":%d}}`+"\n", verb, user, resource, namespace, subresource, code)
}

func TestTheOperatorsWritesAreCounted(t *testing.T) {
	log := &auditLog{path: filepath.Join(t.TempDir(), "audit.log"), user: operatorAccount}
	const us, them, webhooks = operatorAccount, "system:admin", "chatt2webhooks"
	write(t, log, noted(us, "patch", namespace, webhooks, "", 200)+
		noted(us, "patch", namespace, webhooks, "status", 200)+
		noted(us, "patch", namespace, webhooks, "status", 409)+
		noted(us, "create", namespace, "secrets", "", 201)+
		noted(us, "create", namespace, "events", "", 201)+
		noted(us, "update", installedNamespace, "leases", "", 200)+
		noted(us, "create", installedNamespace, "events", "", 201)+
		noted(them, "patch", namespace, webhooks, "", 200)+
		noted(them, "create", namespace, us, "", 201))
	want := writes{Objects: 1, Status: 1, Secrets: 1, Events: 1, Own: 2, Refused: 1}
	check(t, log, want)
	if want.sum() != 4 {
		t.Errorf("the sum is %d", want.sum())
	}
}

func TestALogIsReadOnFromWhereItEnded(t *testing.T) {
	log := &auditLog{path: filepath.Join(t.TempDir(), "audit.log"), user: operatorAccount}
	line := noted(operatorAccount, "patch", namespace, "chatt2webhooks", "status", 200)
	write(t, log, line+line[:30])
	check(t, log, writes{Status: 1})
	write(t, log, line[30:]+line)
	check(t, log, writes{Status: 3})
	check(t, log, writes{Status: 3})
	if since := (writes{Status: 3, Own: 2}).since(writes{Status: 1}); since != (writes{Status: 2, Own: 2}) {
		t.Errorf("since then there were %+v", since)
	}
}

func TestALogThatCannotBeReadIsAnError(t *testing.T) {
	log := &auditLog{path: filepath.Join(t.TempDir(), "audit.log"), user: operatorAccount}
	if _, err := log.read(); err == nil {
		t.Error("a log that is not there is read")
	}
	write(t, log, "{"+operatorAccount+"\n")
	if _, err := log.read(); err == nil {
		t.Error("what is no JSON is read")
	}
}

func write(t *testing.T, log *auditLog, text string) {
	t.Helper()
	file, err := os.OpenFile(log.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func check(t *testing.T, log *auditLog, want writes) {
	t.Helper()
	got, err := log.read()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
