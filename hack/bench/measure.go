package main

import (
	"context"
	"math"
	"runtime"
	"time"
)

// figures are what was measured of a scenario.
type figures struct {
	Scenario string `json:"scenario"`
	N        int    `json:"n"`
	// Flags are those of the operator besides those of every operator.
	Flags   []string `json:"flags,omitempty"`
	Seconds float64  `json:"seconds"`
	// HubCalls are by operation; Throttled are those of them that were answered 429.
	HubCalls  map[string]int `json:"hubCalls"`
	Throttled int            `json:"throttled"`
	Writes    writes         `json:"kubeWrites"`
	// Reconciles are by controller.
	Reconciles map[string]float64 `json:"reconciles"`
	CPUSeconds float64            `json:"cpuSeconds"`
	// CPUs are the CPU seconds of each program that the bench runs, and Others the part of the machine's CPUs that
	// programs took which are none of ours: where it is much, times are longer than they should be.
	CPUs   map[string]float64 `json:"cpuSecondsByProgram"`
	Others float64            `json:"othersShare"`
	Memory memory             `json:"memory"`
	// QueueWait is the bound of the highest bucket in use, -1 above the highest bound, in seconds.
	QueueWait   float64 `json:"queueWaitSeconds"`
	Connections int     `json:"connections"`
	// Verification is how soon it was seen that the Hub has verified the endpoints, where that was measured.
	Verification *verification `json:"verification,omitempty"`
	// Notes are what else was seen, in words.
	Notes []string `json:"notes,omitempty"`
	Aims  []aim    `json:"aims,omitempty"`
}

// aim is what was aimed at and what was reached.
type aim struct {
	Scenario string `json:"scenario"`
	N        int    `json:"n"`
	What     string `json:"what"`
	Measured string `json:"measured"`
	Aim      string `json:"aim"`
	OK       bool   `json:"ok"`
}

// calls is the sum of the calls to the Hub.
func (f *figures) calls() int {
	sum := 0
	for _, n := range f.HubCalls {
		sum += n
	}
	return sum
}

// reconciled is the sum of the reconciles.
func (f *figures) reconciled() float64 {
	sum := 0.0
	for _, n := range f.Reconciles {
		sum += n
	}
	return sum
}

// measurement is one under way.
type measurement struct {
	world    *world
	operator *operator // that ran when it began
	began    time.Time
	metrics  metrics
	writes   writes
	cpu      time.Duration
	usage    usage
	profiled func() error
}

// begin begins to measure. An operator that is started later is measured from its start.
func (w *world) begin(ctx context.Context, scenario string) (*measurement, error) {
	m := &measurement{world: w, operator: w.operator}
	var err error
	if m.writes, err = w.audit.read(); err != nil {
		return nil, err
	}
	if o := w.operator; o != nil {
		if m.metrics, err = o.scrape(ctx); err != nil {
			return nil, err
		}
		if m.cpu, err = cpuTime(o.program.pid()); err != nil {
			return nil, err
		}
		if err := resetPeak(o.program.pid()); err != nil {
			return nil, err
		}
		o.connections.Store(0)
	}
	if err := w.hub.forgetCalls(ctx); err != nil {
		return nil, err
	}
	m.profiled = w.takeProfiles(ctx, scenario)
	if m.usage, err = readUsage(w.known()); err != nil {
		return nil, err
	}
	m.began = time.Now()
	return m, nil
}

// end gives what was measured since begin; until is when what was measured was over, and the operator may have worked
// on since.
func (m *measurement) end(ctx context.Context, scenario string, n int, until time.Time) (*figures, calls, error) {
	w, o := m.world, m.world.operator
	// Before the metrics are asked for: that is work, too.
	cpu, err := cpuTime(o.program.pid())
	if err != nil {
		return nil, nil, err
	}
	used, err := readUsage(w.known())
	if err != nil {
		return nil, nil, err
	}
	if err := m.profiled(); err != nil {
		return nil, nil, err
	}
	if o != m.operator {
		m.cpu, m.metrics = 0, nil
	}
	f := &figures{
		Scenario: scenario, N: n, Seconds: until.Sub(m.began).Seconds(), CPUSeconds: (cpu - m.cpu).Seconds(),
		Connections: int(o.connections.Load()), Reconciles: map[string]float64{},
	}
	f.CPUs, f.Others = used.since(m.usage, runtime.NumCPU())
	all, err := w.hub.tallies(ctx)
	if err != nil {
		return nil, nil, err
	}
	f.HubCalls, f.Throttled = all.byOperation(), all.throttled().count()
	written, err := w.audit.read()
	if err != nil {
		return nil, nil, err
	}
	f.Writes = written.since(m.writes)
	if f.Memory, err = memoryOf(o.program.pid()); err != nil {
		return nil, nil, err
	}
	return f, all, m.readMetrics(ctx, f)
}

func (m *measurement) readMetrics(ctx context.Context, f *figures) error {
	after, err := m.world.operator.scrape(ctx)
	if err != nil {
		return err
	}
	const reconciles, waits = "controller_runtime_reconcile_total", "workqueue_queue_duration_seconds"
	before := m.metrics.by(reconciles, "controller")
	for name, count := range after.by(reconciles, "controller") {
		if count > before[name] {
			f.Reconciles[name] = count - before[name]
		}
	}
	f.QueueWait = longest(m.metrics.histogram(waits, "name", queueName), after.histogram(waits, "name", queueName))
	if math.IsInf(f.QueueWait, 1) {
		f.QueueWait = -1 // which JSON can say
	}
	return nil
}

// known are the names of processes of the same binary.
func (w *world) known() map[int]string {
	names := map[int]string{w.hub.program.pid(): w.hub.program.name}
	if o := w.operator; o != nil {
		names[o.program.pid()] = o.program.name
	}
	return names
}

// measure measures something that is over when the operator is at rest again.
func (w *world) measure(
	ctx context.Context, scenario string, n int, do func(context.Context) (time.Time, error),
) (*figures, calls, error) {
	m, err := w.begin(ctx, scenario)
	if err != nil {
		return nil, nil, err
	}
	until, err := do(ctx)
	if err != nil {
		return nil, nil, err
	}
	if err := w.rest(ctx); err != nil {
		return nil, nil, err
	}
	return m.end(ctx, scenario, n, until)
}
