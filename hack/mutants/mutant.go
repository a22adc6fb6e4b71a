package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mutant is a wrong protocol: an edit of the operator, and the suites of tests each of which must catch it.
type mutant struct {
	// name is what the protocol is called, wrong what is wrong about it.
	name, wrong string
	runs        []suiteRun
	edits       []edit
}

// edit replaces a piece of a source file, which must be there exactly once.
type edit struct {
	// file is the path below the top of the repository.
	file          string
	before, after string
}

// suiteRun is a run of a suite, restricted to the tests that a pattern of go test selects; empty for all of them.
type suiteRun struct {
	suite, pattern string
}

func (r suiteRun) String() string { return strings.TrimSpace(r.suite + " " + r.pattern) }

// readMutants reads the mutants of a folder, in the order of their names.
func readMutants(folder string) ([]mutant, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.diff"))
	if err != nil {
		return nil, err
	}
	all := make([]mutant, 0, len(files))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		m, err := parseMutant(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if slices.ContainsFunc(all, func(other mutant) bool { return other.name == m.name }) {
			return nil, fmt.Errorf("%s: there are two mutants %q", file, m.name)
		}
		all = append(all, m)
	}
	return all, nil
}

// parseMutant reads a mutant: lines "name: …", "wrong: …" and "suite: …", an empty line, and a diff without numbers of
// lines, in which each change begins with "@@" and each file with "--- " and its path.
func parseMutant(text string) (mutant, error) {
	head, diff, _ := strings.Cut(text, "\n\n")
	var m mutant
	for line := range strings.Lines(head) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch key {
		case "name":
			m.name = value
		case "wrong":
			m.wrong = value
		case "suite":
			suite, pattern, _ := strings.Cut(value, " ")
			if _, ok := suites[suite]; !ok {
				return mutant{}, fmt.Errorf("there is no suite %q", suite)
			}
			m.runs = append(m.runs, suiteRun{suite, pattern})
		default:
			return mutant{}, fmt.Errorf("%q is neither name, wrong nor suite", line)
		}
	}
	var err error
	if m.edits, err = parseDiff(diff); err != nil {
		return mutant{}, err
	}
	if m.name == "" || m.wrong == "" || len(m.runs) == 0 || len(m.edits) == 0 {
		return mutant{}, errors.New("name, wrong, suite or diff is missing")
	}
	return m, nil
}

func parseDiff(diff string) ([]edit, error) {
	var edits []edit
	file := ""
	for line := range strings.Lines(diff) {
		line = strings.TrimSuffix(line, "\n")
		if path, ok := strings.CutPrefix(line, "--- "); ok {
			file = path
			continue
		}
		if line == "@@" {
			edits = append(edits, edit{file: file})
			continue
		}
		if file == "" || len(edits) == 0 {
			return nil, fmt.Errorf("%q stands before the first change", line)
		}
		e := &edits[len(edits)-1]
		if line == "" {
			line = " "
		}
		switch rest := line[1:] + "\n"; line[0] {
		case ' ':
			e.before += rest
			e.after += rest
		case '-':
			e.before += rest
		case '+':
			e.after += rest
		default:
			return nil, fmt.Errorf("%q begins with neither a space nor - nor +", line)
		}
	}
	return edits, nil
}
