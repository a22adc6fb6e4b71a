package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
)

// block is a group of constants under one comment.
type block struct {
	title     string
	constants []constant
}

// constant is one of them, with its comment without the name that it begins with.
type constant struct {
	name, value, meaning string
}

// constants are those of api/v1alpha1/conditions.go whose names begin with the prefix, by block.
func constants(root, prefix string) ([]block, error) {
	path := filepath.Join(root, "api", "v1alpha1", "conditions.go")
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	var blocks []block
	for _, declared := range file.Decls {
		group, ok := declared.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		b := block{title: strings.Join(strings.Fields(group.Doc.Text()), " ")}
		for _, spec := range group.Specs {
			c, err := readConstant(spec)
			if err != nil {
				return nil, err
			}
			if strings.HasPrefix(c.name, prefix) {
				b.constants = append(b.constants, c)
			}
		}
		if len(b.constants) > 0 {
			blocks = append(blocks, b)
		}
	}
	if len(blocks) == 0 {
		return nil, fmt.Errorf("%s has no constants %s", path, prefix)
	}
	return blocks, nil
}

func readConstant(spec ast.Spec) (constant, error) {
	value, ok := spec.(*ast.ValueSpec)
	if !ok || len(value.Names) != 1 || len(value.Values) != 1 {
		return constant{}, fmt.Errorf("cannot read a constant at %v", spec.Pos())
	}
	literal, ok := value.Values[0].(*ast.BasicLit)
	if !ok {
		return constant{}, fmt.Errorf("%s is no plain text", value.Names[0].Name)
	}
	text, err := strconv.Unquote(literal.Value)
	if err != nil {
		return constant{}, err
	}
	c := constant{name: value.Names[0].Name, value: text}
	meaning := strings.TrimPrefix(strings.Join(strings.Fields(value.Doc.Text()), " "), c.name)
	c.meaning = strings.TrimSpace(strings.TrimPrefix(meaning, ":"))
	return c, nil
}
