package e2e

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
)

// tailLines is how much of a log of the node is shown.
const tailLines = 40

// afterwards is a context for what comes when a test has ended.
func (s *stage) afterwards() context.Context { return context.WithoutCancel(s.Context()) }

// tryIfFailed runs a program in the namespace of a test that has failed, so that less is left of it.
func (s *stage) tryIfFailed(name string, args ...string) {
	if !s.Failed() {
		return
	}
	out, err := s.run(s.afterwards(), strings.NewReader(""), name, append([]string{"--namespace", s.namespace}, args...)...)
	s.Logf("%s %s (%v)\n%s", name, strings.Join(args, " "), err, out)
}

// tellOfTheNode shows how the logs of the node end.
func (s *stage) tellOfTheNode() {
	if !s.node {
		return
	}
	for _, name := range []string{"node", "containerd", "kubelet"} {
		content, err := os.ReadFile(filepath.Join(s.nodeFolder(), "log", name+".log"))
		lines := bytes.Split(bytes.TrimSpace(content), []byte("\n"))
		lines = lines[max(len(lines)-tailLines, 0):]
		s.Logf("%s (%v)\n%s", name, err, bytes.Join(lines, []byte("\n")))
	}
}
