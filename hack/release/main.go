// Program release writes everything that a release consists of, but the image, into a folder: manifests, the chart,
// binaries, a bill of materials and checksums. The same source gives the same bytes. It is to be run at the top of the
// repository, after make has built the tools.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
)

// name is that of the project, of its binary and of its chart.
const name = "chatt2-webhook-operator"

// registry is where the image of a release is.
const registry = "ghcr.io/chatt2me/" + name

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// release is what is made, and from what.
type release struct {
	// version begins with a v.
	version string
	// source is the repository, out the folder that is written.
	source, out string
	// tools is the folder of helm and cyclonedx-gomod, kubectl a binary.
	tools, kubectl string
	platforms      []string
	log            io.Writer
}

// platforms are those that there are binaries for.
const platforms = "linux/amd64,linux/arm64,darwin/amd64,darwin/arm64,windows/amd64,windows/arm64"

var semantic = regexp.MustCompile(`^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$`)

func run(ctx context.Context, args []string, log io.Writer) error {
	r := release{log: log}
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	flags.StringVar(&r.version, "version", "", "version, such as v1.2.3 or v1.2.3-rc.1")
	flags.StringVar(&r.source, "source", ".", "folder of the repository")
	flags.StringVar(&r.out, "o", "dist", "folder to write; what is in it is removed")
	flags.StringVar(&r.tools, "tools", "bin/tools", "folder with helm and cyclonedx-gomod")
	flags.StringVar(&r.kubectl, "kubectl", "bin/k8s/kubectl", "kubectl, for its kustomize")
	list := flags.String("platforms", platforms, "what to build binaries for")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if !semantic.MatchString(r.version) {
		return fmt.Errorf("-version must be like v1.2.3 or v1.2.3-rc.1, not %q", r.version)
	}
	r.platforms = strings.Split(*list, ",")
	return r.make(ctx)
}

func (r *release) make(ctx context.Context) error {
	var err error
	for _, path := range []*string{&r.source, &r.out, &r.tools, &r.kubectl} {
		// Programs are run in other folders.
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	if err := errors.Join(os.RemoveAll(r.out), os.MkdirAll(r.out, 0o755)); err != nil {
		return err
	}
	steps := []func(context.Context) error{r.manifests, r.chart, r.binaries, r.billOfMaterials, r.checksums}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// number is the version without its v, as images and charts have it.
func (r *release) number() string { return strings.TrimPrefix(r.version, "v") }

// write writes a file of the release.
func (r *release) write(file string, content []byte) error {
	fmt.Fprintln(r.log, file)
	return os.WriteFile(filepath.Join(r.out, file), content, 0o644)
}
