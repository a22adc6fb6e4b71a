package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// The files of the builder that are known here.
const (
	builtBinary      = "/chatt2-webhook-operator"
	builtAuthorities = "/etc/ssl/certs/ca-certificates.crt"
)

// index is the image for all platforms, such as linux/amd64, by the paths of their binaries.
func (r *recipe) index(binaries map[string]string) (v1.ImageIndex, error) {
	if len(binaries) == 0 {
		return nil, errors.New("there is no binary")
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, platform := range slices.Sorted(maps.Keys(binaries)) {
		p, err := v1.ParsePlatform(platform)
		if err != nil {
			return nil, err
		}
		image, err := r.image(p, binaries[platform])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", platform, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: p}})
	}
	return index, nil
}

// image is the image for one platform.
func (r *recipe) image(platform *v1.Platform, binary string) (v1.Image, error) {
	content, err := r.archive(binary)
	if err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
	layer, err := tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err = mutate.Append(image, mutate.Addendum{Layer: layer, MediaType: types.OCILayer})
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Variant = platform.OS, platform.Architecture, platform.Variant
	config.Config = v1.Config{User: r.user, Entrypoint: r.entrypoint, Labels: r.labels}
	return mutate.ConfigFile(image, config)
}

// archive is the only layer: the files of the image and the folders above them, owned by root, and of no date.
func (r *recipe) archive(binary string) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	made := map[string]bool{}
	for _, file := range slices.Sorted(maps.Keys(r.files)) {
		content, mode, err := built(r.files[file], binary)
		if err != nil {
			return nil, err
		}
		file = strings.TrimPrefix(path.Clean(file), "/")
		for i, letter := range file {
			if folder := file[:i]; letter == '/' && !made[folder] {
				made[folder] = true
				if err := add(w, &tar.Header{Typeflag: tar.TypeDir, Name: folder + "/", Mode: 0o755}, nil); err != nil {
					return nil, err
				}
			}
		}
		if err := add(w, &tar.Header{Typeflag: tar.TypeReg, Name: file, Mode: mode}, content); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}

func add(w *tar.Writer, header *tar.Header, content []byte) error {
	header.Size, header.ModTime, header.Format = int64(len(content)), time.Unix(0, 0), tar.FormatPAX
	if err := w.WriteHeader(header); err != nil {
		return err
	}
	_, err := w.Write(content)
	return err
}

// built is a file of the builder, with its mode.
func built(source, binary string) (content []byte, mode int64, err error) {
	switch source {
	case builtBinary:
		content, err = os.ReadFile(binary)
		return content, 0o755, err
	case builtAuthorities:
		return authorities(), 0o644, nil
	}
	return nil, 0, fmt.Errorf("the builder's %s is not known here", source)
}

// authorities are those that Mozilla trusts without a condition, which a file could not express.
func authorities() []byte {
	var all bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			all.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}))
		}
	}
	return all.Bytes()
}

func writeLayout(folder string, index v1.ImageIndex) error {
	if _, err := os.Stat(folder); err == nil {
		return fmt.Errorf("%s is there already", folder)
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	_, err := layout.Write(folder, index)
	return err
}

func pushTo(reference string, index v1.ImageIndex) error {
	to, err := name.ParseReference(reference, name.StrictValidation)
	if err != nil {
		return err
	}
	return remote.WriteIndex(to, index, remote.WithAuthFromKeychain(authn.DefaultKeychain))
}
