package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func TestAProcessIsKnownUntilItEnds(t *testing.T) {
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	before, err := identify(cmd.Process.Pid)
	again, errAgain := identify(cmd.Process.Pid)
	if err != nil || errAgain != nil || before == "" || before != again {
		t.Errorf("it is %q and then %q: %v, %v", before, again, err, errAgain)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	err = until(t.Context(), "the process has ended", func() error {
		if _, err := identify(cmd.Process.Pid); err == nil {
			return errors.New("it is taken to run")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("it ended by itself")
	}
}

func TestWhatIsMissingIsToldWithHowToGetIt(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root is told")
	}
	t.Setenv("PATH", t.TempDir())
	err := checkNeeds()
	if err == nil || !strings.Contains(err.Error(), "apt-get install -y --no-install-recommends ") ||
		!strings.Contains(err.Error(), " iptables") {
		t.Errorf("got %v", err)
	}
}

// inCluster sends what is meant for the API server of the node to a handler.
type inCluster struct{ http.Handler }

func (c inCluster) RoundTrip(request *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	c.ServeHTTP(recorder, request)
	return recorder.Result(), nil
}

func TestNamesOfServicesAreAnsweredAndNoOthers(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/namespaces/chat/services/receiver", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"spec":{"clusterIP":"10.96.7.8"}}`))
	})
	n := names{&http.Client{Timeout: time.Minute, Transport: inCluster{mux}}}
	for name, want := range map[string]string{
		"receiver.chat.svc.":               "10.96.7.8",
		"Receiver.chat.svc.cluster.local.": "10.96.7.8",
		"receiver.other.svc.":              "",
		"chat.svc.":                        "",
		"receiver.chat.svc.example.com.":   "",
		"api.chatt2.me.":                   "",
	} {
		query := dnsmessage.Message{
			Header: dnsmessage.Header{ID: 7, RecursionDesired: true},
			Questions: []dnsmessage.Question{{
				Name: dnsmessage.MustNewName(name), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET,
			}},
		}
		packed, err := query.Pack()
		if err != nil {
			t.Fatal(err)
		}
		packed, err = n.answer(t.Context(), packed)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var answer dnsmessage.Message
		if err := answer.Unpack(packed); err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, a := range answer.Answers {
			if body, ok := a.Body.(*dnsmessage.AResource); ok {
				got = netip.AddrFrom4(body.A).String()
			}
		}
		if got != want || answer.ID != 7 || (answer.RCode == dnsmessage.RCodeNameError) != (want == "") {
			t.Errorf("%s is answered by %q, %s", name, got, answer.RCode)
		}
	}
}
