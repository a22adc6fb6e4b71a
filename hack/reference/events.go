package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// eventsPage tells of the events of the operator, as the calls that record them are written.
func eventsPage(root string) (string, error) {
	calls, err := recorded(filepath.Join(root, "internal", "controller"))
	if err != nil {
		return "", err
	}
	values := map[string]string{}
	for _, prefix := range []string{"Event", "Reason"} {
		blocks, err := constants(root, prefix)
		if err != nil {
			return "", err
		}
		for _, b := range blocks {
			for _, c := range b.constants {
				values[c.name] = c.value
			}
		}
	}
	var rows [][]string
	told := map[string]bool{}
	for _, call := range calls {
		value, ok := values[call.constant]
		if !ok {
			return "", fmt.Errorf("the event %s is no constant of the API", call.constant)
		}
		rows = append(rows, []string{code(value), call.kind, call.note})
		told[call.constant] = true
	}
	for name := range values {
		if strings.HasPrefix(name, "Event") && !told[name] {
			return "", fmt.Errorf("%s is recorded nowhere", name)
		}
	}
	slices.SortFunc(rows, slices.Compare[[]string])
	return "# Events\n\n`kubectl events --for c2w/NAME` shows what happened. Events are made when something changes, " +
		"never for a look\nthat found all well.\n\n" + table([]string{"reason", "type", "note"}, rows) +
		"\nBesides, a reason of a condition that needs a person is told in a Warning, once each time it begins: " +
		"those with the\nword Warning in the tables of [reasons](conditions.md#reasons-and-what-to-do). " +
		"A verification that comes with the\nregistration is told in the note of `Registered` or `Adopted`.\n", nil
}

// call is one place in the code that records an event.
type call struct {
	kind, constant, note string
}

// recorded are the calls normal(v1alpha1.X, ...) and warning(v1alpha1.X, ...) of a package.
func recorded(dir string) ([]call, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	var calls []call
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return nil, err
		}
		ast.Inspect(file, func(node ast.Node) bool {
			if c, ok := readCall(node); ok {
				calls = append(calls, c)
			}
			return true
		})
	}
	return calls, nil
}

var (
	kinds = map[string]string{"normal": "Normal", "warning": "Warning"}
	verb  = regexp.MustCompile(`%[a-z]`)
)

func readCall(node ast.Node) (call, bool) {
	expression, ok := node.(*ast.CallExpr)
	if !ok || len(expression.Args) < 2 {
		return call{}, false
	}
	function, ok := expression.Fun.(*ast.Ident)
	if !ok || kinds[function.Name] == "" {
		return call{}, false
	}
	constant, ok := expression.Args[0].(*ast.SelectorExpr)
	if !ok {
		return call{}, false
	}
	if of, ok := constant.X.(*ast.Ident); !ok || of.Name != "v1alpha1" {
		return call{}, false
	}
	note := verb.ReplaceAllString(text(expression.Args[1]), "…")
	return call{kind: kinds[function.Name], constant: constant.Sel.Name, note: note}, true
}

// text is a constant text, its parts put together.
func text(expression ast.Expr) string {
	switch e := expression.(type) {
	case *ast.BasicLit:
		if value, err := strconv.Unquote(e.Value); err == nil {
			return value
		}
	case *ast.BinaryExpr:
		return text(e.X) + text(e.Y)
	}
	return "…"
}
