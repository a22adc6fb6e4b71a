package simulator_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
	"github.com/chatt2me/webhook-operator/internal/receiver"
	"github.com/chatt2me/webhook-operator/internal/signing"
)

func TestTheReceiverPassesTheHandshakeAndAcceptsSignedDeliveries(t *testing.T) {
	for _, contentType := range []string{receiver.TextHandshake, receiver.JSONHandshake} {
		t.Run(contentType, func(t *testing.T) {
			w, secrets := newWorld(t, verifiesFirst()), t.TempDir()
			token := filepath.Join(secrets, "token")
			write(t, token, canary+"\n")
			r, err := receiver.New(receiver.Options{
				SigningSecretDir: secrets, HandshakeContentType: contentType, RequiredHeaders: map[string]string{"X-Token": token},
			})
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewTLSServer(r.Handler())
			defer server.Close()
			id, body := w.create(object{
				"endpoint": server.URL + receiver.DefaultPath, "requiresSignature": true,
				"headers": []object{{"key": "X-Token", "value": canary}},
			})
			if body["isVerified"] != true {
				t.Fatal("the receiver did not pass the handshake")
			}
			old := w.SecretOf(id)
			write(t, filepath.Join(secrets, "secret"), old)
			w.send("with the current secret")
			w.call(http.StatusOK, "POST", root+"/"+id+"/redefine-signature", nil)
			w.send("with a secret that is not there yet")
			write(t, filepath.Join(secrets, "previousSecret"), old)
			write(t, filepath.Join(secrets, "secret"), w.SecretOf(id))
			w.send("with the new secret")
			want := receiver.Stats{Accepted: 2, Refused: map[string]int{"SignatureMismatch": 1}, Handshakes: 1}
			if diff := cmp.Diff(want, r.Stats()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestOnlyTheExactTokenVerifies(t *testing.T) {
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   bool
	}{
		{"the token as text", answering(200, "text/plain; charset=utf-8", "", ""), true},
		{"the token without a content type", answering(200, "application/octet-stream", "", ""), true},
		{"the token as a JSON string", answering(200, "application/json; charset=utf-8", `"`, `"`), true},
		{"the bare token as JSON", answering(200, "application/json", "", ""), false},
		{"a JSON string as text", answering(200, "text/plain", `"`, `"`), false},
		{"the token with a newline", answering(200, "text/plain", "", "\n"), false},
		{"201", answering(201, "text/plain", "", ""), false},
		{"an error", answering(500, "text/plain", "", ""), false},
		{"a redirect to who would answer", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				http.Redirect(w, r, "/there", http.StatusTemporaryRedirect)
				return
			}
			answering(200, "text/plain", "", "")(w, r)
		}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, verifiesFirst())
			server := httptest.NewTLSServer(test.answer)
			defer server.Close()
			id, created := w.create(object{"endpoint": server.URL + "/"})
			if created["isVerified"] != test.want || w.get(id)["isVerified"] != test.want {
				t.Errorf("isVerified is %v, want %v", created["isVerified"], test.want)
			}
			if verifiedAt := w.get(id)["verifiedAt"]; (verifiedAt != nil) != test.want {
				t.Errorf("verifiedAt is %v", verifiedAt)
			}
		})
	}
}

// answering repeats the token between two texts.
func answering(status int, contentType, before, after string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(before + r.Header.Get(signing.ValidationTokenHeader) + after))
	}
}

func TestAnEndpointOfAnUnknownAuthorityIsNotVerified(t *testing.T) {
	w := newWorld(t, simulator.Options{CoreOptions: simulator.CoreOptions{
		Endpoint: simulator.NewEndpointClient(nil, 0), Variants: simulator.Variants{VerifyBeforeAnswer: true},
	}})
	if _, body := w.create(nil); body["isVerified"] != false {
		t.Error("a certificate of an unknown authority was trusted")
	}
}

func TestVerificationIsTriedAgainByAPatchOfTheEndpointOnly(t *testing.T) {
	w := newWorld(t, verifiesFirst())
	id, _ := w.create(object{"endpoint": noChannel})
	w.call(http.StatusOK, "PATCH", root+"/"+id, object{"label": "x"})
	if len(w.endpoint.seen) != 0 || w.get(id)["isVerified"] != false {
		t.Error("a PATCH of the label verified")
	}
	if r := w.call(http.StatusOK, "PATCH", root+"/"+id, object{"endpoint": w.endpoint.URL}); r.body["isVerified"] != true {
		t.Error("a PATCH of the endpoint did not verify")
	}
	first := (<-w.endpoint.seen).Get(signing.ValidationTokenHeader)
	w.call(http.StatusOK, "PATCH", root+"/"+id, object{"endpoint": w.endpoint.URL})
	if second := (<-w.endpoint.seen).Get(signing.ValidationTokenHeader); first == second {
		t.Error("the token is not fresh")
	}
	if r := w.call(http.StatusOK, "PATCH", root+"/"+id, object{"endpoint": noChannel}); r.body["isVerified"] != false {
		t.Error("the new endpoint does not answer and is verified")
	}
}

