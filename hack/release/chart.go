package main

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// chart packs the chart with the version of the release. Helm packs it; what that leaves to chance is taken out.
func (r *release) chart(ctx context.Context) error {
	temporary, err := os.MkdirTemp("", "release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	copied := filepath.Join(temporary, name)
	if err := os.CopyFS(copied, os.DirFS(filepath.Join(r.source, "charts", name))); err != nil {
		return err
	}
	if err := r.stamp(filepath.Join(copied, "Chart.yaml")); err != nil {
		return err
	}
	if _, err := call(ctx, temporary, nil, filepath.Join(r.tools, "helm"), "package", name); err != nil {
		return err
	}
	file := fmt.Sprintf("%s-%s.tgz", name, r.number())
	packed, err := os.ReadFile(filepath.Join(temporary, file))
	if err != nil {
		return err
	}
	packed, err = timeless(packed)
	if err != nil {
		return err
	}
	return r.write(file, packed)
}

// stamps are the lines of Chart.yaml that a release changes: what is before the value, and the value.
var stamps = []*regexp.Regexp{
	regexp.MustCompile(`(?m)^(version: )(.*)$`),
	regexp.MustCompile(`(?m)^(appVersion: )(.*)$`),
	regexp.MustCompile(`(?m)^( +image: ` + regexp.QuoteMeta(registry) + `:)(.*)$`),
	regexp.MustCompile(`(?m)^(  artifacthub.io/prerelease: )(.*)$`),
}

// stamp puts the version into Chart.yaml.
func (r *release) stamp(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	prerelease := strconv.Quote(strconv.FormatBool(strings.Contains(r.version, "-")))
	for i, value := range []string{r.number(), r.number(), r.number(), prerelease} {
		if found := len(stamps[i].FindAll(content, -1)); found != 1 {
			return fmt.Errorf("there are %d lines like %s in Chart.yaml, not one", found, stamps[i])
		}
		content = stamps[i].ReplaceAll(content, []byte("${1}"+value))
	}
	return os.WriteFile(path, content, 0o644)
}

// entry is a file of an archive.
type entry struct {
	name    string
	content []byte
}

// timeless is a compressed archive with the same files, in the order of their names, and of no date.
func timeless(archive []byte) ([]byte, error) {
	entries, err := unpack(archive)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	var out bytes.Buffer
	compressed, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	w := tar.NewWriter(compressed)
	for _, e := range entries {
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: e.name, Mode: 0o644, Size: int64(len(e.content)), ModTime: time.Unix(0, 0),
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(e.content); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(w.Close(), compressed.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// unpack are the files of a compressed archive.
func unpack(archive []byte) ([]entry, error) {
	expanded, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, err
	}
	var entries []entry
	for r := tar.NewReader(expanded); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return entries, nil
		}
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{header.Name, content})
	}
}
