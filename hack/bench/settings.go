package main

import (
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// settings are what a run measures, and with what.
type settings struct {
	sizes     []int
	scenarios []string
	// operator is the binary; extra are flags for it that go behind all others.
	operator string
	extra    []string
	out      string
	// latency is what the Hub adds to every call.
	latency time.Duration
	// The operator's flags of the same names.
	workers int
	qps     float64
	burst   int
	poll    time.Duration
	// appliers is how many resources are applied, changed or deleted at once.
	appliers int
	// rounds is how often the scenario of conflicts is played.
	rounds  int
	refused time.Duration
	down    time.Duration
	limited int
	// looped is how many the loops without an operator do at most.
	looped   int
	foreign  int
	profile  string
	keepLogs bool
}

// conflictRounds are for a run of sizes up to smallSize, fewConflictRounds for one of larger sizes alone.
const (
	smallSize         = 1000
	conflictRounds    = 50
	fewConflictRounds = 5
)

func parseSettings(args []string, complaints io.Writer) (settings, error) {
	var s settings
	var sizes, scenarios, extra string
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(complaints)
	flags.StringVar(&sizes, "n", "1000,10000", "how many webhooks; several numbers are measured one after the other")
	flags.StringVar(&scenarios, "scenarios", "",
		"which to play, by name; all when empty: "+strings.Join(scenarioNames(), ","))
	flags.StringVar(&s.operator, "operator", "bin/chatt2-webhook-operator", "the operator's binary")
	flags.StringVar(&extra, "operator-flags", "", "further flags for the operator, separated by spaces")
	flags.StringVar(&s.out, "out", "bin/bench", "the folder for results")
	flags.DurationVar(&s.latency, "latency", 20*time.Millisecond, "what the Hub adds to every call")
	flags.IntVar(&s.workers, "workers", 32, "--max-concurrent-reconciles of the operator")
	flags.Float64Var(&s.qps, "hub-qps", 1000, "--hub-qps of the operator")
	flags.IntVar(&s.burst, "hub-burst", 100, "--hub-burst of the operator")
	flags.DurationVar(&s.poll, "hub-poll-interval", 15*time.Second, "--hub-poll-interval of the operator")
	flags.IntVar(&s.appliers, "appliers", 16, "how many resources are applied, changed or deleted at once")
	flags.IntVar(&s.rounds, "conflict-rounds", 0, "how often conflicts are played; 0 is 50, and 5 without a small N")
	flags.DurationVar(&s.refused, "refused", 150*time.Second, "how long the API key is refused")
	flags.DurationVar(&s.down, "down", 2*time.Minute, "how long the Hub is down")
	flags.IntVar(&s.limited, "limited", 4000, "how many webhooks are created under the Hub's own limit")
	flags.IntVar(&s.looped, "reference-n", 2000,
		"how many webhooks the loops without an operator do at most; their times are scaled to N")
	flags.IntVar(&s.foreign, "foreign-secrets", 20_000, "how many Secrets there are that are none of the operator's")
	flags.StringVar(&s.profile, "profile", "",
		"scenarios to take profiles of, where the operator can be asked for them")
	flags.BoolVar(&s.keepLogs, "keep-logs", false, "keep the logs of what ran")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if rest := flags.Args(); len(rest) > 0 {
		return s, fmt.Errorf("%q is no flag", rest[0])
	}
	s.extra = strings.Fields(extra)
	return s, s.complete(sizes, scenarios)
}

// complete reads the lists and fills in what depends on others.
func (s *settings) complete(sizes, scenarios string) (err error) {
	for _, text := range split(sizes) {
		n, err := strconv.Atoi(text)
		if err != nil || n < 2 {
			return fmt.Errorf("-n: %q is no number of webhooks", text)
		}
		s.sizes = append(s.sizes, n)
	}
	if len(s.sizes) == 0 {
		return fmt.Errorf("-n: %q names no number", sizes)
	}
	s.scenarios = split(scenarios)
	for _, name := range slices.Concat(s.scenarios, split(s.profile)) {
		if !slices.Contains(scenarioNames(), name) {
			return fmt.Errorf("there is no scenario %q; there are %s", name, strings.Join(scenarioNames(), ", "))
		}
	}
	if s.rounds == 0 {
		s.rounds = conflictRounds
		if slices.Min(s.sizes) > smallSize {
			s.rounds = fewConflictRounds
		}
	}
	s.operator, err = filepath.Abs(s.operator)
	return err
}

func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// plays reports whether a scenario is to be played.
func (s *settings) plays(name string) bool {
	return len(s.scenarios) == 0 || slices.Contains(s.scenarios, name)
}

// playsAny reports whether one of several is to be played.
func (s *settings) playsAny(names ...string) bool { return slices.ContainsFunc(names, s.plays) }

// operatorFlags are those that every operator is started with, except for addresses and files.
func (s *settings) operatorFlags() []string {
	return []string{
		fmt.Sprintf("--hub-qps=%g", s.qps), fmt.Sprintf("--hub-burst=%d", s.burst),
		fmt.Sprintf("--hub-poll-interval=%s", s.poll), fmt.Sprintf("--max-concurrent-reconciles=%d", s.workers),
	}
}

// described are the settings as they stand in the results.
type described struct {
	Sizes         []int    `json:"sizes"`
	Operator      string   `json:"operator"`
	OperatorFlags []string `json:"operatorFlags"`
	HubLatency    string   `json:"hubLatency"`
	Appliers      int      `json:"appliers"`
	CPUs          int      `json:"cpus"`
	Go            string   `json:"go"`
	Started       string   `json:"started"`
}

func (s *settings) describe() described {
	return described{
		Sizes: s.sizes, Operator: filepath.Base(s.operator), HubLatency: s.latency.String(), Appliers: s.appliers,
		OperatorFlags: slices.Concat(s.operatorFlags(), s.extra), CPUs: runtime.NumCPU(), Go: runtime.Version(),
		Started: time.Now().UTC().Format(time.RFC3339),
	}
}
