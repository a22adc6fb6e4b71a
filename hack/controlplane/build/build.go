package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// build builds the binaries from the modules of hack/controlplane, one by one, as the compiler uses all cores anyway.
func build(ctx context.Context, dir string, want pins, todo []binary) error {
	if len(todo) == 0 {
		return nil
	}
	fmt.Printf("controlplane: building %d binaries of Kubernetes %s from source into %s\n", len(todo), want.kubernetes, dir)
	fmt.Println("controlplane: the first time takes some 10 to 20 minutes, as all of Kubernetes is compiled; " +
		"from the build cache it takes seconds")
	for i, b := range todo {
		step := fmt.Sprintf("[%d/%d] %s", i+1, len(todo), b.name)
		if err := compile(ctx, dir, want, b, step); err != nil {
			return err
		}
	}
	return nil
}

func compile(ctx context.Context, dir string, want pins, b binary, step string) error {
	temporary := filepath.Join(dir, "."+b.name+".new")
	defer os.Remove(temporary)
	var complaints bytes.Buffer
	ldflags := "-s -w -X k8s.io/component-base/version.gitVersion=" + want.kubernetes
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", ldflags, "-o", temporary, b.pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stdout, cmd.Stderr = &complaints, &complaints
	if err := watch(step, cmd.Run); err != nil {
		return fmt.Errorf("build %s: %w\n%s", b.name, err, complaints.Bytes())
	}
	return install(dir, b, want, temporary)
}

// watch shows that work goes on: seconds that tick on a terminal, a line every half minute elsewhere.
func watch(step string, work func() error) error {
	start := time.Now()
	terminal := false
	if info, err := os.Stdout.Stat(); err == nil {
		terminal = info.Mode()&os.ModeCharDevice != 0
	}
	interval, line := 30*time.Second, "%s %s\n"
	if terminal {
		interval, line = time.Second, "\r%s %s "
	}
	done := make(chan error, 1)
	go func() { done <- work() }()
	fmt.Printf(line, step, "...")
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			fmt.Printf(line, step, "took "+time.Since(start).Round(time.Second).String())
			if terminal {
				fmt.Println()
			}
			return err
		case <-tick.C:
			fmt.Printf(line, step, time.Since(start).Round(time.Second).String()+" so far")
		}
	}
}
