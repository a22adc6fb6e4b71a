package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"time"

	. "github.com/onsi/gomega"

	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// application is the only one on the Hub.
const application = "trial"

// hub is the admin API of the Hub in the cluster, by a forwarded port.
type hub struct {
	*stage
	url   string
	sent  int
	calls http.Client
}

var forwarding = regexp.MustCompile(`Forwarding from (127\.0\.0\.1:\d+)`)

// reachHub forwards a port to the Hub until the test ends.
func (s *stage) reachHub() *hub {
	s.Helper()
	cmd := s.command(s.Context(), "kubectl", "--namespace", s.namespace, "port-forward", "deployment/"+s.simulator, ":8090")
	out, err := cmd.StdoutPipe()
	s.Expect(err).NotTo(HaveOccurred())
	cmd.Stderr = os.Stderr
	s.Expect(cmd.Start()).To(Succeed())
	s.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	match := forwarding.FindStringSubmatch(line)
	if err != nil || match == nil {
		s.Fatalf("kubectl port-forward says %q, %v", line, err)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return &hub{stage: s, url: "http://" + match[1], calls: http.Client{Timeout: 30 * time.Second}}
}

// call calls the admin API.
func (h *hub) call(g Gomega, method, path string, body, into any) {
	content, err := json.Marshal(body)
	g.Expect(err).NotTo(HaveOccurred())
	request, err := http.NewRequestWithContext(h.Context(), method, h.url+"/_sim/"+path, bytes.NewReader(content))
	g.Expect(err).NotTo(HaveOccurred())
	response, err := h.calls.Do(request)
	g.Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(response.StatusCode).To(BeNumerically("<", 300), string(answer))
	if into != nil {
		g.Expect(json.Unmarshal(answer, into)).To(Succeed(), string(answer))
	}
}

// webhooks are the ids of all webhooks on the Hub.
func (h *hub) webhooks(g Gomega) []string {
	var all []struct{ ID string }
	h.call(g, http.MethodGet, "applications/"+application+"/webhooks", nil, &all)
	ids := []string{}
	for _, webhook := range all {
		ids = append(ids, webhook.ID)
	}
	return ids
}

// spoil has one call of an operation go wrong.
func (h *hub) spoil(fault simulator.Fault) {
	h.Helper()
	h.call(h.WithT, http.MethodPost, "faults", fault, nil)
}

// spoils reports whether there are faults that no call has met.
func (h *hub) spoils(g Gomega) bool {
	var faults []simulator.Fault
	h.call(g, http.MethodGet, "faults", nil, &faults)
	return len(faults) > 0
}

// deliver has the Hub deliver an event to the receiver's Pod, and returns the status code that it answers.
func (h *hub) deliver(g Gomega) int {
	h.sent++
	event := map[string]string{"eventType": "Message", "messageId": strconv.Itoa(h.sent)}
	var answer struct {
		Logs []struct{ StatusCode int }
	}
	h.call(g, http.MethodPost, "events", map[string]any{"application": application, "event": event}, &answer)
	g.Expect(answer.Logs).To(HaveLen(1), "one webhook is delivered to")
	return answer.Logs[0].StatusCode
}

// accepted waits until the receiver's Pod, which mounts the signing Secret, accepts a signed event, and says so.
func (h *hub) accepted() {
	h.Helper()
	h.Eventually(func(g Gomega) {
		g.Expect(h.deliver(g)).To(Equal(http.StatusOK))
	}).Should(Succeed())
	h.Eventually(func() string { return h.kubectl("logs", "deployment/"+h.receiver) }).
		Should(MatchRegexp(`(?m)^.*"accepted".*%s.*$`, fmt.Sprintf("%q", strconv.Itoa(h.sent))))
}
