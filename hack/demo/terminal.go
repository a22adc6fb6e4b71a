package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// terminal is where the story is told.
type terminal struct {
	out    io.Writer
	colour bool
}

const (
	bold  = "\x1b[1m"
	cyan  = "\x1b[36m"
	red   = "\x1b[31m"
	green = "\x1b[32m"
	plain = "\x1b[0m"
)

// newTerminal uses colours on a terminal only, and not where NO_COLOR is set.
func newTerminal(file *os.File) *terminal {
	info, err := file.Stat()
	isTerminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	return &terminal{out: file, colour: isTerminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

func (t *terminal) paint(colour, text string) string {
	if !t.colour {
		return text
	}
	return colour + text + plain
}

func (t *terminal) line(text string) { _, _ = fmt.Fprintln(t.out, text) }

// title begins a step.
func (t *terminal) title(number int, text string) {
	t.line("\n" + t.paint(bold, fmt.Sprintf("%d. %s", number, text)))
}

// say tells something in plain words.
func (t *terminal) say(format string, args ...any) {
	for line := range strings.Lines(fmt.Sprintf(format, args...)) {
		t.line("   " + strings.TrimSuffix(line, "\n"))
	}
}

// command shows what a user would type.
func (t *terminal) command(text string) { t.line("   " + t.paint(cyan, "$ "+text)) }

// show shows what a program printed.
func (t *terminal) show(text string) {
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		t.line(strings.TrimRight("     "+line, " \n"))
	}
}

// check tells what was checked and found right.
func (t *terminal) check(format string, args ...any) {
	t.line("   " + t.paint(green, "✓ "+fmt.Sprintf(format, args...)))
}

func (t *terminal) fail(text string) { t.line("   " + t.paint(red, "✗ "+text)) }

// tail shows the last lines of a file.
func (t *terminal) tail(name, path string, n int) {
	content, err := os.ReadFile(path)
	if err != nil {
		return // there is nothing to show
	}
	lines := strings.Split(strings.TrimRight(string(content), "\n"), "\n")
	t.say("\nThe end of %s:", name)
	t.show(strings.Join(lines[max(0, len(lines)-n):], "\n"))
}