// slowEndpoint answers the handshake when it is let go.
type slowEndpoint struct {
	calls   chan string
	letGo   chan struct{}
	holdURL string
}

func (e *slowEndpoint) Post(ctx context.Context, call simulator.EndpointCall) (simulator.EndpointAnswer, error) {
	e.calls <- call.URL
	if call.URL == e.holdURL {
		select {
		case <-e.letGo:
		case <-ctx.Done():
			return simulator.EndpointAnswer{}, ctx.Err()
		}
	}
	return simulator.EndpointAnswer{StatusCode: 200, Body: []byte(call.Header.Get(signing.ValidationTokenHeader))}, nil
}

func TestAVerificationThatALaterOneOvertookDoesNotCount(t *testing.T) {
	e := &slowEndpoint{calls: make(chan string, 9), letGo: make(chan struct{}), holdURL: "https://old.example"}
	core := simulator.NewCore(simulator.CoreOptions{Endpoint: e, Variants: simulator.Variants{VerifyBeforeAnswer: true}})
	defer core.Close()
	app := core.AddApplication("a", "k")
	verified := true
	w, err := core.CreateByHand(app.ID, simulator.Change{Endpoint: new("https://first.example"), IsVerified: &verified})
	if err != nil {
		t.Fatal(err)
	}
	old := make(chan simulator.Webhook)
	go func() {
		u, _, _ := core.Update(app.ID, w.ID, simulator.Change{Endpoint: new("https://old.example")})
		old <- u
	}()
	<-e.calls // the old handshake is under way, and the lock is free
	no := false
	if _, err := core.ChangeByHand(w.ID, simulator.Change{Endpoint: new("https://new.example")}); err != nil {
		t.Fatal(err)
	}
	if _, err := core.ChangeByHand(w.ID, simulator.Change{IsVerified: &no}); err != nil {
		t.Fatal(err)
	}
	close(e.letGo)
	if u := <-old; u.IsVerified || u.Endpoint != "https://new.example" {
		t.Errorf("the old handshake made %+v", u)
	}
}

func TestTheHubVerifiesSoonAfterItsAnswer(t *testing.T) {
	var later []time.Duration
	var verify []func()
	core := simulator.NewCore(simulator.CoreOptions{
		Endpoint: &slowEndpoint{calls: make(chan string, 99)},
		After: func(d time.Duration, f func()) (stop func() bool) {
			later, verify = append(later, d), append(verify, f)
			return func() bool { return true }
		},
	})
	defer core.Close()
	app := core.AddApplication("a", "k")
	for range 20 {
		made, _, err := core.Create(app.ID, simulator.Change{
			Label: new("l"), Endpoint: new("https://a.example"), EventType: new("Message"),
			AuthenticationProtocol: new("NoAuthentication"),
		})
		if err != nil || made.IsVerified {
			t.Fatalf("the answer is %+v, %v; want one that is not verified", made, err)
		}
		verify[len(verify)-1]()
		if now, err := core.Get(app.ID, made.ID); err != nil || !now.IsVerified {
			t.Fatalf("the webhook is %+v, %v; want it verified", now, err)
		}
	}
	if first, last := slices.Min(later), slices.Max(later); first < 50*time.Millisecond || last > 2*time.Second || first == last {
		t.Errorf("it verifies %v to %v after its answer", first, last)
	}
}

func TestCloseEndsAHandshakeThatIsUnderWay(*testing.T) {
	e := &slowEndpoint{calls: make(chan string, 1), letGo: make(chan struct{}), holdURL: "https://a.example"}
	core := simulator.NewCore(simulator.CoreOptions{Endpoint: e, Variants: simulator.Variants{VerifyBeforeAnswer: true}})
	core.AddApplication("a", "k")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = core.CreateByHand("a", simulator.Change{Endpoint: &e.holdURL})
	}()
	<-e.calls
	core.Close()
	<-ended
}
