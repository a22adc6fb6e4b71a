package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// folder is where the results of a run go.
type folder struct {
	// name tells the run from others: when it began.
	name       string
	root, logs string
}

// newFolder makes the place for a new run.
func newFolder(root string) (*folder, error) {
	f := &folder{name: time.Now().Format("20060102-150405"), root: root}
	f.logs = filepath.Join(root, f.name+"-logs")
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, err
	}
	if err := os.Mkdir(f.logs, 0o755); err != nil {
		return nil, fmt.Errorf("%w; did another run begin in this second?", err)
	}
	return f, nil
}

// file is the path of a file with results.
func (f *folder) file(suffix string) string { return filepath.Join(f.root, f.name+suffix) }

// log is the path of a log.
func (f *folder) log(name string) string { return filepath.Join(f.logs, name+".log") }

func (f *folder) removeLogs() error { return os.RemoveAll(f.logs) }

// progress tells a person what goes on.
type progress func(format string, args ...any)

// newProgress tells it in lines that begin with the time since the beginning.
func newProgress(out io.Writer) progress {
	began := time.Now()
	var mu sync.Mutex
	return func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		at := time.Since(began).Round(time.Second)
		_, _ = fmt.Fprintf(out, "%6s  %s\n", at, fmt.Sprintf(format, args...)) // there is nobody else to tell
	}
}
