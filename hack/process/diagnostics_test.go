package process_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// profiles are all that /debug/pprof has to tell.
var profiles = []string{
	"", "allocs", "allocs?debug=1", "block?debug=1", "cmdline", "goroutine?debug=1", "goroutine?debug=2", "heap", "heap?debug=1",
	"mutex?debug=1", "threadcreate?debug=1", "profile?seconds=1", "trace?seconds=1",
}

// profiled is what an operator tells of itself under /debug/pprof.
func (w *world) profiled(address, profile string) string {
	w.Helper()
	answer, err := w.plain.Get("http://" + address + "/debug/pprof/" + profile)
	w.must(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	w.must(err)
	w.Expect(answer.StatusCode).To(Equal(http.StatusOK), "%s: %s", profile, body)
	return string(body)
}

// goroutines is how many an operator has.
func (w *world) goroutines(address string) int {
	w.Helper()
	var n int
	_, err := fmt.Sscanf(w.profiled(address, "goroutine?debug=1"), "goroutine profile: total %d", &n)
	w.must(err)
	return n
}

func TestNeitherProfilesNorThePanicOfADyingProcessShowASecret(t *testing.T) {
	w := newShard(t)
	address := w.freeAddress()
	w.env = []string{"GOTRACEBACK=all"}
	o := w.start(w.install(), "--pprof-bind-address="+address)
	c := w.signedWithHeaders()
	w.rotate(c, "once")
	// A process that holds a secret which it cannot store dies of what prints every goroutine with its arguments.
	w.must(w.hub.AddFault(simulator.Fault{
		Kind: simulator.Slow, Match: simulator.Match{Operation: "redefineSignature"}, Times: 1,
		Delay: simulator.Duration(4 * time.Second),
	}))
	later := w.ready(w.webhook("later", signed))
	w.requestRotation(later, "twice")
	w.Eventually(func() []simulator.Fault { return w.hub.Faults() }).Should(BeEmpty(), "the rotation is not under way")

	var told strings.Builder
	for _, profile := range profiles {
		told.WriteString(w.profiled(address, profile))
	}
	w.must(o.cmd.Process.Signal(syscall.SIGQUIT))
	<-o.ended
	w.Expect(o.log.all()).To(ContainSubstring("goroutine "), "it told nothing of how it died")
	w.findNoCanary(told.String())
}

func TestAnOperatorThatHasSeenMuchHasNoMoreGoroutinesThanBefore(t *testing.T) {
	w := newShard(t)
	address := w.freeAddress()
	w.start(w.install(), "--pprof-bind-address="+address)
	live := func(prefix string) {
		w.must(w.hub.AddFault(simulator.Fault{Kind: simulator.DropAfterCommit, Match: simulator.Match{Operation: "listWebhooks"}, Times: 2}))
		all := w.webhooks(10, prefix, signed)
		for _, c := range all {
			w.ready(c)
		}
		for _, c := range all {
			w.must(w.Delete(w.Context(), c))
		}
		for _, c := range all {
			w.gone(c)
		}
	}
	live("warm")
	before := w.goroutines(address)
	for n := range 3 {
		live(fmt.Sprintf("again-%d", n))
	}
	// Connections that are idle are closed after some seconds.
	w.Eventually(func() int { return w.goroutines(address) }).Should(BeNumerically("<=", before+2), "goroutines at rest, %d before", before)
}
