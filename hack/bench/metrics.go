package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// sample is one line of metrics.
type sample struct {
	name   string
	labels map[string]string
	value  float64
}

// metrics are those of a process at one moment.
type metrics []sample

// readMetrics reads what Prometheus reads. Series whose names begin with one of skip are left out, for there may be
// thousands of them.
func readMetrics(r io.Reader, skip ...string) (metrics, error) {
	var all metrics
	lines := bufio.NewScanner(r)
	skipped := func(line string) bool {
		return slices.ContainsFunc(skip, func(s string) bool { return strings.HasPrefix(line, s) })
	}
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' || skipped(line) {
			continue
		}
		s, err := parseSample(line)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, lines.Err()
}

// parseSample reads name{label="value",...} number, where no value of ours holds a quotation mark.
func parseSample(line string) (sample, error) {
	wrong := fmt.Errorf("no line of metrics: %.80q", line)
	s := sample{labels: map[string]string{}}
	at := strings.LastIndexByte(line, ' ')
	if at < 0 {
		return s, wrong
	}
	value, err := strconv.ParseFloat(line[at+1:], 64)
	if err != nil {
		return s, wrong
	}
	s.value = value
	name, rest, labelled := strings.Cut(line[:at], "{")
	s.name = strings.TrimSpace(name)
	if !labelled {
		return s, nil
	}
	parts := strings.Split(rest, `"`)
	for i := 0; i+1 < len(parts); i += 2 {
		key := strings.Trim(parts[i], ", =")
		s.labels[key] = parts[i+1]
	}
	return s, nil
}

// sum adds up the series of a name that carry all of some labels, given as pairs.
func (m metrics) sum(name string, pairs ...string) float64 {
	total := 0.0
	for _, s := range m {
		if s.name == name && s.carries(pairs) {
			total += s.value
		}
	}
	return total
}

func (s sample) carries(pairs []string) bool {
	for i := 0; i+1 < len(pairs); i += 2 {
		if s.labels[pairs[i]] != pairs[i+1] {
			return false
		}
	}
	return true
}

// has reports whether there is a series of this name.
func (m metrics) has(name string) bool {
	return slices.ContainsFunc(m, func(s sample) bool { return s.name == name })
}

// by adds up the series of a name by one label.
func (m metrics) by(name, label string) map[string]float64 {
	sums := map[string]float64{}
	for _, s := range m {
		if s.name == name {
			sums[s.labels[label]] += s.value
		}
	}
	return sums
}

// bucket is one of a histogram: how many values were not above its bound.
type bucket struct{ bound, count float64 }

func (m metrics) histogram(name string, pairs ...string) []bucket {
	counts := map[float64]float64{}
	for _, s := range m {
		if s.name != name+"_bucket" || !s.carries(pairs) {
			continue
		}
		if bound, err := strconv.ParseFloat(s.labels["le"], 64); err == nil {
			counts[bound] += s.value
		}
	}
	var all []bucket
	for bound, count := range counts {
		all = append(all, bucket{bound, count})
	}
	slices.SortFunc(all, func(a, b bucket) int { return cmp.Compare(a.bound, b.bound) })
	return all
}

// longest is the bound of the highest bucket that a value went into between two moments; 0 when there was none, and
// infinite above the highest bound.
func longest(before, after []bucket) float64 {
	at := func(buckets []bucket, bound float64) float64 {
		for _, b := range buckets {
			if b.bound == bound {
				return b.count
			}
		}
		return 0
	}
	longest, below := 0.0, 0.0
	for _, b := range after {
		count := b.count - at(before, b.bound)
		if count > below {
			longest = b.bound
		}
		below = count
	}
	return longest
}

// seconds writes a number of seconds as a person reads it.
func seconds(s float64) string {
	switch {
	case math.IsInf(s, 1):
		return "more"
	case s != 0 && s < 1:
		return strconv.FormatFloat(s*1000, 'g', 3, 64) + " ms"
	}
	return strconv.FormatFloat(s, 'f', -1, 64) + " s"
}
