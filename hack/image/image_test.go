package main

import (
	"archive/tar"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

const dockerfile = "../../Dockerfile"

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// flags are those that the Dockerfile builds with.
func flags(t *testing.T) []string {
	t.Helper()
	text := strings.ReplaceAll(read(t, dockerfile), "\\\n", " ")
	match := regexp.MustCompile(`go build (.*?) +-ldflags "(.*)" +-o /chatt2-webhook-operator \.\n`).FindStringSubmatch(text)
	if match == nil {
		t.Fatal("the Dockerfile does not build the operator as is known here")
	}
	if !strings.Contains(text, "RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build") {
		t.Error("the Dockerfile does not cross-compile a static binary")
	}
	return append(strings.Fields(match[1]), "-ldflags", strings.ReplaceAll(match[2], "$VERSION", "v0.0.0-test"))
}

// binary is built as the Dockerfile builds it.
func binary(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "chatt2-webhook-operator")
	args := append([]string{"build"}, flags(t)...)
	build := exec.CommandContext(t.Context(), "go", append(args, "-o", path, ".")...)
	build.Dir = filepath.Join("..", "..")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// made is the image in a folder.
func made(t *testing.T, platforms ...string) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "image")
	args := []string{"-dockerfile", dockerfile, "-o", folder}
	if err := run(append(args, platforms...)); err != nil {
		t.Fatal(err)
	}
	return folder
}

// files are what is in an image, by their paths.
func files(t *testing.T, image v1.Image) map[string]*tar.Header {
	t.Helper()
	layers, err := image.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("want one layer, got %d, %v", len(layers), err)
	}
	content, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	all := map[string]*tar.Header{}
	for r := tar.NewReader(content); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all[header.Name] = header
	}
}

func onlyImage(t *testing.T, folder string) v1.Image {
	t.Helper()
	index, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil || len(manifest.Manifests) != 1 {
		t.Fatalf("want one platform, got %+v, %v", manifest, err)
	}
	image, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// mebibytes is the most that the image may take in a registry.
const mebibytes = 30

func TestTheImageHoldsTheBinaryAndNothingToLogInTo(t *testing.T) {
	built := binary(t)
	image := onlyImage(t, made(t, "linux/"+runtime.GOARCH+"="+built))

	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.OS != "linux" || config.Architecture != runtime.GOARCH {
		t.Errorf("the image is for %s/%s", config.OS, config.Architecture)
	}
	is := config.Config
	if is.User != "65532:65532" || !slices.Equal(is.Entrypoint, []string{"/chatt2-webhook-operator"}) || is.Cmd != nil {
		t.Errorf("user %q, entry point %q, command %q", is.User, is.Entrypoint, is.Cmd)
	}
	if is.Env != nil || is.ExposedPorts != nil || is.Volumes != nil {
		t.Errorf("there is more than was asked for: %+v", is)
	}
	if is.Labels["org.opencontainers.image.source"] == "" {
		t.Error("nothing says where the image comes from")
	}
	inside := files(t, image)
	want := []string{"chatt2-webhook-operator", "etc/", "etc/ssl/", "etc/ssl/certs/", "etc/ssl/certs/ca-certificates.crt"}
	if got := slices.Sorted(maps.Keys(inside)); !slices.Equal(got, want) {
		t.Errorf("the image holds %v, want %v", got, want)
	}
	for name, header := range inside {
		if header.Uid != 0 || header.Mode&0o022 != 0 || header.Mode&0o7000 != 0 || header.ModTime.Unix() != 0 {
			t.Errorf("%s: owner %d, mode %o, date %s", name, header.Uid, header.Mode, header.ModTime)
		}
	}
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	if size, err := layers[0].Size(); err != nil || size > mebibytes<<20 {
		t.Errorf("the image takes %d bytes, %v", size, err)
	} else {
		t.Logf("the image takes %.1f MiB, the binary in it %.1f MiB", float64(size)/(1<<20),
			float64(inside["chatt2-webhook-operator"].Size)/(1<<20))
	}
}

func TestTheBinaryIsStatic(t *testing.T) {
	info, err := exec.CommandContext(t.Context(), "go", "version", "-m", binary(t)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, info)
	}
	for _, setting := range []string{"CGO_ENABLED=0", "-trimpath=true"} {
		if !strings.Contains(string(info), "\tbuild\t"+setting+"\n") {
			t.Errorf("the binary was not built with %s", setting)
		}
	}
}

func TestSameBinariesMakeTheSameImage(t *testing.T) {
	one := filepath.Join(t.TempDir(), "one")
	if err := os.WriteFile(one, []byte("no binary, but it will do"), 0o600); err != nil {
		t.Fatal(err)
	}
	var contents []string
	for range 2 {
		folder := made(t, "linux/arm64="+one, "linux/amd64="+one)
		contents = append(contents, read(t, filepath.Join(folder, "index.json")))
	}
	if contents[0] != contents[1] {
		t.Errorf("two images of the same differ: %v", contents)
	}
}

func TestADockerfileThatSaysMoreIsRefused(t *testing.T) {
	text := read(t, dockerfile)
	for what, changed := range map[string]string{
		"another base":         strings.Replace(text, "FROM scratch", "FROM debian", 1),
		"an instruction":       text + "ENV A=b\n",
		"another file":         text + "COPY --from=builder /bin/sh /bin/sh\n",
		"a file of the source": text + "COPY README.md /README.md\n",
		"no user":              strings.Replace(text, "USER 65532:65532\n", "", 1),
	} {
		path := filepath.Join(t.TempDir(), "Dockerfile")
		if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := run([]string{"-dockerfile", path, "linux/amd64=" + path}); err == nil {
			t.Errorf("%s is not noticed", what)
		}
	}
}
