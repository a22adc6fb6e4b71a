package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// auditEvent is what the API server notes of a write.
type auditEvent struct {
	Verb      string    `json:"verb"`
	Requested time.Time `json:"requestReceivedTimestamp"`
	User      struct {
		Username string `json:"username"`
	} `json:"user"`
	Object struct {
		Resource    string `json:"resource"`
		Namespace   string `json:"namespace"`
		Subresource string `json:"subresource"`
	} `json:"objectRef"`
	Response struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
}

func (e auditEvent) String() string {
	if e.Object.Subresource == "" {
		return e.Verb + " " + e.Object.Resource
	}
	return e.Verb + " " + e.Object.Resource + "/" + e.Object.Subresource
}

// span is a time from one moment to another.
type span struct{ from, to time.Time }

func (s span) holds(t time.Time) bool { return !t.Before(s.from) && !t.After(s.to) }

// writes are the operator's successful writes in a namespace, as the API server's audit log has them. Events are
// counted apart.
func writes(auditLog io.Reader, namespace string, during span) (objects []string, events int, err error) {
	lines := bufio.NewScanner(auditLog)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e auditEvent
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, 0, fmt.Errorf("read the audit log: %w", err)
		}
		if e.User.Username != operatorAccount || e.Object.Namespace != namespace || e.Response.Code >= 300 ||
			!during.holds(e.Requested) {
			continue
		}
		if e.Object.Resource == "events" {
			events++
			continue
		}
		objects = append(objects, e.String())
	}
	return objects, events, lines.Err()
}

// count says how often each thing occurs: "2 patch secrets, 1 create secrets".
func count(things []string) string {
	times := map[string]int{}
	for _, thing := range things {
		times[thing]++
	}
	var said []string
	for _, thing := range slices.Sorted(maps.Keys(times)) {
		said = append(said, fmt.Sprintf("%d %s", times[thing], thing))
	}
	return strings.Join(said, ", ")
}

// auditedWrites are the operator's writes, from the API server's audit log.
func (s *story) auditedWrites(namespace string, during span) (objects []string, events int, err error) {
	log, err := os.Open(s.folder.log("audit"))
	if err != nil {
		return nil, 0, err
	}
	defer log.Close()
	return writes(log, namespace, during)
}
