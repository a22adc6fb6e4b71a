package simulator_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
	"github.com/chatt2me/webhook-operator/internal/signing"
)

func TestASecretIsMadeWhenSigningIsTurnedOnAndAtRedefine(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	id, created := w.create(object{"requiresSignature": true})
	one := root + "/" + id
	first, _ := created["secret"].(string)
	if first == "" || first != w.SecretOf(id) {
		t.Fatalf("the answer holds %q, the Hub signs with %q", first, w.SecretOf(id))
	}
	if r := w.call(http.StatusOK, "GET", one, nil); strings.Contains(string(r.raw), first) {
		t.Error("GET shows the secret")
	}
	if r := w.call(http.StatusOK, "PATCH", one, object{"requiresSignature": true}); r.body["secret"] != nil {
		t.Error("a PATCH from true to true made a secret")
	}
	second := w.call(http.StatusOK, "POST", one+"/redefine-signature", nil).body["secret"].(string)
	if second == first || second != w.SecretOf(id) {
		t.Errorf("redefine gave %q after %q", second, first)
	}
	w.call(http.StatusOK, "PATCH", one, object{"requiresSignature": false})
	if w.SecretOf(id) != "" {
		t.Error("a webhook that is not signed has a secret")
	}
	third := w.call(http.StatusOK, "PATCH", one, object{"requiresSignature": true}).body["secret"].(string)
	if diff := cmp.Diff([]string{first, second}, w.OldSecretsOf(id)); diff != "" || third == second {
		t.Errorf("signing off and on must make another secret: %s", diff)
	}
}

func TestDeliveriesAreSignedWithTheSecretOfTheMoment(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	id, _ := w.create(object{"requiresSignature": true, "headers": []object{{"key": "X-A", "value": "a"}}})
	if h := <-w.endpoint.seen; h.Get(signing.SignatureHeader) != "" || h.Get("X-A") != "a" || len(<-w.endpoint.bodies) != 0 {
		t.Errorf("the handshake carries %v, want the custom header and no signature", h)
	}
	old := w.SecretOf(id)
	logs := w.send("first")
	w.accepted("first", w.SecretOf(id))
	w.call(http.StatusOK, "POST", root+"/"+id+"/redefine-signature", nil)
	// A redelivery of an old event is signed with the new secret too.
	w.call(http.StatusOK, "POST", root+"/"+id+"/webhook-log/"+logs[0].ID+"/retry", nil)
	header, body := <-w.endpoint.seen, <-w.endpoint.bodies
	verify := func(secret string) error {
		return signing.Verify(header.Get(signing.SignatureHeader), body, time.Now(), signing.DefaultTolerance, secret)
	}
	if verify(old) == nil || verify(w.SecretOf(id)) != nil {
		t.Error("the redelivery is not signed with the new secret alone")
	}
}

// accepted takes the next delivery and checks its body and signature.
func (w *world) accepted(messageID, secret string) {
	w.t.Helper()
	header, body := <-w.endpoint.seen, <-w.endpoint.bodies
	err := signing.Verify(header.Get(signing.SignatureHeader), body, time.Now(), signing.DefaultTolerance, secret)
	if err != nil || !strings.Contains(string(body), messageID) || header.Get("X-A") != "a" {
		w.t.Errorf("delivery %s with %v: %v", body, header, err)
	}
}

func TestUnsignedDeliveriesCarryNoSignature(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.create(nil)
	<-w.endpoint.seen
	w.send("m")
	if h := <-w.endpoint.seen; h.Get(signing.SignatureHeader) != "" {
		t.Error("an unsigned delivery is signed")
	}
}
