package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// auditPolicy has every write noted, without its content.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  verbs: [create, update, patch, delete, deletecollection]
- level: None
`

// writes are successful writes to the API server, by what is written. Refused are those that were not taken.
type writes struct {
	Objects int `json:"objects"`
	Status  int `json:"status"`
	Secrets int `json:"secrets"`
	Events  int `json:"events"`
	// Own are those that the operator makes for itself: leases, and events about them.
	Own     int `json:"own"`
	Refused int `json:"refused"`
}

// sum is all that was written for resources.
func (w writes) sum() int { return w.Objects + w.Status + w.Secrets + w.Events }

func (w writes) since(before writes) writes {
	return writes{
		Objects: w.Objects - before.Objects, Status: w.Status - before.Status, Secrets: w.Secrets - before.Secrets,
		Events: w.Events - before.Events, Own: w.Own - before.Own, Refused: w.Refused - before.Refused,
	}
}

// auditEvent is what the API server notes of a write.
type auditEvent struct {
	Verb string `json:"verb"`
	User struct {
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

// add counts an event.
func (w *writes) add(e auditEvent) {
	switch {
	case e.Response.Code >= 300:
		w.Refused++
	case e.Object.Namespace == installedNamespace:
		w.Own++
	case e.Object.Resource == "events":
		w.Events++
	case e.Object.Resource == "secrets":
		w.Secrets++
	case e.Object.Subresource == "status":
		w.Status++
	default:
		w.Objects++
	}
}

// auditLog counts the writes of one user in a log that grows.
type auditLog struct {
	path, user string
	offset     int64
	total      writes
}

// read takes in what was noted since the last time, and gives all writes so far.
func (l *auditLog) read() (writes, error) {
	file, err := os.Open(l.path)
	if err != nil {
		return writes{}, err
	}
	defer file.Close()
	if _, err := file.Seek(l.offset, io.SeekStart); err != nil {
		return writes{}, err
	}
	lines := bufio.NewReaderSize(file, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return l.total, nil // a line that is only half there is for the next time
		}
		if err != nil {
			return writes{}, err
		}
		l.offset += int64(len(line))
		if err := l.take(line); err != nil {
			return writes{}, err
		}
	}
}

func (l *auditLog) take(line []byte) error {
	// Most lines are somebody else's.
	if !bytes.Contains(line, []byte(l.user)) {
		return nil
	}
	var e auditEvent
	if err := json.Unmarshal(line, &e); err != nil {
		return fmt.Errorf("read the audit log: %w", err)
	}
	if e.User.Username == l.user {
		l.total.add(e)
	}
	return nil
}
