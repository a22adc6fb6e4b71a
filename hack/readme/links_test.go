package readme

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	code    = regexp.MustCompile("(?ms)^```.*?^```|`[^`\n]*`")
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	// noAnchor is what GitHub leaves out of the anchor of a heading.
	noAnchor = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// tracked are the files of the project whose names end so.
func tracked(t *testing.T, suffix string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "git", "-C", root(), "ls-files", "*"+suffix).Output()
	if err != nil {
		t.Fatal(err)
	}
	files := strings.Fields(string(out))
	if len(files) == 0 {
		t.Fatalf("there are no files *%s", suffix)
	}
	return files
}

// anchors are those of a page's headings.
func anchors(t *testing.T, path string) []string {
	t.Helper()
	var all []string
	for _, match := range heading.FindAllStringSubmatch(read(t, path), -1) {
		text := noAnchor.ReplaceAllString(strings.ToLower(match[1]), "")
		all = append(all, strings.ReplaceAll(text, " ", "-"))
	}
	return all
}

func TestEveryLinkLeadsSomewhere(t *testing.T) {
	for _, page := range tracked(t, ".md") {
		text := code.ReplaceAllString(read(t, root(page)), "")
		for _, match := range link.FindAllStringSubmatch(text, -1) {
			target, anchor, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, ":") {
				continue // another site
			}
			path := root(page)
			if target != "" {
				path = filepath.Join(filepath.Dir(path), target)
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s: %v", page, err)
			} else if anchor != "" && !slices.Contains(anchors(t, path), anchor) {
				t.Errorf("%s: %s has no heading for #%s", page, path, anchor)
			}
		}
	}
}

var testName = regexp.MustCompile("`(Test[A-Za-z0-9_]+)`")

func TestEveryTestThatIsNamedIsThere(t *testing.T) {
	var tests strings.Builder
	for _, file := range tracked(t, "_test.go") {
		tests.WriteString(read(t, root(file)))
	}
	named := testName.FindAllStringSubmatch(read(t, root("README.md")), -1)
	if len(named) == 0 {
		t.Error("README.md names no test")
	}
	for _, match := range named {
		if !strings.Contains(tests.String(), "func "+match[1]+"(t *testing.T)") {
			t.Errorf("there is no test %s", match[1])
		}
	}
}

var target = regexp.MustCompile("(?m)(?:`|^ {4})(?:[A-Z_]+=\\S+ )*make ([a-z0-9-]+(?: [a-z0-9-]+)*)")

func TestEveryTargetThatIsNamedIsThere(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "make", "-C", root(), "-pnq", "help").Output()
	if len(out) == 0 {
		t.Fatal(err)
	}
	named := target.FindAllStringSubmatch(read(t, root("README.md")), -1)
	if len(named) == 0 {
		t.Error("README.md names no target")
	}
	for _, match := range named {
		for name := range strings.FieldsSeq(match[1]) {
			if !strings.Contains(string(out), "\n"+name+":") {
				t.Errorf("there is no target %s", name)
			}
		}
	}
}
