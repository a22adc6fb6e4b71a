package main

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSettingsAreRead(t *testing.T) {
	s, err := parseSettings([]string{"-n", "1000,50000", "-scenarios=create,quiet", "-operator-flags=--a=1 --b"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{1000, 50_000}, s.sizes); diff != "" {
		t.Error(diff)
	}
	if !s.plays("quiet") || s.plays("delete") || !s.playsAny("delete", "create") || s.playsAny("delete") {
		t.Error("other scenarios are played")
	}
	if flags := s.describe().OperatorFlags; !slices.Contains(flags, "--hub-qps=1000") || !slices.Contains(flags, "--b") {
		t.Errorf("the operator's flags are told as %v", flags)
	}
	if s.rounds != conflictRounds {
		t.Errorf("%d rounds of conflicts", s.rounds)
	}
}

func TestByDefaultEverythingIsPlayed(t *testing.T) {
	s, err := parseSettings(nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range scenarioNames() {
		if !s.plays(name) {
			t.Errorf("%s is not played", name)
		}
	}
	if diff := cmp.Diff([]int{1000, 10_000}, s.sizes); diff != "" {
		t.Error(diff)
	}
	if s, err := parseSettings([]string{"-n=10000"}, io.Discard); err != nil || s.rounds != fewConflictRounds {
		t.Errorf("%d rounds of conflicts for 10,000 alone, %v", s.rounds, err)
	}
}

func TestWrongSettingsAreRefused(t *testing.T) {
	for _, args := range [][]string{
		{"-n", "many"}, {"-n", "1"}, {"-n", ","}, {"-scenarios", "odd"}, {"-profile", "odd"}, {"rest"}, {"-odd"},
	} {
		if _, err := parseSettings(args, io.Discard); err == nil {
			t.Errorf("%s is taken", strings.Join(args, " "))
		}
	}
}

func TestEveryScenarioHasANameOfItsOwn(t *testing.T) {
	names := scenarioNames()
	if unique := slices.Compact(slices.Sorted(slices.Values(names))); len(unique) != len(names) {
		t.Errorf("the names are %v", names)
	}
}
