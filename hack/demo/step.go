package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// stepTime is how long a step may take.
const stepTime = 90 * time.Second

// step is one part of the story. It fails when what it shows is not so.
type step struct {
	title string
	tell  func(*story, context.Context) error
}

// story is what is told, and what was learned on the way.
type story struct {
	*world
	out   *terminal
	hub   *hub
	kube  client.Client
	leaks *leaks

	// webhookID and firstSecret are those of the signed webhook.
	webhookID, firstSecret string
	// untouched is what the second team's webhook looked like when it was ready.
	untouched witness
	// figures are lines for the end.
	figures []string
}

func newStory(w *world, out *terminal) (*story, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	kube, err := client.New(w.cluster.Config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, err
	}
	s := &story{world: w, out: out, hub: newHub(w.adminURL, out), kube: kube, leaks: &leaks{}}
	for _, key := range w.keys {
		s.leaks.know(key)
	}
	s.leaks.know(w.token)
	return s, nil
}

// tell tells the steps in their order, and stops at the first that fails.
func (s *story) tell(ctx context.Context) error {
	for i, step := range steps {
		s.out.title(i+1, step.title)
		within, cancel := context.WithTimeout(ctx, stepTime)
		err := step.tell(s, within)
		cancel()
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
		if err != nil {
			s.out.fail(err.Error())
			return fmt.Errorf("step %d failed: %s", i+1, step.title)
		}
	}
	return nil
}

// shell shows a command, runs it and shows what it printed, which it returns. The command may fail.
func (s *story) shell(ctx context.Context, line string) (string, error) {
	s.out.command(line)
	output, err := s.quietly(ctx, line)
	s.out.show(output)
	return output, err
}

// quietly runs a command without showing it.
func (s *story) quietly(ctx context.Context, line string) (string, error) {
	var output bytes.Buffer
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		return output.String(), fmt.Errorf("%s: %w", firstWords(line), err)
	}
	return output.String(), nil
}

// shellWants is shell for a command that must succeed and print certain things.
func (s *story) shellWants(ctx context.Context, line string, wanted ...string) error {
	output, err := s.shell(ctx, line)
	if err != nil {
		return err
	}
	for _, want := range wanted {
		if !strings.Contains(output, want) {
			return fmt.Errorf("expected %q in the output of %s", want, firstWords(line))
		}
	}
	return nil
}

func firstWords(line string) string {
	const most = 60
	if len(line) <= most {
		return line
	}
	return line[:most] + "..."
}

// expect waits until look finds what is expected, and fails with what was seen last when it does not in time. look
// gives an empty text when all is as expected.
func (s *story) expect(ctx context.Context, expected string, look func() (seen string, err error)) error {
	seen, err := "nothing yet", error(nil)
	found := wait(ctx, func() bool {
		seen, err = look()
		return err == nil && seen == ""
	})
	if found {
		return nil
	}
	if err != nil {
		seen = err.Error()
	}
	return fmt.Errorf("expected within %s: %s; seen last: %s", stepTime, expected, seen)
}
