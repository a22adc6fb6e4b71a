package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// mutated are the files that a mutant changes as they are then, by their path below root.
func (m mutant) mutated(root string) (map[string]string, error) {
	files := map[string]string{}
	for _, e := range m.edits {
		text, ok := files[e.file]
		if !ok {
			content, err := os.ReadFile(filepath.Join(root, e.file))
			if err != nil {
				return nil, fmt.Errorf("mutant %q: %w", m.name, err)
			}
			text = string(content)
		}
		text, err := e.in(text)
		if err != nil {
			return nil, fmt.Errorf("mutant %q: %w", m.name, err)
		}
		files[e.file] = text
	}
	return files, nil
}

// in makes the edit in the text of a file. Whole lines are compared.
func (e edit) in(text string) (string, error) {
	text, before := "\n"+text, "\n"+e.before
	at := strings.Index(text, before)
	if at < 0 {
		return "", fmt.Errorf("%s has not, or no longer, what is to be changed:\n%s", e.file, e.before)
	}
	if strings.Contains(text[at+1:], before) {
		return "", fmt.Errorf("%s has more than once what is to be changed:\n%s", e.file, e.before)
	}
	return (text[:at] + "\n" + e.after + text[at+len(before):])[1:], nil
}

// overlay writes the files that a mutant changes into a folder, and beside them what tells go to take them instead of
// those of the repository.
func (m mutant) overlay(root, folder string) (string, error) {
	files, err := m.mutated(root)
	if err != nil {
		return "", err
	}
	replaced := map[string]string{}
	for path, text := range files {
		copied := filepath.Join(folder, strconv.Itoa(len(replaced))+"-"+filepath.Base(path))
		if err := os.WriteFile(copied, []byte(text), 0o600); err != nil {
			return "", err
		}
		replaced[filepath.Join(root, path)] = copied
	}
	content, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(folder, "overlay.json")
	return overlay, os.WriteFile(overlay, content, 0o600)
}
