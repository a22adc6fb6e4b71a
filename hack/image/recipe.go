package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// recipe is the last stage of a Dockerfile.
type recipe struct {
	user       string
	entrypoint []string
	labels     map[string]string
	// files are what is in the image, by their paths, and where the builder has them.
	files map[string]string
}

// readRecipe reads the last stage of a Dockerfile. What it does not know is an error: the image would be another one.
func readRecipe(path string) (*recipe, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	_, last, ok := strings.Cut(strings.ReplaceAll(string(content), "\\\n", " "), "\nFROM scratch\n")
	if !ok {
		return nil, errors.New("the last stage does not begin with an empty image")
	}
	r := &recipe{labels: map[string]string{}, files: map[string]string{}}
	for line := range strings.Lines(last) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := r.follow(line); err != nil {
			return nil, fmt.Errorf("%s: %w", line, err)
		}
	}
	if r.user == "" || len(r.entrypoint) == 0 || len(r.files) == 0 {
		return nil, errors.New("the last stage lacks USER, ENTRYPOINT or COPY")
	}
	return r, nil
}

var label = regexp.MustCompile(`^([a-z0-9.]+)="([^"$]*)"\s*`)

// follow does what one instruction says.
func (r *recipe) follow(line string) error {
	instruction, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	switch instruction {
	case "USER":
		r.user = rest
	case "ENTRYPOINT":
		return json.Unmarshal([]byte(rest), &r.entrypoint)
	case "COPY":
		words := strings.Fields(rest)
		if len(words) != 3 || words[0] != "--from=builder" || !strings.HasPrefix(words[2], "/") {
			return errors.New("this is no COPY of one file of the builder to an absolute path")
		}
		r.files[words[2]] = words[1]
	case "LABEL":
		for rest != "" {
			match := label.FindStringSubmatch(rest)
			if match == nil {
				return fmt.Errorf("cannot read the label at %q", rest)
			}
			r.labels[match[1]] = match[2]
			rest = rest[len(match[0]):]
		}
	default:
		return errors.New("this instruction is not known here")
	}
	return nil
}
