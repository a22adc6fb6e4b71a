package main

import (
	"fmt"
	"slices"
	"strings"
)

// conditionsPage tells of the conditions and of each of their reasons.
func conditionsPage(root string) (string, error) {
	conditions, err := constants(root, "Condition")
	if err != nil {
		return "", err
	}
	reasons, err := constants(root, "Reason")
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("# Conditions\n\n`kubectl wait`, Argo CD, Flux and Helm tell progress from failure by these. " +
		"`Ready` shows the reason of the\nfirst condition that is in its way.\n\n")
	var rows [][]string
	for _, c := range conditions[0].constants {
		rows = append(rows, []string{code(c.value), c.meaning})
	}
	b.WriteString(table([]string{"condition", "what it tells"}, rows))
	b.WriteString("\n# Reasons, and what to do\n")
	used := 0
	for _, group := range reasons {
		text, err := reasonsTable(group)
		if err != nil {
			return "", err
		}
		used += len(group.constants)
		b.WriteString(text)
	}
	if used != len(remedies) {
		return "", fmt.Errorf("there are %d reasons and %d remedies", used, len(remedies))
	}
	return b.String(), nil
}

func reasonsTable(group block) (string, error) {
	var rows [][]string
	for _, c := range group.constants {
		remedy, ok := remedies[c.value]
		if !ok {
			return "", fmt.Errorf("nothing says what to do about %s", c.value)
		}
		event := ""
		if group.stalls() || slices.Contains(told, c.value) {
			event = "Warning"
		}
		rows = append(rows, []string{code(c.value), c.meaning, remedy, event})
	}
	return "\n" + group.title + "\n\n" + table([]string{"reason", "what it means", "what to do", "event"}, rows), nil
}

// stalls reports whether the reasons of a block last until somebody acts, and so are told in an event, too.
func (b block) stalls() bool { return strings.Contains(b.title, "Stalled is True") }

// told are the reasons that pass by themselves and are told in an event all the same.
var told = []string{
	"APIKeyNotFound", "DeletionBlocked", "Forbidden", "HeaderSourceNotFound", "SecretNotStored", "VerificationFailed",
}
