package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// call runs a program in a folder and returns what it prints.
func call(ctx context.Context, folder string, environment []string, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = folder, append(os.Environ(), environment...)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		said := strings.Join(args, " ")
		return nil, fmt.Errorf("%s %s: %w\n%s", filepath.Base(program), said, err, complaints.Bytes())
	}
	return out, nil
}

// plain is what else Go might be told that changes bytes. GOENV is what `go env -w` wrote, which stands in for whatever
// the environment leaves empty.
var plain = []string{
	"GOENV=off", "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0", "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=",
	"GOFIPS140=off",
}

var toolchainLine = regexp.MustCompile(`(?m)^toolchain (go1\.[0-9]+\.[0-9]+)$`)

// toolchain is the Go that go.mod pins.
func (r *release) toolchain() (string, error) {
	content, err := os.ReadFile(filepath.Join(r.source, "go.mod"))
	if err != nil {
		return "", err
	}
	match := toolchainLine.FindSubmatch(content)
	if match == nil {
		return "", errors.New("go.mod pins no toolchain")
	}
	return string(match[1]), nil
}

// binaries cross-compiles the operator, with the flags that the Dockerfile has, too.
func (r *release) binaries(ctx context.Context) error {
	toolchain, err := r.toolchain()
	if err != nil {
		return err
	}
	for _, platform := range r.platforms {
		system, architecture, ok := strings.Cut(platform, "/")
		if !ok {
			return fmt.Errorf("%q is no platform", platform)
		}
		file := r.binary(system, architecture)
		environment := append(slices.Clone(plain), "GOTOOLCHAIN="+toolchain, "GOOS="+system, "GOARCH="+architecture)
		_, err := call(ctx, r.source, environment, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags",
			"-s -w -X github.com/chatt2me/webhook-operator/internal/cli.released="+r.version,
			"-o", filepath.Join(r.out, file), ".")
		if err != nil {
			return err
		}
		fmt.Fprintln(r.log, file)
	}
	return nil
}

// binary is the file name of the binary for a platform.
func (r *release) binary(system, architecture string) string {
	file := fmt.Sprintf("%s_%s_%s_%s", name, r.number(), system, architecture)
	if system == "windows" {
		file += ".exe"
	}
	return file
}

// billOfMaterials lists the modules in the first of the binaries, which are the same in all but for a few that only one
// system needs.
func (r *release) billOfMaterials(ctx context.Context) error {
	system, architecture, _ := strings.Cut(r.platforms[0], "/")
	out, err := call(ctx, r.source, nil, filepath.Join(r.tools, "cyclonedx-gomod"), "bin", "-json", "-noserial",
		"-notimestamp", "-std", "-version", r.version, filepath.Join(r.out, r.binary(system, architecture)))
	if err != nil {
		return err
	}
	return r.write(fmt.Sprintf("%s_%s.cdx.json", name, r.number()), out)
}

// checksums are those of all files, as sha256sum --check reads them.
func (r *release) checksums(context.Context) error {
	entries, err := os.ReadDir(r.out)
	if err != nil {
		return err
	}
	var lines bytes.Buffer
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(r.out, entry.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&lines, "%x  %s\n", sha256.Sum256(content), entry.Name())
	}
	if lines.Len() == 0 {
		return errors.New("nothing was made")
	}
	return r.write("checksums.txt", lines.Bytes())
}
